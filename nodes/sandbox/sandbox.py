"""A consortium that stays up. Trades come in from many threads; one thread clears and settles.

Captures are committed in groups: whoever waits gets its answer once its group is on disk. Clearing
strikes a cycle when enough trades wait, or when some have waited long enough.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, RLock, Thread
from typing import Final

from ledger.clearing.columns import TradeColumns
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import MARKET_DAY_RULES
from nodes.clock import WallClock
from nodes.consortium import Consortium, open_consortium
from nodes.desks import take_in
from nodes.engine import Engine
from nodes.folder_meta import StateFolderError
from nodes.opening_positions import issue_opening
from nodes.sandbox.network import sandbox_network, sandbox_opening
from nodes.state_folder import StateFolder
from nodes.validators import Seating

GROUP_MAX: Final = 2_000
CYCLE_NS: Final = 500_000_000
IDLE_SECONDS: Final = 0.05
DEFAULT_SEED: Final = "novate"


@dataclass(frozen=True, slots=True)
class Captured:
    """The answer to a submitted trade: where it stands, and whether it was there before."""

    position: int
    was_known: bool


_STOPPED: Final = Rejected(Reason.UNAVAILABLE, "the sandbox is stopping")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Submission:
    row: Sequence[int]
    answer: "Future[Captured | Rejected]"


class Sandbox:
    """A running consortium. ``lock`` guards everything but the capture of trades."""

    def __init__(self, consortium: Consortium) -> None:
        self.consortium = consortium
        self.lock = RLock()
        self.is_ready = False
        self.failure = ""
        self._refused = len(consortium.exchange.refusals())
        self._submissions: SimpleQueue[_Submission] = SimpleQueue()
        self._stopping = Event()
        self._threads = [
            Thread(target=self._capture_forever, name="capture", daemon=True),
            Thread(target=self._clear_forever, name="clearing", daemon=True),
        ]

    def start(self) -> None:
        """Reconciles, and only then takes trades."""
        with self.lock:
            self.consortium.reconcile()
        self.is_ready = True
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets both threads finish what they are doing, then closes everything."""
        self.is_ready = False
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        with self.lock:
            self.consortium.close()

    def submit(self, row: Sequence[int]) -> "Future[Captured | Rejected]":
        """Submits a trade (one value a column); the answer comes once it is on disk."""
        submission = _Submission(row, Future())
        if self.is_ready:
            self._submissions.put(submission)
        else:
            detail = self.failure or "the sandbox is not ready"
            submission.answer.set_result(Rejected(Reason.UNAVAILABLE, detail))
        return submission.answer

    def _capture_forever(self) -> None:
        while not self._stopping.is_set():
            group = self._next_group()
            if group:
                self._capture(group)
        for submission in self._next_group():
            submission.answer.set_result(_STOPPED)

    def _next_group(self) -> list[_Submission]:
        group: list[_Submission] = []
        try:
            group.append(self._submissions.get(timeout=IDLE_SECONDS))
            while len(group) < GROUP_MAX:
                group.append(self._submissions.get_nowait())
        except Empty:
            pass
        return group

    def _capture(self, group: list[_Submission]) -> None:
        exchange = self.consortium.exchange
        end = exchange.captured.end_position
        # A group that leaves anything on record changes one of the two numbers of its name.
        batch_id = f"api:{end}:{self._refused}"
        try:
            trades = TradeColumns.of_rows([submission.row for submission in group])
            verdict = exchange.capture(batch_id, trades)
        except Exception as error:  # noqa: BLE001 # every waiting caller must learn of any failure
            for submission in group:
                submission.answer.set_exception(error)
            return
        self._refused += len(verdict.refused)
        seen: set[int] = set()
        for row, submission in enumerate(group):
            if row in verdict.refused:
                submission.answer.set_result(verdict.refused[row])
                continue
            position = int(verdict.positions[row])
            was_known = position < end or position in seen
            seen.add(position)
            submission.answer.set_result(Captured(position, was_known))

    def _clear_forever(self) -> None:
        clock = self.consortium.clock
        last_ns = clock.stopwatch_ns()
        while not self._stopping.wait(IDLE_SECONDS):
            try:
                waited_ns = clock.stopwatch_ns() - last_ns
                if self._clear(is_due=waited_ns >= CYCLE_NS):
                    last_ns = clock.stopwatch_ns()
            except Exception as error:
                # Books that may be wrong must not be shown as right: nothing more is settled.
                self.failure, self.is_ready = f"{type(error).__name__}: {error}", False
                logger.exception("clearing has stopped")
                return

    def _clear(self, *, is_due: bool) -> bool:
        """Takes in what was captured; closes a cycle when it is due or full, and says so."""
        with self.lock:
            self.consortium.engine.look()
            take_in(self.consortium)
            waiting = self.consortium.clearing_house.net.waiting()
            is_full = waiting >= self.consortium.rules.cycle_trades_max
            if is_full or (waiting and is_due):
                self._close_cycle()
                return True
        return False

    def _close_cycle(self) -> None:
        self.consortium.clearing_house.net.close()
        self.consortium.clearing_house.gross.settle_queue()
        self.consortium.reconcile()


def open_sandbox(
    path: Path,
    seed: str | None,
    business_date: date,
    engine: Engine | None = None,
    seating: Seating | None = None,
) -> Sandbox:
    """The sandbox in a folder; a new one when the folder is new.

    A folder that ``novate day`` has filled is shown as it is, and goes on from there. Without a
    seed, that of the folder is taken. Raises StateFolderError when it has another.
    """
    folder = StateFolder(path)
    meta = folder.read_meta()
    folder.close()
    network = meta.network if meta else sandbox_network(seed or DEFAULT_SEED, business_date)
    if seed is not None and seed != network.seed:
        raise StateFolderError(
            f"{path} was begun with the seed {network.seed!r}, not {seed!r}:"
            " leave --seed out, or name another folder with --state"
        )
    rules = meta.rules if meta else MARKET_DAY_RULES
    plan = meta.plan if meta else None
    consortium = open_consortium(network, rules, WallClock(), path, engine, seating, plan)
    if network == sandbox_network(network.seed, network.business_date):
        issue_opening(consortium, sandbox_opening(network))
    return Sandbox(consortium)
