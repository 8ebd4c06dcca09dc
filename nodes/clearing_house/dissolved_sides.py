"""Telling traders that a side is cancelled, and what it was matched into: kept until they know."""

from collections.abc import Iterable
from typing import Final

import msgspec

from ledger.books.entered_sides import Entered
from nodes.messages import Dissolved
from nodes.node import Node

_NOTICE: Final = "dissolved"


class DissolvedSides:
    """What the matching desk tells of sides that are cancelled."""

    def __init__(self, house: Node) -> None:
        self._house = house
        house.notices.serve(_NOTICE, _dissolved)

    def tell(self, sides: Iterable[Entered]) -> None:
        """Lets the nodes of sides sign nothing more; nothing depends on whether they answer now."""
        notices = self._house.notices
        with self._house.database.transaction() as session:
            for each in sides:
                # Who was asked for again is tried again at once.
                notices.is_back(each.participant)
                reference = msgspec.json.encode((each.reference, each.label)).decode()
                if not notices.waits_for(each.participant, _NOTICE, reference):
                    notices.put(session, [each.participant], _NOTICE, reference)
        notices.work()


def _dissolved(kept: str) -> Dissolved:
    return Dissolved(*msgspec.json.decode(kept, type=tuple[str, str]))
