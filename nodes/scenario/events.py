"""The verbs of a scenario, read into events."""

import re
from collections.abc import Callable
from typing import Final

from nodes.scenario.assets import DEFAULT_CURRENCY, Assets
from nodes.scenario.document import Value
from nodes.scenario.story import (
    CycleEvent,
    Event,
    InstructEvent,
    MoveEvent,
    RepeatEvent,
    SilentEvent,
    TimedEvent,
    TradeEvent,
)

DAY_BEGINS: Final = 9 * 3600
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)
_NOT_YET: Final = (
    "hold",
    "release",
    "settle",
    "cancel",
    "prioritise",
    "resolve",
    "clock",
    "suspend",
    "reinstate",
    "reserve",
    "unreserve",
    "fault",
)
_INSTRUCT_NOT_YET: Final = ("priority", "hold", "partial", "expires", "link")


class EventReader:
    """Reads events and remembers which accounts they name."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self.accounts: set[str] = set()
        self._verbs: dict[str, Callable[[Value], Event]] = {
            "trade": self._trade,
            "instruct": self._instruct,
            "cycle": self._cycle,
            "fund": lambda value: self._cash(value, 1),
            "defund": lambda value: self._cash(value, -1),
            "deposit": lambda value: self._securities(value, 1),
            "withdraw": lambda value: self._securities(value, -1),
            "silent": lambda value: SilentEvent(self._account(value)),
            "repeat": self._repeat,
        }

    def read(self, events: Value) -> tuple[TimedEvent, ...]:
        """All events, in order; times never go back."""
        read, now = [], DAY_BEGINS
        for entry in events.items():
            found = dict(entry.pairs())
            second = None
            if "at" in found:
                value = found.pop("at")
                second = _second(value)
                if second < now:
                    value.fail("a time that is not before the present one", value.text())
                now = second
            read.append(TimedEvent(self._event(entry, found), second))
        return tuple(read)

    def _event(self, entry: Value, found: dict[str, Value]) -> Event:
        if len(found) != 1:
            entry.fail("exactly one verb", ", ".join(found))
        verb, body = next(iter(found.items()))
        if verb in _NOT_YET:
            body.not_yet(f"the verb {verb}")
        if verb not in self._verbs:
            body.fail(f"a verb among {', '.join([*self._verbs, *_NOT_YET])}", verb)
        return self._verbs[verb](body)

    def _trade(self, value: Value) -> Event:
        body = value.mapping(["id", "isin", "quantity", "price", "seller", "buyer"])
        return TradeEvent(
            id=body["id"].text(),
            isin=self._assets.isin(body["isin"]),
            quantity=self._assets.quantity(body["quantity"]),
            price=self._assets.price(body["price"]),
            seller=self._account(body["seller"]),
            buyer=self._account(body["buyer"]),
        )

    def _instruct(self, value: Value) -> Event:
        kinds: dict[str, Callable[[Value], Event]] = {
            "dvp": self._dvp,
            "fop": self._free_delivery,
            "pay": self._payment,
        }
        found = dict(value.pairs())
        for name in _INSTRUCT_NOT_YET:
            if name in found:
                found[name].not_yet(f"{name} in instruct")
        if "kind" not in found:
            value.fail("the key kind")
        return kinds[found["kind"].choice(list(kinds))](value)

    def _dvp(self, value: Value) -> Event:
        body = value.mapping(["id", "kind", "seller", "buyer", "isin", "quantity", "amount"])
        isin = self._assets.isin(body["isin"])
        currency = self._assets.currency_of(isin)
        return InstructEvent(
            id=body["id"].text(),
            deliverer=self._account(body["seller"]),
            receiver=self._account(body["buyer"]),
            isin=isin,
            quantity=self._assets.quantity(body["quantity"]),
            currency=currency,
            amount=self._assets.money(body["amount"], currency),
        )

    def _free_delivery(self, value: Value) -> Event:
        body = value.mapping(["id", "kind", "from", "to", "isin", "quantity"])
        return InstructEvent(
            id=body["id"].text(),
            deliverer=self._account(body["from"]),
            receiver=self._account(body["to"]),
            isin=self._assets.isin(body["isin"]),
            quantity=self._assets.quantity(body["quantity"]),
            currency="",
            amount=0,
        )

    def _payment(self, value: Value) -> Event:
        body = value.mapping(["id", "kind", "payer", "payee", "amount"], ["currency"])
        currency = self._currency(body)
        return InstructEvent(
            id=body["id"].text(),
            deliverer=self._account(body["payee"]),
            receiver=self._account(body["payer"]),
            isin="",
            quantity=0,
            currency=currency,
            amount=self._assets.money(body["amount"], currency),
        )

    def _cycle(self, value: Value) -> Event:
        value.choice(["close"])
        return CycleEvent()

    def _cash(self, value: Value, sign: int) -> Event:
        body = value.mapping(["account", "amount"], ["currency", "id"])
        currency = self._currency(body)
        amount = self._assets.money(body["amount"], currency)
        return self._move(value, body, currency, sign * amount, is_cash=True)

    def _securities(self, value: Value, sign: int) -> Event:
        body = value.mapping(["account", "isin", "quantity"], ["id"])
        quantity = self._assets.quantity(body["quantity"])
        isin = self._assets.isin(body["isin"])
        return self._move(value, body, isin, sign * quantity, is_cash=False)

    def _move(
        self, value: Value, body: dict[str, Value], asset: str, amount: int, *, is_cash: bool
    ) -> Event:
        account = self._account(body["account"])
        if not amount:
            value.fail("an amount above zero")
        return MoveEvent(body["id"].text() if "id" in body else "", account, asset, is_cash, amount)

    def _repeat(self, value: Value) -> Event:
        body = value.mapping(["event"])
        return RepeatEvent(self._event(body["event"], dict(body["event"].pairs())))

    def _account(self, value: Value) -> str:
        account = self._assets.account(value)
        self.accounts.add(account)
        return account

    def _currency(self, body: dict[str, Value]) -> str:
        return self._assets.currency(body["currency"]) if "currency" in body else DEFAULT_CURRENCY


def _second(value: Value) -> int:
    matched = _TIME.fullmatch(value.text())
    if matched is None:
        value.fail('a quoted time such as "09:30" or "09:30:00"', value.text())
    hours, minutes, seconds = matched.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
