"""Which of the entered sides a list shows, in the order in which they came in."""

from typing import Final

from ledger.books.entered_sides import Entered
from ledger.domain.instructions import State
from nodes.clearing_house.matching_desk import MatchingDesk

READ_AT_ONCE: Final = 1_000


def first_sides(
    desk: MatchingDesk, place: int, count: int, participant: str | None, state: State | None
) -> list[Entered]:
    """The first so many that are wanted, from one place on."""
    found: list[Entered] = []
    while len(found) < count:
        read = desk.entered_since(place, READ_AT_ONCE, participant)
        found += [
            each
            for each in read
            if state is None or desk.state_of(each.participant, each.reference) is state
        ]
        if len(read) < READ_AT_ONCE:
            break
        place = read[-1].place + 1
    return found[:count]
