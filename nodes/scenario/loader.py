"""From a scenario file to a story. Every fault is found before anything is run."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final

from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_name, owner_of, parse_date, parse_participant
from ledger.domain.participants import Instrument, Participant, Role, Unit
from nodes.network import INFRASTRUCTURE, Network, with_infrastructure
from nodes.scenario.assets import CURRENCIES, DEFAULT_CURRENCY, Assets, Position, checked
from nodes.scenario.document import Value, read_document
from nodes.scenario.events import EventReader
from nodes.scenario.expected import read_expectations
from nodes.scenario.rulebook import read_rules
from nodes.scenario.story import MoveEvent, Story

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


def load_story(file: Path) -> Story:
    """The story in a file. Raises ScenarioError, or FileNotFoundError."""
    return story_of(read_document(file))


def story_of(document: Value) -> Story:
    """The story in a document. Raises ScenarioError."""
    keys = document.mapping(["scenario"], _KEYS)
    instruments = _instruments(keys.get("instruments"))
    participants = with_infrastructure(_participants(keys.get("participants")), DEFAULT_IDS)
    assets = Assets(
        {instrument.symbol: instrument for instrument in instruments},
        {participant.id for participant in participants},
    )
    cash, securities = _opening(keys.get("opening"), assets)
    rules = read_rules(keys.get("rules"), assets)
    reader = EventReader(assets)
    events = reader.read(keys["events"]) if "events" in keys else ()
    if "calendar" in keys:
        keys["calendar"].text()
    network = _network(
        day=checked(keys["business_date"], parse_date) if "business_date" in keys else DEFAULT_DATE,
        participants=participants,
        instruments=instruments,
        accounts={account for account, _ in [*cash, *securities]} | reader.accounts,
        document=document,
    )
    _check_opening(keys.get("opening"), network, [*cash, *securities])
    for value, missing in reader.shortages:
        _take_away(value, cash if missing.is_cash else securities, missing)
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
    instruments: list[Instrument] = []
    assets = Assets({})
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
                **_counted(body, assets),
            )
        )
    return instruments


def _counted(body: dict[str, Value], assets: Assets) -> dict[str, Any]:
    """How an instrument is counted. Price and liquidity are checked; no rule uses them yet."""
    if "price" in body:
        assets.price(body["price"])
    if "liquid" in body:
        body["liquid"].truth()
    counted: dict[str, Any] = {
        name: assets.quantity(body[name])
        for name in ("minimum_lot", "settlement_unit")
        if name in body
    }
    if "unit" in body:
        counted["unit"] = Unit(body["unit"].choice([unit.value for unit in Unit]))
    return counted


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


def _network(
    *,
    day: date,
    participants: tuple[Participant, ...],
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
        participants=participants,
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


def _take_away(value: Value, book: dict[Position, int], missing: MoveEvent) -> None:
    """Takes away from an opening position what a fault says is missing."""
    position = missing.account, missing.asset
    if missing.amount > book.get(position, 0):
        value.fail(f"at most the opening position of {missing.account}")
    book[position] -= missing.amount


def _check_opening(value: Value | None, network: Network, positions: list[Position]) -> None:
    known = {account for account in network.account_ids() if network.trades(account)}
    for account, _ in positions:
        if account not in known and value is not None:
            value.fail("accounts of brokers and banks of the story", account)
