"""A cycle with more lines than one call takes: opened, staged in parts, and settled by a last call.

All its transactions are signed and kept together with the cycle, each under an intent of its own,
and sent one behind the other without waiting. After a crash the same bytes are looked up or sent
again. Until the last one is final nothing has settled; when one fails, so do those behind it, and
what was staged is given back.
"""

from collections.abc import Iterator

from contracts.lines import parts_of
from contracts.typed_data import CycleMessage
from ledger.books.database import UnitOfWork
from nodes.engine import Outcome
from nodes.messages import SignedCycle
from nodes.node import Node


def fits_one_call(cycle: CycleMessage) -> bool:
    """Whether a cycle settles in one transaction. One whose securities are gross always does."""
    return cycle.is_gross or all(
        len(parts_of(lines)) <= 1 for lines in (cycle.securities_lines, cycle.cash_lines)
    )


def intents_of(intent: str, signed: SignedCycle) -> list[str]:
    """Under which intents the transactions of a cycle are kept, in order."""
    return [intent] if fits_one_call(signed.cycle) else _steps(intent, signed)


def put_staged(house: Node, session: UnitOfWork, intent: str, signed: SignedCycle) -> None:
    """Puts the transactions of a signed cycle into a unit of work."""
    settlement = house.around.contracts.settlement
    for step, data in zip(_steps(intent, signed), _calls(house, signed), strict=True):
        house.outbox.put(session, step, settlement.address, data)


def deliver_staged(house: Node, intent: str, signed: SignedCycle) -> Outcome:
    """Sends a cycle that ``put_staged`` has kept; returns what became of it.

    It has settled if that succeeded; else nothing of it is left on the chain.
    """
    steps = _steps(intent, signed)
    house.outbox.announce(steps)
    outcomes = [house.outbox.deliver(step) for step in steps]
    if not outcomes[-1].succeeded:
        _abort(house, intent, signed.cycle.id)
    return next((each for each in outcomes if not each.succeeded), outcomes[-1])


def _steps(intent: str, signed: SignedCycle) -> list[str]:
    """The intents of a cycle's transactions, in order."""
    cycle = signed.cycle
    parts = len(parts_of(cycle.securities_lines)) + len(parts_of(cycle.cash_lines))
    return [f"{intent}:open", *(f"{intent}:part {i + 1}" for i in range(parts)), f"{intent}:settle"]


def _calls(house: Node, signed: SignedCycle) -> Iterator[bytes]:
    settlement, cycle = house.around.contracts.settlement, signed.cycle
    yield settlement.open_cycle_data(cycle, signed.signatures)
    yield from settlement.stage_data(cycle)
    yield settlement.settle_staged_data(cycle)


def _abort(house: Node, intent: str, cycle_id: bytes) -> None:
    # It is refused when the cycle was never opened, or when somebody has aborted it after its time.
    settlement = house.around.contracts.settlement
    house.outbox.send(f"{intent}:abort", settlement.address, settlement.abort_data(cycle_id))
