"""The verbs ``instruct`` and ``side``: an instruction of one of three kinds, with its options."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from ledger.domain.identifiers import owner_of, parse_date, parse_participant
from ledger.domain.instructions import Priority
from ledger.settlement.matching import Entitlement
from nodes.clearing_house.side_checks import parse_reference
from nodes.scenario.assets import DEFAULT_CURRENCY, Assets, checked
from nodes.scenario.document import Value
from nodes.scenario.story import InstructEvent, SideEvent
from nodes.scenario.times import second_of_day

PRIORITIES: Final = {priority.name.lower(): priority for priority in Priority}
_OPTIONS: Final = ("priority", "hold", "partial", "expires", "link")
_SIDE_OPTIONS: Final = ("settlement_date", "common_reference", "entitlement")
_KEYS: Final = {
    "dvp": ("id", "kind", "seller", "buyer", "isin", "quantity", "amount"),
    "fop": ("id", "kind", "from", "to", "isin", "quantity"),
    "pay": ("id", "kind", "payer", "payee", "amount"),
}


class _NamesAccounts(Protocol):
    """Reads an account and remembers it."""

    def __call__(self, value: Value) -> str: ...


class InstructReader:
    """Reads instructions. ``account`` reads an account's name and remembers it."""

    def __init__(self, assets: Assets, account: _NamesAccounts) -> None:
        self._assets = assets
        self._account = account
        self._seen: set[str] = set()

    def read(self, value: Value, now: int) -> InstructEvent:
        """An instruction of the second ``now``."""
        return self._terms(value, now)[1]

    def read_side(self, value: Value, now: int) -> SideEvent:
        """One side of an instruction: the instruction, and who enters it."""
        body, terms = self._terms(value, now, ("by",), _SIDE_OPTIONS)
        checked(body["id"], parse_reference)
        if owner_of(terms.deliverer) == owner_of(terms.receiver):
            value.fail("accounts of two participants", owner_of(terms.receiver))
        day, common, entitlement = (body.get(name) for name in _SIDE_OPTIONS)
        words = [each.value for each in Entitlement]
        return SideEvent(
            by=checked(body["by"], parse_participant),
            terms=terms,
            settlement_date=checked(day, parse_date) if day else None,
            common_reference=common.text() if common else "",
            entitlement=Entitlement(entitlement.choice(words)) if entitlement else None,
        )

    def _terms(
        self,
        value: Value,
        now: int,
        required: Sequence[str] = (),
        optional: Sequence[str] = (),
    ) -> tuple[dict[str, Value], InstructEvent]:
        """The same, of a mapping that may have more keys; with the mapping.

        An expiry that has passed already is refused where an id comes first: the same message may
        be delivered again later.
        """
        kinds: Mapping[str, Callable[[dict[str, Value]], dict[str, Any]]] = {
            "dvp": self._dvp,
            "fop": self._free_delivery,
            "pay": self._payment,
        }
        found = dict(value.pairs())
        if "kind" not in found:
            value.fail("the key kind")
        kind = found["kind"].choice(list(kinds))
        options = (*_OPTIONS, "currency") if kind == "pay" else _OPTIONS
        body = value.mapping((*required, *_KEYS[kind]), (*options, *optional))
        id = body["id"].text()
        event = InstructEvent(id=id, **kinds[kind](body), **self._options(body, id))
        if event.expires is not None and event.expires < now and id not in self._seen:
            body["expires"].fail("a time that is not before the present one")
        self._seen.add(id)
        return body, event

    def _dvp(self, body: dict[str, Value]) -> dict[str, Any]:
        isin = self._assets.isin(body["isin"])
        currency = self._assets.currency_of(isin)
        return {
            "deliverer": self._account(body["seller"]),
            "receiver": self._account(body["buyer"]),
            "isin": isin,
            "quantity": self._assets.quantity(body["quantity"]),
            "currency": currency,
            "amount": self._assets.money(body["amount"], currency),
        }

    def _free_delivery(self, body: dict[str, Value]) -> dict[str, Any]:
        return {
            "deliverer": self._account(body["from"]),
            "receiver": self._account(body["to"]),
            "isin": self._assets.isin(body["isin"]),
            "quantity": self._assets.quantity(body["quantity"]),
        }

    def _payment(self, body: dict[str, Value]) -> dict[str, Any]:
        currency = DEFAULT_CURRENCY
        if "currency" in body:
            currency = self._assets.currency(body["currency"])
        amount = self._assets.money(body["amount"], currency)
        if not amount:
            body["amount"].fail("an amount above zero")
        return {
            "deliverer": self._account(body["payee"]),
            "receiver": self._account(body["payer"]),
            "currency": currency,
            "amount": amount,
        }

    def _options(self, body: dict[str, Value], id: str) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if "priority" in body:
            options["priority"] = PRIORITIES[body["priority"].choice(list(PRIORITIES))]
        if "hold" in body:
            options["is_held"] = body["hold"].truth()
        if "partial" in body:
            options["may_be_partial"] = body["partial"].truth()
        if "expires" in body:
            options["expires"] = second_of_day(body["expires"])
        if "link" in body:
            options["linked_to"] = _linked_to(body["link"], id)
        return options


def _linked_to(value: Value, id: str) -> tuple[str, ...]:
    linked = value.mapping(["with"])["with"]
    ids: dict[str, None] = {}
    for each in linked.items():
        if each.text() == id:
            each.fail("the id of another instruction", id)
        ids[each.text()] = None
    if not ids:
        linked.fail("at least one id")
    return tuple(ids)
