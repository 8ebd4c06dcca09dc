"""A desk that may be killed at a point and run on: an instruction, a part, a set, and the rest."""

from dataclasses import dataclass

from ledger.books.postings import Register
from ledger.domain.instructions import Instruction
from ledger.domain.rules import Gridlock, Rules
from ledger.settlement.legs import Pot, PotKind
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.state_hash import state_hash
from tests.support.consortia import DAY, consortium_of, small_network
from tests.support.kill_points import arm
from tests.support.orders import balances, enter, give

RULES = Rules(partial=True, partial_minimum_cash_share=1, gridlock=Gridlock.FIFO)
SHARES, CASH = {"A": 100, "B": 100, "C": 100}, {"A": 1_000, "B": 1_000, "C": 1_000}
LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it has come to."""

    state_hash: str
    instructions: list[Instruction]
    balances: dict[Register, dict[str, int]]
    headroom: int
    transactions: list[bytes]


def found(folder):
    """Makes a folder in which nothing has been entered."""
    consortium_of(small_network(), RULES, None, SHARES, CASH, path=folder).close()


def run(folder, points=()):
    """Enters and settles what is left; dies at the first of the points, if there are any."""
    consortium = open_consortium(small_network(), RULES, SimulatedClock.at(DAY), folder)
    for point in points:
        arm(point)
    desk, account = consortium.clearing_house.desk, consortium.network.account_number
    desk.work()
    pot = Pot(PotKind.LIMIT, 1, account("A"))
    if pot not in desk.book.limits.all():
        desk.book.set_limit(pot, LIMIT)

    _enter(consortium, "WHOLE", "A", "B", 10, 100)
    desk.work()
    _enter(consortium, "PART", "A", "C", 120, 241, may_be_partial=True)
    desk.work()
    for payer, payee in ("AB", "BC", "CA"):
        _enter(consortium, f"RING-{payer}", payee, payer, 0, 20_000)
    desk.work()
    # The same reference again issues nothing more.
    give(consortium, "A", Register.SECURITIES, 30, "more")
    desk.work()

    consortium.catch_up()
    assert consortium.reconcile() == 0
    assert violations(consortium) == []
    store = consortium.chain.store
    outcome = Outcome(
        state_hash=state_hash(consortium),
        instructions=desk.instructions(),
        balances=balances(consortium),
        headroom=desk.book.limits.headroom(pot),
        transactions=[
            included.transaction.hash
            for height in range(1, consortium.chain.head.number + 1)
            for included in store.transactions_of(height)
        ],
    )
    consortium.close()
    return outcome


def die(folder, points):
    """Runs until it is killed: to be run in a process of its own."""
    run(folder, points)


def _enter(consortium, *words, **more):
    assert enter(consortium, *words, **more) is None
