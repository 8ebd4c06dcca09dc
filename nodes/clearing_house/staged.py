"""A cycle with more lines than one call takes: opened, staged in parts, and settled by a last call.

Every step has an intent of its own, so that after a crash the same steps are gone through again:
those that were sent are looked up, the next one is signed and sent. Until the last one is final
nothing has settled, and when one fails everything that was staged is given back.
"""

from collections.abc import Iterator

from contracts.lines import LINES_PER_CALL_MAX
from contracts.typed_data import CycleMessage
from nodes.engine import Outcome
from nodes.messages import SignedCycle
from nodes.node import Node


def fits_one_call(cycle: CycleMessage) -> bool:
    """Whether a cycle settles in one transaction."""
    return max(cycle.securities_lines.count, cycle.cash_lines.count) <= LINES_PER_CALL_MAX


def settle_staged(house: Node, intent: str, signed: SignedCycle) -> Outcome:
    """Settles a signed cycle part by part; returns what became of the last step that was tried.

    It has settled if that one succeeded; else nothing is left of it on the chain.
    """
    settlement = house.around.contracts.settlement
    for step, data in _steps(house, signed):
        outcome = house.outbox.send(f"{intent}:{step}", settlement.address, data)
        if not outcome.succeeded:
            _abort(house, intent, signed.cycle.id)
            return outcome
    return outcome


def _steps(house: Node, signed: SignedCycle) -> Iterator[tuple[str, bytes]]:
    """The transactions of a cycle, in order, under names that never change."""
    settlement, cycle = house.around.contracts.settlement, signed.cycle
    yield "open", settlement.open_cycle_data(cycle, signed.signatures)
    for part, data in enumerate(settlement.stage_data(cycle), start=1):
        yield f"part {part}", data
    yield "settle", settlement.settle_staged_data(cycle)


def _abort(house: Node, intent: str, cycle_id: bytes) -> None:
    # It is refused when the cycle was never opened, or when somebody has aborted it after its time.
    settlement = house.around.contracts.settlement
    house.outbox.send(f"{intent}:abort", settlement.address, settlement.abort_data(cycle_id))
