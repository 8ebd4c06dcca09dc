"""A consortium that stays up. Trades come in from many threads; one thread clears and settles.

Clearing strikes a cycle when enough trades wait, when some have waited long enough, or when it is
told to. Trades that are captured meanwhile are left for the next cycle.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, TypeVar

import msgspec

from ledger.books.database import BooksLostError, StorageError
from ledger.books.database_url import DatabaseUrl
from ledger.books.tables import CycleRow
from ledger.clearing.columns import TradeColumns
from ledger.domain.errors import MalformedError
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rule_texts import rules_with
from ledger.domain.rules import MARKET_DAY_RULES, Rules
from ledger.logs import logger_of
from nodes.books_place import StatePlace
from nodes.bus import UnreachableError
from nodes.business_clock import BusinessClock, Target, clock_file
from nodes.clock import NS
from nodes.consortium import Consortium
from nodes.desks import take_in
from nodes.engine import Engine
from nodes.faults.desk_faults import DeskFault, DeskFaults
from nodes.faults.in_process import InProcessFaults
from nodes.faults.node_faults import NodeFault, NodeFaults, StandingFault
from nodes.founding import open_consortium
from nodes.journal.journal import Journal
from nodes.network import Network
from nodes.opening_positions import issue_opening
from nodes.sandbox.capture_queue import Captured, CapturedTrades, CaptureQueue
from nodes.sandbox.interface_books import InterfaceBooks
from nodes.sandbox.market_time import MarketTime
from nodes.sandbox.network import sandbox_network, sandbox_opening
from nodes.sandbox.pulse import MarketPulse
from nodes.sandbox.stubs import Stubs
from nodes.state_folder import StateFolder
from nodes.turns import Turns
from nodes.validators import Seating

T = TypeVar("T")

CYCLE_SECONDS: Final = 0.5
IDLE_SECONDS: Final = 0.05
DEFAULT_SEED: Final = "novate"

_STOPPED: Final = Rejected(Reason.UNAVAILABLE, "the sandbox is stopping")

log = logger_of(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox is run.

    Attributes:
        cycle_seconds: a cycle is struck when trades have waited so long; 0: not by time.
        cycle_trades: a cycle is struck at so many trades, for the life of the folder; None: as the
            folder has it.
        dense_sequence: the venue numbers its trades without gaps, for the life of the folder; None:
            as the folder has it.
        rules: NAME=VALUE over the rules of a market day, for the life of the folder; none: as the
            folder has them.
        database: where the nodes' books are, for the life of the folder; None: as the folder has
            it, and in files of a new one.
    """

    cycle_seconds: float = CYCLE_SECONDS
    cycle_trades: int | None = None
    dense_sequence: bool | None = None
    rules: tuple[str, ...] = ()
    database: DatabaseUrl | None = None


DEFAULT_OPTIONS: Final = SandboxOptions()


class Sandbox:
    """A running consortium. ``lock`` guards everything but the capture of trades."""

    def __init__(
        self,
        consortium: Consortium,
        cycle_seconds: float = CYCLE_SECONDS,
        turns: Turns | None = None,
    ) -> None:
        """``turns`` are those of the clearing house, where others reach it by envelopes."""
        self.consortium = consortium
        self.lock = turns or Turns()
        self.is_ready = False
        self.failure = ""
        self.captures = CaptureQueue(consortium.exchange, consortium.clearing_house.net.waiting)
        self.interface = InterfaceBooks(consortium.path, consortium.books_server)
        self.journal = Journal(consortium, self.interface.database)
        self.time = MarketTime(consortium)
        self.pulse = MarketPulse(consortium)
        self.faults: NodeFaults = InProcessFaults(consortium)
        self.desk_faults = DeskFaults(consortium)
        self.stubs = Stubs(consortium)
        self.cycle_seconds = cycle_seconds
        self._must_resume = False
        self._stopping = Event()
        self._threads = [
            Thread(target=self._capture_forever, name="capture", daemon=True),
            Thread(target=self._clear_forever, name="clearing", daemon=True),
        ]

    def start(self) -> None:
        """Reconciles, and only then takes trades."""
        with self.lock:
            self.consortium.reconcile()
            self.journal.begin()
        self.is_ready = True
        log.info("market.ready", block=self.consortium.clearing_house.projection.height)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets both threads finish what they are doing, then closes everything."""
        was_ready, self.is_ready = self.is_ready, False
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        with self.lock:
            if was_ready:
                # What comes in its place begins with the present. Books that are lost are read by
                # it as they are.
                with suppress(BooksLostError):
                    self.journal.finish()
        # Before the consortium, with which a server of its books is let go.
        self.interface.close()
        with self.lock:
            self.consortium.close()
        log.info("market.closed")

    def submit(self, row: Sequence[int]) -> "Future[Captured | Rejected]":
        """Submits a trade (one value a column); the answer comes once it is on disk."""
        return self.captures.submit(row) if self.is_ready else self._refused()

    def submit_batch(self, trades: TradeColumns) -> "Future[CapturedTrades | Rejected]":
        """Submits a batch; the answer comes once it is on disk."""
        return self.captures.submit_batch(trades) if self.is_ready else self._refused()

    def strike(self) -> CycleRow | None:
        """Strikes a cycle over what was captured so far and settles it; None when nothing waits.

        Raises StorageError when the disk is full: the cycle is then finished when there is room.
        """
        with self._settling():
            self._take_in()
            return self._close_cycle()

    def move_clock(self, target: Target, *, frozen: bool | None = None) -> Rejected | None:
        """Moves the business clock, or freezes it; the market has followed when this returns.

        Raises MalformedError for a moment that is past, StorageError when the disk is full.
        """
        with self._settling():
            self._take_in()
            return self.time.move(target, frozen=frozen)

    def change(self, act: Callable[[Consortium], T]) -> T:
        """Does something to the consortium; what it makes possible is settled soon after.

        Raises StorageError when the disk is full: what was begun is then finished, or was never
        begun, as after a crash.
        """
        with self._settling():
            self._resume()
            answer = act(self.consortium)
            self.consortium.catch_up()
            self.time.look_again()
            return answer

    def inject(
        self, fault: NodeFault | DeskFault, participant: str, milliseconds: int = 0
    ) -> Rejected | None:
        """Does something to a node or its desk (see ``NodeFaults``, ``DeskFaults``)."""
        if isinstance(fault, DeskFault):
            return self.change(lambda _: self.desk_faults.inject(fault, participant))
        refusal = self._do_to_node(fault, participant, milliseconds)
        if refusal is None and fault is NodeFault.HEAL:
            self.change(lambda _: self._heal_desk(participant))
        return refusal

    def standing_faults(self) -> list[StandingFault]:
        """What is wrong with nodes and desks now; whoever calls holds the lock."""
        return [*self.faults.standing(), *self.desk_faults.standing()]

    def _heal_desk(self, participant: str) -> None:
        """Its desk reports what it withheld; breaks that end by it end at once."""
        if self.desk_faults.heal(participant):
            self._take_in()
            self.consortium.reconcile()

    def _do_to_node(self, fault: NodeFault, participant: str, milliseconds: int) -> Rejected | None:
        """Does something to a node; in one process, nothing else meanwhile."""
        if not isinstance(self.faults, InProcessFaults):
            # A process that begins has questions of its own, which need this one's turn.
            refusal = self.faults.inject(fault, participant, milliseconds=milliseconds)
            self.time.look_again()
            if refusal is None:
                with self.lock:
                    self._tell(fault, participant, milliseconds)
            return refusal

        def act(_: Consortium) -> Rejected | None:
            refusal = self.faults.inject(fault, participant, milliseconds=milliseconds)
            self.captures.follow(self.consortium.exchange)
            if refusal is None:
                self._tell(fault, participant, milliseconds)
            return refusal

        with self.captures.paused():
            return self.change(act)

    def _tell(self, fault: NodeFault, participant: str, milliseconds: int) -> None:
        """Has it stand in the journal that something was done to a node."""
        data = {"fault": fault.value} | ({"milliseconds": milliseconds} if milliseconds else {})
        act = "healed" if fault is NodeFault.HEAL else "injected"
        self.journal.note(f"fault.{act}", participant, data, [participant])

    def end_day(self) -> Rejected | None:
        """Ends the business date: tries the queue once more, then fails what is not carried over.

        Raises StorageError when the disk is full.
        """
        with self._settling():
            self._take_in()
            return self.time.end_day()

    @contextmanager
    def _settling(self) -> Iterator[None]:
        """Holds the lock; after a failure nothing is shown as right that may be wrong."""
        with self.lock:
            try:
                yield
                self.pulse.look()
                self.journal.follow(is_thorough=True)
            except (MalformedError, UnreachableError, PermissionError):
                # Nothing has gone wrong here: the same may be asked for again.
                raise
            except StorageError:
                self._must_resume = True
                raise
            except Exception as error:
                self._fail(error)
                raise

    def _refused(self) -> "Future[Any]":
        answer: Future[Any] = Future()
        detail = self.failure or "the sandbox is not ready"
        answer.set_result(Rejected(Reason.UNAVAILABLE, detail))
        return answer

    def _capture_forever(self) -> None:
        while not self._stopping.is_set():
            self.captures.take_turn(IDLE_SECONDS)
        self.captures.close(_STOPPED)

    def _clear_forever(self) -> None:
        clock = self.consortium.clock
        last_ns = clock.stopwatch_ns()
        while not self._stopping.wait(IDLE_SECONDS):
            try:
                waited_ns = clock.stopwatch_ns() - last_ns
                is_due = 0 < self.cycle_seconds <= waited_ns / NS
                if self._clear(is_due=is_due):
                    last_ns = clock.stopwatch_ns()
            except StorageError as error:
                # Nothing of what failed has happened; the rest is found as after a crash.
                self._must_resume = True
                log.warning("clearing.waits_for_room", error=str(error))
            except (UnreachableError, PermissionError) as error:
                log.warning("clearing.without_node", error=str(error))
            except Exception as error:  # noqa: BLE001 # whatever it was, it is said and stops clearing
                self._fail(error)
                return

    def _follow_the_chain(self) -> None:
        """Lets everybody reconcile at blocks that somebody else's transactions have made."""
        if self.consortium.engine.look() > self.consortium.clearing_house.projection.height:
            self.consortium.reconcile()
            self.time.look_again()

    def _clear(self, *, is_due: bool) -> bool:
        """Takes in what was captured; closes a cycle when it is due or full, and says so."""
        with self.lock:
            has_closed = self._step(is_due=is_due)
            self.pulse.look()
            self.journal.follow()
        return has_closed

    def _step(self, *, is_due: bool) -> bool:
        self._follow_the_chain()
        self._take_in()
        if self.stubs.answer():
            self.time.look_again()
        self.time.pass_by()
        waiting = self.consortium.clearing_house.net.waiting()
        is_full = waiting >= self.consortium.rules.cycle_trades_max
        if is_full or (waiting and is_due):
            self._close_cycle()
            return True
        return False

    def _take_in(self) -> None:
        self._resume()
        # An exchange that is away hands over when it is back; what it has handed over settles.
        with suppress(UnreachableError):
            take_in(self.consortium, self.desk_faults.as_reported)
        if self.consortium.redeliver():
            self.time.look_again()

    def _resume(self) -> None:
        if self._must_resume:
            self.consortium.clearing_house.resume()
            self.consortium.catch_up()
            self._must_resume = False

    def _close_cycle(self) -> CycleRow | None:
        cycle = self.consortium.clearing_house.net.close()
        self.consortium.clearing_house.work()
        self.consortium.reconcile()
        if cycle is not None:
            self.consortium.clearing_house.net.watch.were_reconciled(cycle.number)
        return cycle

    def _fail(self, error: Exception) -> None:
        """Books that may be wrong must not be shown as right: nothing more is settled."""
        self.failure, self.is_ready = f"{type(error).__name__}: {error}", False
        log.error("clearing.stopped", exc_info=error)


def open_sandbox(
    path: Path,
    seed: str | None,
    business_date: date,
    engine: Engine | None = None,
    seating: Seating | None = None,
    options: SandboxOptions = DEFAULT_OPTIONS,
) -> Sandbox:
    """The sandbox in a folder; a new one when the folder is new.

    A folder that ``novate day`` has filled is shown as it is, and goes on from there. Without a
    seed, that of the folder is taken. Raises StateFolderError when it has another, or was begun
    with other options.
    """
    folder = StateFolder(path)
    meta = folder.read_meta()
    folder.close()
    network = meta.network if meta else _new_network(seed, business_date, options)
    rules = meta.rules if meta else _new_rules(options)
    if meta:
        given = {
            "seed": seed,
            "cycle-trades": options.cycle_trades,
            "dense-sequence": options.dense_sequence,
        }
        meta.check_options(path, given, options.rules)
    plan = meta.plan if meta else None
    consortium = open_consortium(
        network,
        rules,
        BusinessClock(clock_file(path)),
        StatePlace(path, options.database),
        engine,
        seating,
        plan,
    )
    plain = msgspec.structs.replace(network, dense_sequence=False)
    if plain == sandbox_network(network.seed, network.business_date):
        issue_opening(consortium, sandbox_opening(network))
    return Sandbox(consortium, options.cycle_seconds)


def _new_network(seed: str | None, business_date: date, options: SandboxOptions) -> Network:
    network = sandbox_network(seed or DEFAULT_SEED, business_date)
    return msgspec.structs.replace(network, dense_sequence=bool(options.dense_sequence))


def _new_rules(options: SandboxOptions) -> Rules:
    rules = rules_with(MARKET_DAY_RULES, options.rules)
    if options.cycle_trades is None:
        return rules
    return replace(rules, cycle_trades_max=options.cycle_trades)
