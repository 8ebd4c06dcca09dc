"""A short story of one clearing, in which a node can be killed at a point and begun again.

The points are the moments of messages, before and after each kind is delivered, and the moments
within a node's own commits. A step that somebody's absence cut off is done again at the end, as its
sender would do it.
"""

import hashlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from unittest.mock import patch

from ledger.books.batches import BatchStream
from ledger.books.blotter import Blotter
from ledger.books.own_book import OwnBook
from ledger.books.postings import Register
from ledger.books.projection import Projection
from ledger.domain.participants import Role
from nodes.bus import InProcessBus, UnreachableError
from nodes.desks import take_in
from nodes.entering import enter
from nodes.faults.in_process import InProcessFaults
from nodes.faults.node_faults import NodeFault
from nodes.funding import deposit, withdraw
from nodes.invariants import violations
from nodes.messages import (
    AffirmationRequest,
    CapturedBatch,
    CycleProposal,
    RedemptionRequest,
    SetProposal,
    SignedCycle,
    SignedSet,
    StatementRequest,
)
from nodes.movement import Movement
from tests.support.consortia import DAY, small_consortium, trades_of
from tests.support.instructions import entry_of

VICTIMS = ("A", "B", "C", "BANK-1", "BANK-2", "EXCHANGE", "REGISTRAR")
MESSAGES = (
    AffirmationRequest,
    CapturedBatch,
    CycleProposal,
    SignedCycle,
    SetProposal,
    SignedSet,
    RedemptionRequest,
    StatementRequest,
)
COMMITS = (
    (Blotter, "record"),
    (Blotter, "answer"),
    (Blotter, "promise"),
    (OwnBook, "expect"),
    (OwnBook, "expect_each"),
    (OwnBook, "confirm"),
    (Projection, "apply"),
    (BatchStream, "append_all"),
)
NOON = 12 * 3600
TRADES = (
    (("T1", "A", "B", 10, 100), ("T2", "B", "C", 20, 300), ("T3", "C", "A", 30, 700)),
    (("T4", "A", "C", 7, 200), ("T5", "C", "B", 8, 600)),
)


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of the story: of the n-th message of a kind, or of a call within a node's commit."""

    what: object
    is_after: bool
    call: int = 1

    @property
    def name(self):
        """The point as tests name it."""
        name = self.what.__name__ if isinstance(self.what, type) else self.what[1]
        return f"{'after' if self.is_after else 'before'} {name} {self.call}"


@dataclass
class Killing:
    """Kills a node once."""

    faults: InProcessFaults
    victim: str
    left: int
    is_done: bool = False

    def counts(self):
        """Whether it is now; it never is again."""
        self.left -= 1
        if self.left or self.is_done:
            return False
        self.is_done = True
        return True

    def kill(self):
        """The node is gone."""
        self.faults.inject(NodeFault.KILL, self.victim)


@contextmanager
def armed(killing, point):
    """Kills at a point, if it comes."""
    if isinstance(point.what, type):
        owner, name, wrapped = InProcessBus, "request", _at_message(killing, point)
    else:
        owner, name = point.what
        wrapped = _in_commit(killing, point, getattr(owner, name))
    with patch.object(owner, name, wrapped):
        yield


def _at_message(killing, point):
    original = InProcessBus.request

    def request(bus, sender, recipient, message):
        if not isinstance(message, point.what) or not killing.counts():
            return original(bus, sender, recipient, message)
        answer = original(bus, sender, recipient, message) if point.is_after else None
        killing.kill()
        if killing.victim in (sender, recipient):
            raise UnreachableError(f"{killing.victim} was killed")
        return answer if point.is_after else original(bus, sender, recipient, message)

    return request


def _in_commit(killing, point, original):
    def call(part, *words, **more):
        node = killing.faults._consortium.nodes[killing.victim]
        is_its_own = not killing.is_done and any(part is each for each in _parts(node))
        if not is_its_own or not killing.counts():
            return original(part, *words, **more)
        if point.is_after:
            original(part, *words, **more)
        killing.kill()
        raise UnreachableError(f"{killing.victim} was killed")

    return call


def _parts(node):
    """What of a node's books has commits of its own."""
    with suppress(UnreachableError):
        yield node.projection
        yield node.own_book
        yield getattr(getattr(node, "keeper", None), "book", None)
        yield getattr(node, "blotter", None)
        yield getattr(node, "captured", None)


def play(point=None, victim=None, path=None):
    """Plays the story; a node may be killed at a point, and is begun again at the end.

    Returns what it came to, and whether the point was reached.
    """
    consortium = small_consortium(path=path)
    faults = InProcessFaults(consortium)
    killing = Killing(faults, victim, point.call if point else 0)
    if point:
        with armed(killing, point):
            _steps(consortium)
    else:
        _steps(consortium)
    if victim:
        faults.inject(NodeFault.RESTART, victim)
        assert faults.standing() == []
    # What was signed for a cycle that came to nothing binds until its time has passed.
    consortium.clock.set(DAY, NOON)
    _steps(consortium)
    _steps(consortium)
    outcome = outcome_of(consortium)
    consortium.close()
    return outcome, killing.is_done


def _steps(consortium):
    """What happens, from capture to reconciliation; whatever was refused is tried again later."""
    house = consortium.clearing_house
    for rows in TRADES:
        with suppress(UnreachableError):
            consortium.exchange.capture(str(rows), trades_of(consortium.network, *rows))
        with suppress(UnreachableError):
            take_in(consortium)
        house.net.close()
        house.work()
        consortium.reconcile()
    enter(consortium, entry_of(consortium, "P1", "B", "A", 0, 40))
    house.work()
    deposit(consortium, _movement(consortium, "in", Register.CASH, "A", 500))
    deposit(consortium, _movement(consortium, "in", Register.SECURITIES, "B", 5))
    withdraw(consortium, _movement(consortium, "out", Register.CASH, "C", 50))
    house.work()
    consortium.reconcile()


def _movement(consortium, direction, register, owner, amount):
    name = f"{direction} {register.value} {owner}"
    reference = hashlib.sha256(name.encode()).digest()
    return Movement(reference, register, 1, consortium.network.account_number(owner), amount)


def outcome_of(consortium):
    """What must not depend on who was away: positions by every book, and what became of all."""
    breaks = consortium.reconcile()
    house, network = consortium.clearing_house, consortium.network
    return {
        "breaks": [row.id for node in consortium.nodes.values() for row in node.breaks()],
        "count": breaks,
        "violations": violations(consortium),
        "ledger": {each: list(house.projection.holdings(each)) for each in Register},
        "own": {
            node.id: [_amounts(node.own_book, each) for each in Register]
            for node in consortium.nodes.values()
        },
        "kept": {
            node.id: [_amounts(node.keeper.book, each) for each in Register]
            for node in consortium.nodes.values()
            if network.participant(node.id).role in (Role.BANK, Role.REGISTRAR)
        },
        "states": [
            house.standing_of(place).state for place in range(house.intake.stream.end_position)
        ],
        "instruction": house.desk.get("P1").state,
        "untold": [house.notices.waiting_for(each.id) for each in network.participants],
    }


def _amounts(book, register):
    return {key: amount for key, amount in book.positions(register).as_dict().items() if amount}
