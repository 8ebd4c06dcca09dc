"""Which instructions a list shows."""

from collections.abc import Callable
from typing import Final

from api.errors import refuse
from api.instruction_rights import sides_of
from api.instruction_terms import instrument_number
from api.participants import require_participant
from ledger.domain.instructions import Instruction, State
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from ledger.settlement.legs import participants_in
from nodes.clearing_house.desk import InstructionDesk
from nodes.consortium import Consortium

READ_AT_ONCE: Final = 1_000


def instruction_filter(
    consortium: Consortium,
    holder: KeyHolder,
    state: State | None,
    participant: str | None,
    instrument: str | None,
    reason: str | None,
) -> Callable[[Instruction], bool]:
    """Which instructions are wanted. Refuses names of nobody and nothing."""
    number = None
    if participant is not None:
        require_participant(consortium, participant)
        number = consortium.network.participant_number(participant)
    traded = instrument_number(consortium.network, instrument) if instrument else None
    if reason is not None and reason not in Reason.__members__:
        raise refuse(Reason.INVALID, f"reason: expected a name of `novate reasons`, found {reason}")
    why = Reason[reason] if reason else None

    def is_wanted(each: Instruction) -> bool:
        return (
            state in (None, each.state)
            and why in (None, each.reason)
            and (traded is None or (each.quantity > 0 and each.instrument == traded))
            and (number is None or number in participants_in(each))
            and (holder.sees_everything or holder.may_see(*sides_of(consortium, each)))
        )

    return is_wanted


def first_wanted(
    desk: InstructionDesk, arrival: int, count: int, is_wanted: Callable[[Instruction], bool]
) -> list[Instruction]:
    """The first so many that are wanted, from one arrival on."""
    found: list[Instruction] = []
    while len(found) < count:
        read = desk.arrived_since(arrival, READ_AT_ONCE)
        found += filter(is_wanted, read)
        if len(read) < READ_AT_ONCE:
            break
        arrival = read[-1].arrival + 1
    return found[:count]
