"""The verbs of a scenario, read into events."""

from collections.abc import Callable
from typing import Any, Final

from ledger.domain.amounts import AMOUNT_MAX, trade_amount
from ledger.domain.identifiers import owner_of, parse_participant
from ledger.domain.rules import Gridlock
from nodes.faults.node_faults import MILLISECONDS_MAX
from nodes.scenario.assets import DEFAULT_CURRENCY, Assets, checked
from nodes.scenario.document import Value
from nodes.scenario.faults import FAULTS, SHORTAGES, ScenarioFault
from nodes.scenario.instructs import PRIORITIES, InstructReader
from nodes.scenario.story import (
    CancelEvent,
    ClockEvent,
    CycleEvent,
    Event,
    FaultEvent,
    HoldEvent,
    MoveEvent,
    PrioritiseEvent,
    ReinstateEvent,
    ReleaseEvent,
    RepeatEvent,
    ReserveEvent,
    ResolveEvent,
    SettleEvent,
    SilentEvent,
    SuspendEvent,
    TimedEvent,
    TradeEvent,
)
from nodes.scenario.times import DAY_BEGINS, DAY_ENDS, END_OF_DAY, second_not_before

_ALGORITHMS: Final = [each.value for each in Gridlock if each is not Gridlock.OFF]


class EventReader:
    """Reads events and remembers what they name.

    Attributes:
        accounts: every account that an event names.
        shortages: what is missing in the opening positions: where it is said, and how much.
    """

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._instructs = InstructReader(assets, self._account)
        self._now = DAY_BEGINS
        self.accounts: set[str] = set()
        self.shortages: list[tuple[Value, MoveEvent]] = []
        self._verbs: dict[str, Callable[[Value], Event]] = {
            "trade": self._trade,
            "instruct": lambda value: self._instructs.read(value, self._now),
            "side": lambda value: self._instructs.read_side(value, self._now),
            "hold": lambda value: HoldEvent(value.text()),
            "release": lambda value: ReleaseEvent(value.text()),
            "settle": lambda value: SettleEvent(value.text()),
            "cancel": self._cancel,
            "prioritise": self._prioritise,
            "fund": lambda value: self._move(value, 1, is_cash=True),
            "defund": lambda value: self._move(value, -1, is_cash=True),
            "deposit": lambda value: self._move(value, 1, is_cash=False),
            "withdraw": lambda value: self._move(value, -1, is_cash=False),
            "cycle": self._cycle,
            "resolve": lambda value: ResolveEvent(Gridlock(value.choice(_ALGORITHMS))),
            "clock": self._clock,
            "suspend": lambda value: SuspendEvent(_participant(value)),
            "reinstate": lambda value: ReinstateEvent(_participant(value)),
            "silent": lambda value: SilentEvent(_participant(value)),
            "reserve": lambda value: self._reserve(value, 1),
            "unreserve": lambda value: self._reserve(value, -1),
            "repeat": self._repeat,
            "fault": self._fault,
        }

    @property
    def verbs(self) -> tuple[str, ...]:
        """The verbs that there are."""
        return tuple(self._verbs)

    def read(self, events: Value) -> tuple[TimedEvent, ...]:
        """All events, in order; times never go back."""
        read = []
        for entry in events.items():
            found, second = dict(entry.pairs()), None
            if "at" in found:
                self._now = second = second_not_before(found.pop("at"), self._now)
            read.append(TimedEvent(self._event(entry, found), second))
        return tuple(read)

    def _event(self, entry: Value, found: dict[str, Value]) -> Event:
        if len(found) != 1:
            entry.fail("exactly one verb", ", ".join(found))
        verb, body = next(iter(found.items()))
        if verb not in self._verbs:
            body.fail(f"a verb among {', '.join(self._verbs)}", verb)
        return self._verbs[verb](body)

    def _trade(self, value: Value) -> Event:
        body = value.mapping(["id", "isin", "quantity", "price", "seller", "buyer"])
        event = TradeEvent(
            id=body["id"].text(),
            isin=self._assets.isin(body["isin"]),
            quantity=self._assets.quantity(body["quantity"]),
            price=self._assets.price(body["price"]),
            seller=self._account(body["seller"]),
            buyer=self._account(body["buyer"]),
        )
        currency = self._assets.currency_of(event.isin)
        if not 0 < trade_amount(event.quantity, event.price, currency) <= AMOUNT_MAX:
            value.fail(f"quantity times price from one minor unit to {AMOUNT_MAX} of them")
        return event

    def _cancel(self, value: Value) -> Event:
        body = value.mapping(["instruction", "by"])
        return CancelEvent(body["instruction"].text(), owner_of(self._assets.account(body["by"])))

    def _prioritise(self, value: Value) -> Event:
        body = value.mapping(["instruction", "priority", "by"])
        return PrioritiseEvent(
            body["instruction"].text(),
            PRIORITIES[body["priority"].choice(list(PRIORITIES))],
            owner_of(self._assets.account(body["by"])),
        )

    def _cycle(self, value: Value) -> Event:
        value.choice(["close"])
        return CycleEvent()

    def _clock(self, value: Value) -> Event:
        is_end_of_day = value.text() == END_OF_DAY
        self._now = DAY_ENDS if is_end_of_day else second_not_before(value, self._now)
        return ClockEvent(self._now, is_end_of_day)

    def _move(self, value: Value, sign: int, *, is_cash: bool) -> MoveEvent:
        keys = ["account", "amount"] if is_cash else ["account", "isin", "quantity"]
        body = value.mapping(keys, ["currency", "id"] if is_cash else ["id"])
        return MoveEvent(**self._position(body, sign))

    def _reserve(self, value: Value, sign: int) -> Event:
        found = dict(value.pairs())
        is_cash = "isin" not in found and "quantity" not in found
        keys = ["account", "amount"] if is_cash else ["account", "isin", "quantity"]
        body = value.mapping(keys, ["currency", "id"] if is_cash else ["id"])
        return ReserveEvent(**self._position(body, sign))

    def _position(self, body: dict[str, Value], sign: int) -> dict[str, Any]:
        """An amount of what an account holds: cash where no instrument is named."""
        is_cash = "isin" not in body
        if is_cash:
            asset = DEFAULT_CURRENCY
            if "currency" in body:
                asset = self._assets.currency(body["currency"])
            amount = self._assets.money(body["amount"], asset)
            if not amount:
                body["amount"].fail("an amount above zero")
        else:
            asset = self._assets.isin(body["isin"])
            amount = self._assets.quantity(body["quantity"])
        return {
            "id": body["id"].text() if "id" in body else "",
            "account": self._account(body["account"]),
            "asset": asset,
            "is_cash": is_cash,
            "amount": sign * amount,
        }

    def _repeat(self, value: Value) -> Event:
        inner = value.mapping(["event"])["event"]
        event = self._event(inner, dict(inner.pairs()))
        if isinstance(event, FaultEvent | ClockEvent):
            inner.fail("an event that is a message")
        return RepeatEvent(event)

    def _fault(self, value: Value) -> Event:
        found = dict(value.pairs())
        if "at" not in found:
            value.fail("the key at")
        name = found["at"].choice(list(FAULTS))
        form = FAULTS[name]
        body = value.mapping(["at", *form.keys], form.optional)
        if name in SHORTAGES:
            missing = MoveEvent(**self._position(body, 1))
            self.shortages.append((value, missing))
            return FaultEvent(ScenarioFault(name, missing.account))
        trade = body["trade"].text() if "trade" in body else ""
        milliseconds = 0
        if "milliseconds" in body:
            milliseconds = body["milliseconds"].whole_number()
            if not 0 < milliseconds <= MILLISECONDS_MAX:
                body["milliseconds"].fail(f"from 1 to {MILLISECONDS_MAX}", str(milliseconds))
        participant = _participant(body["participant"])
        return FaultEvent(ScenarioFault(name, participant, trade, milliseconds))

    def _account(self, value: Value) -> str:
        account = self._assets.account(value)
        self.accounts.add(account)
        return account


def _participant(value: Value) -> str:
    return checked(value, parse_participant)
