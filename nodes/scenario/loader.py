"""From a scenario file to a story. Every fault is found before anything is run."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_name, owner_of, parse_date, parse_participant
from ledger.domain.participants import Instrument, Participant, Role
from ledger.domain.rules import QueueOrder, Rules, SettlementMode
from nodes.network import INFRASTRUCTURE, Network, with_infrastructure
from nodes.scenario.assets import CURRENCIES, DEFAULT_CURRENCY, Assets, Position, checked
from nodes.scenario.document import Value, read_document
from nodes.scenario.events import EventReader
from nodes.scenario.expected import read_expectations
from nodes.scenario.story import Story

DEFAULT_DATE: Final = date(2026, 2, 10)
VENUE: Final = "XNOV"
DEFAULT_IDS: Final = {**INFRASTRUCTURE, Role.BANK: "BANK"}
_KEYS: Final = (
    "title",
    "source",
    "business_date",
    "calendar",
    "rules",
    "participants",
    "instruments",
    "opening",
    "events",
    "expect",
)
_RULES: Final = {
    "settlement": ("gross", "net"),
    "dvp_model": ("1", "2", "3"),
    "auto_settle": ("true", "false"),
    "queue": ("fifo", "bypass"),
    "gridlock": ("off", "fifo", "bypass", "optimum"),
    "partial": ("off", "on"),
    "expiry_default": ("end_of_day",),
    "rounding": ("half_up",),
}
_RULES_NOT_YET: Final = {
    "dvp_model": ("2",),
    "auto_settle": ("false",),
    "gridlock": ("fifo", "bypass", "optimum"),
    "partial": ("on",),
}


def load_story(file: Path) -> Story:
    """The story in a file. Raises ScenarioError, or FileNotFoundError."""
    document = read_document(file)
    keys = document.mapping(["scenario"], _KEYS)
    instruments = _instruments(keys.get("instruments"))
    assets = Assets({instrument.symbol: instrument for instrument in instruments})
    cash, securities = _opening(keys.get("opening"), assets)
    rules = _rules(keys.get("rules"))
    reader = EventReader(assets)
    events = reader.read(keys["events"]) if "events" in keys else ()
    network = _network(
        day=checked(keys["business_date"], parse_date) if "business_date" in keys else DEFAULT_DATE,
        participants=_participants(keys.get("participants")),
        instruments=instruments,
        accounts={account for account, _ in [*cash, *securities]} | reader.accounts,
        document=document,
    )
    _check_opening(keys.get("opening"), network, [*cash, *securities])
    return Story(
        name=keys["scenario"].text(),
        title=keys["title"].text() if "title" in keys else "",
        business_date=network.business_date,
        rules=rules,
        network=network,
        name_by_isin={instrument.isin: instrument.symbol for instrument in instruments},
        opening_cash=cash,
        opening_securities=securities,
        events=events,
        expectations=read_expectations(keys.get("expect"), assets),
    )


def _instruments(value: Value | None) -> list[Instrument]:
    optional = ("name", "currency", "unit", "minimum_lot", "settlement_unit", "price", "liquid")
    instruments = []
    for entry in value.items() if value else []:
        body = entry.mapping(["isin"], optional)
        symbol = body["isin"].text()
        instruments.append(
            Instrument(
                isin=checked(body["isin"], isin_of_name),
                symbol=symbol,
                currency=(
                    body["currency"].choice(CURRENCIES) if "currency" in body else DEFAULT_CURRENCY
                ),
                name=body["name"].text() if "name" in body else symbol,
            )
        )
    return instruments


def _participants(value: Value | None) -> list[Participant]:
    participants = []
    for entry in value.items() if value else []:
        body = entry.mapping(["id", "role"], ["settlement_bank"])
        bank = body.get("settlement_bank")
        participants.append(
            Participant(
                id=checked(body["id"], parse_participant),
                role=Role(body["role"].choice([role.value for role in Role])),
                settlement_bank=checked(bank, parse_participant) if bank else None,
            )
        )
    return participants


def _opening(
    value: Value | None, assets: Assets
) -> tuple[dict[Position, int], dict[Position, int]]:
    body = value.mapping([], ["cash", "securities"]) if value else {}
    cash = assets.cash_positions(body["cash"], assets.money) if "cash" in body else {}
    securities = (
        assets.securities_positions(body["securities"], assets.units)
        if "securities" in body
        else {}
    )
    return cash, securities


def _rules(value: Value | None) -> Rules:
    chosen = {}
    for name, each in value.pairs() if value else ():
        if name == "partial_minimum_cash":
            each.not_yet("the rule partial_minimum_cash")
        if name not in _RULES:
            each.fail(f"a rule among {', '.join(_RULES)}", name)
        chosen[name] = each.choice(_RULES[name])
        if chosen[name] in _RULES_NOT_YET.get(name, ()):
            each.not_yet(f"{name}: {chosen[name]}")
    mode = SettlementMode(chosen.get("settlement", "gross"))
    default_model = "1" if mode is SettlementMode.GROSS else "3"
    model = int(chosen.get("dvp_model", default_model))
    if value and (model == 1) != (mode is SettlementMode.GROSS):
        value.fail("dvp_model 1 with settlement gross, 2 or 3 with net", str(model))
    return Rules(settlement=mode, dvp_model=model, queue=QueueOrder(chosen.get("queue", "fifo")))


def _network(
    *,
    day: date,
    participants: list[Participant],
    instruments: list[Instrument],
    accounts: Iterable[str],
    document: Value,
) -> Network:
    known = {participant.id for participant in participants}
    others = sorted({i.currency for i in instruments} - {DEFAULT_CURRENCY})
    network = Network(
        seed="novate scenario",
        venue=VENUE,
        business_date=day,
        participants=with_infrastructure(participants, DEFAULT_IDS),
        instruments=tuple(instruments),
        currencies=(
            DEFAULT_CURRENCY,
            *others,
            *(c for c in CURRENCIES if c not in {DEFAULT_CURRENCY, *others}),
        ),
        accounts=tuple(sorted(a for a in accounts if "/" in a and owner_of(a) in known)),
    )
    try:
        network.check()
    except MalformedError as error:
        document.fail(error.expected, str(error.found))
    return network


def _check_opening(value: Value | None, network: Network, positions: list[Position]) -> None:
    known = {account for account in network.account_ids() if network.trades(account)}
    for account, _ in positions:
        if account not in known and value is not None:
            value.fail("accounts of brokers and banks of the story", account)
