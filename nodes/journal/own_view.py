"""An event as one participant may see it: of trades that came together it learns of its own only.

An event of many trades says how many there were, where they stand, and whose they are. To a
participant it says how many of them are its own.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from ledger.books.interface.events import KeptEvent
from nodes.journal.event import Event

OWN_COUNTS: Final = "own_counts"
"""In the data of an event of many trades: how many are whose, by participant."""
_OWN_COUNT: Final = "own_count"
_OF_ALL: Final = frozenset(
    {OWN_COUNTS, "count", "first_position", "last_position", "ranges", "ranges_total"}
)
_MARK: Final = f'"{OWN_COUNTS}":'.encode()


def payload_for(reader: str | None, event: KeptEvent) -> bytes:
    """The event as JSON, as a participant may see it; None is whoever sees everything."""
    if reader is None or _MARK not in event.payload:
        return event.payload
    whole = msgspec.json.decode(event.payload, type=Event)
    counts = whole.data.get(OWN_COUNTS)
    if not isinstance(counts, Mapping):
        return event.payload
    data = {name: value for name, value in whole.data.items() if name not in _OF_ALL}
    data[_OWN_COUNT] = counts.get(reader, 0)
    own = msgspec.structs.replace(whole, subject=reader, participants=[reader], data=data)
    return msgspec.json.encode(own)
