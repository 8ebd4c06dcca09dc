"""Stand-ins for counterparties: what a participant's desk does by itself when others enter sides.

A team that tests its own side alone has the other side entered for it: the same, or one that
differs. Everything goes through the stand-in's own node, as if its people had done it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Final

import msgspec

from ledger.settlement.matching import Side
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.kept_choices import KeptChoices
from nodes.messages import Allegement

STUBS_FILE: Final = "stubs.json"
AFTER_SECONDS_MAX: Final = 7 * 86_400
_AMOUNT_APART: Final = 100_000_000
"""Minor units: beyond any tolerance of matching."""


class Behaviour(Enum):
    """What a stand-in does with a side that lacks its own."""

    MATCH = "match"
    DIFFER = "differ"


class Stub(msgspec.Struct, frozen=True, kw_only=True):
    """How one participant is stood in for.

    Attributes:
        after_seconds: of business time, from when the other side is first seen.
    """

    behaviour: Behaviour
    after_seconds: int = 0


class Stubs:
    """The stand-ins of a sandbox; whoever calls holds its lock."""

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium
        file = consortium.path / STUBS_FILE if consortium.path else None
        self._stubs = KeptChoices(file, msgspec.json.Decoder(dict[str, Stub]))
        self._seen: dict[tuple[str, str, str], int] = {}
        self._answered: set[tuple[str, str, str]] = set()

    def all(self) -> Mapping[str, Stub]:
        """Who is stood in for, and how."""
        return self._stubs.all()

    def put(self, participant: str, stub: Stub | None) -> None:
        """Stands in for a participant from now on, or no more; on disk when this returns."""
        self._stubs.put(participant, stub)

    def answer(self) -> int:
        """Enters what is due; returns how many sides that were."""
        return sum(
            self._answer_for(participant, stub) for participant, stub in self._stubs.all().items()
        )

    def _answer_for(self, participant: str, stub: Stub) -> int:
        now = int(self._consortium.clock.business_time().timestamp())
        entered = 0
        try:
            trader = self._consortium.trader(participant)
            for each in trader.sides.allegements().sides:
                place = (participant, each.side.owner, each.reference)
                first_seen = self._seen.setdefault(place, now)
                if place in self._answered or now < first_seen + stub.after_seconds:
                    continue
                trader.sides.enter(_reference(place), _own_side(participant, each, stub))
                self._answered.add(place)
                entered += 1
        except UnreachableError:
            # Its node is away: it answers when it is back.
            return entered
        return entered


def _reference(place: tuple[str, str, str]) -> str:
    """The same for the same side of the other one, so that it is entered once."""
    return "STUB-" + hashlib.sha256("|".join(place).encode()).hexdigest()[:12].upper()


def _own_side(participant: str, alleged: Allegement, stub: Stub) -> Side:
    """The other half of an alleged side."""
    side = alleged.side
    own = replace(
        side,
        is_deliverer=not side.is_deliverer,
        deliverer_account=side.deliverer_account or side.deliverer,
        receiver_account=side.receiver_account or side.receiver,
    )
    assert own.owner == participant, "allegements are to the one who asks"
    if stub.behaviour is Behaviour.MATCH:
        return own
    if own.quantity:
        return replace(own, quantity=own.quantity + 1)
    return replace(own, amount=own.amount + _AMOUNT_APART)
