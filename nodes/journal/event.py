"""An event, in the form of CloudEvents 1.0: keys and parameters, never text for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ledger.books.interface.events import TYPE_PREFIX, KeptEvent

SPEC_VERSION: Final = "1.0"
DATA_CONTENT_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What has happened, before it has its number.

    Attributes:
        kind: family and past tense, such as ``trade.settled``.
        subject: what it has happened to, as the interface names it.
        participants: whom it concerns; nobody: it is for all to know.
        node: in whose books it stands; empty: the clearing house's.
    """

    kind: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    participants: frozenset[str] = frozenset()
    node: str = ""
    block: int | None = None
    transaction: bytes | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is told.

    Attributes:
        time: business time at which it was written down.
        chaintime: the same in seconds since 1970, by the clock that stamps blocks.
    """

    specversion: str = SPEC_VERSION
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str = DATA_CONTENT_TYPE
    sequence: int
    chaintime: int
    block: int | None
    transactionhash: str | None
    participants: list[str]
    data: dict[str, Any]


def type_of(kind: str) -> str:
    """The type of an event of a kind, with the version of its data."""
    return f"{TYPE_PREFIX}{kind}.v1"


class _Named(msgspec.Struct):
    id: str


def id_in(event: KeptEvent) -> str:
    """The id of an event on record."""
    return msgspec.json.decode(event.payload, type=_Named).id
