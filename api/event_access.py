"""Who may see which events, and which are asked for."""

from typing import Annotated, Final

from fastapi import Depends
from starlette.exceptions import HTTPException

from api.dependencies import AnySandbox, CallingHolder
from api.errors import refuse
from api.fields import EXAMPLE_TRADE
from api.said import in_query
from ledger.books.interface.events import EventFilter, EventStore, KeptEvent
from ledger.domain.reasons import Reason

GONE: Final = 410
_SEQUENCE_DIGITS_MAX: Final = 18


def reader_of(holder: CallingHolder) -> str | None:
    """The participant that a caller reads as; None for whoever sees everything."""
    return None if holder.sees_everything else holder.name


def visible_to(reader: str | None, event: KeptEvent) -> bool:
    """A participant sees what concerns it and what is public; operator and regulator see all."""
    return reader is None or not event.participants or reader in event.participants


def events_of(sandbox: AnySandbox) -> EventStore:
    """The journal's events."""
    return sandbox.journal.events


def wanted_events(
    type: Annotated[
        str | None,
        in_query(
            "A type; the prefix and version may be left out, and * stands for any end.",
            "事件类型；前缀和版本可省略，* 代表任意结尾。",
            "trade.*",
            max_length=80,
        ),
    ] = None,
    subject: Annotated[
        str | None,
        in_query("What they happened to.", "所涉对象。", EXAMPLE_TRADE, max_length=200),
    ] = None,
    participant: Annotated[
        str | None, in_query("Whom they concern.", "所涉参与方。", "BRK-A", max_length=24)
    ] = None,
) -> EventFilter:
    """Which events are asked for."""
    return EventFilter(type=type, subject=subject, participant=participant)


def known_sequence(events: EventStore, given: str, name: str) -> int:
    """A sequence to go on after. Refused when it is none, or when what follows is not kept."""
    is_number = given.isascii() and given.isdigit() and len(given) <= _SEQUENCE_DIGITS_MAX
    if not is_number or int(given) > events.last_sequence:
        expected = f"expected a sequence up to {events.last_sequence}"
        raise refuse(Reason.INVALID, f"{name}: {expected}, found {given[:40]!r}")
    sequence = int(given)
    if 0 < sequence < events.first_sequence - 1:
        oldest = events.first_sequence
        detail = (
            f"{name}: expected {oldest - 1} or later (older events are not kept), found {sequence}"
        )
        raise HTTPException(GONE, detail)
    return sequence


Reader = Annotated[str | None, Depends(reader_of)]
Events = Annotated[EventStore, Depends(events_of)]
Wanted = Annotated[EventFilter, Depends(wanted_events)]
