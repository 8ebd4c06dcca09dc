"""What is sent: good messages, such as were sent before, and such as must be refused.

A message sent again must be answered the same; a bad one must be refused with the right reason.
Both are counted apart from what is to settle.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final

from loadtests.arrow import ARROW_STREAM, arrow_stream
from loadtests.counting import Register
from loadtests.profile import Batches, Mix
from loadtests.trades import NewTrade, TradeMaker

JSON: Final = "application/json"
ONE: Final = "/v1/trades"
BATCH: Final = "/v1/trades:batch"


class Kind(Enum):
    """What is expected of the answer."""

    GOOD = "good"
    DUPLICATE = "duplicate"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Message:
    """A request.

    Attributes:
        first: the place of its first trade; of a bad one, of none.
        reason: why a bad one must be refused.
        name: what the request is called in figures.
    """

    kind: Kind
    path: str
    content_type: str
    body: bytes
    first: int
    count: int
    name: str
    reason: str = ""


Spoil = Callable[[NewTrade, NewTrade | None], NewTrade]


def _with(**changes: str) -> Spoil:
    return lambda trade, _: trade | changes


def _contradicting(trade: NewTrade, known: NewTrade | None) -> NewTrade:
    """A known number with other terms; while none is known, no such account."""
    if known is None:
        return trade | {"buyer": "NOBODY"}
    return known | {"quantity": str(int(known["quantity"]) + 1)}


BAD: Final[Mapping[str, tuple[str, Spoil]]] = {
    "unknown instrument": ("UNKNOWN", _with(instrument="NOVA9")),
    "unknown account": ("UNKNOWN", _with(seller="BRK-Z")),
    "price below zero": ("INVALID", _with(price="-1.00")),
    "quantity zero": ("INVALID", _with(quantity="0")),
    "no trader": ("INVALID", _with(buyer="REGISTRAR")),
    "other terms": ("DUPLICATE", _contradicting),
}
"""What can be wrong with a trade, the reason it is refused for, and how a good one is spoilt."""
_STATUS: Final = {"UNKNOWN": 404, "INVALID": 422, "DUPLICATE": 409}


def is_refused_rightly(message: Message, status: int, answer: Mapping[str, Any]) -> bool:
    """Whether a bad message was refused for the reason it should be."""
    return status == _STATUS[message.reason] and answer.get("reason") == message.reason


@dataclass(slots=True)
class MessageMaker:
    """Makes one generator's messages in order; registers the trades of good ones.

    ``trade_date`` is the network's business date, which an Arrow batch has to name.
    """

    trades: TradeMaker
    register: Register
    mix: Mix
    batches: Batches
    trade_date: date
    chance: random.Random = field(init=False)
    _bad_made: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.trades.seed}|{self.trades.prefix}")

    def next(self, size: int, intended: float) -> Message:
        """A message of so many trades that is intended at a moment."""
        drawn = self.chance.random()
        if drawn < self.mix.bad:
            return self._bad()
        if drawn < self.mix.bad + self.mix.duplicate:
            sent = self.register.some_answered(self.chance)
            if sent is not None:
                return self._good(Kind.DUPLICATE, *sent)
        first = self.register.take(size, intended)
        return self._good(Kind.GOOD, first, size)

    def _good(self, kind: Kind, first: int, size: int) -> Message:
        """The same whenever it is made of the same trades."""
        trades = [self.trades.trade(first + place) for place in range(size)]
        if size == 1:
            name = f"POST {ONE}"
            return Message(kind, ONE, JSON, _json(trades[0]), first, 1, name)
        # Which form follows from the place, so that a duplicate has the same.
        if random.Random(first).random() < self.batches.arrow:
            body, form, name = arrow_stream(trades, self.trade_date), ARROW_STREAM, "Arrow"
        else:
            body, form, name = _json(trades), JSON, "JSON"
        return Message(kind, BATCH, form, body, first, size, f"POST {BATCH} {name}")

    def _bad(self) -> Message:
        what = self.chance.choice(list(BAD))
        reason, spoil = BAD[what]
        # Numbers of bad trades are from the end: were one captured, it would be seen.
        self._bad_made += 1
        trade = self.trades.trade(BAD_FIRST + self._bad_made)
        sent = self.register.some_answered(self.chance)
        known = None if sent is None else self.trades.trade(sent[0])
        if what == "other terms" and known is None:
            reason = "UNKNOWN"
        body = _json(spoil(trade, known))
        return Message(Kind.BAD, ONE, JSON, body, -1, 1, f"POST {ONE} (bad)", reason)


BAD_FIRST: Final = 9_000_000
"""Places from here on are of trades that must not be captured."""


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
