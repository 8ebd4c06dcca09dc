"""Small consortia for tests: three brokers with shares and cash, in memory."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ledger.clearing.columns import TradeColumns
from ledger.domain.identifiers import encode_trade_number, isin_of_symbol
from ledger.domain.participants import Instrument, Participant, Role
from ledger.domain.rules import Rules, SettlementMode
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.desks import DeskVersion, tell_desks
from nodes.engine import Engine
from nodes.founding import open_consortium
from nodes.keys import fresh_seed
from nodes.market_day.opening import Opening
from nodes.network import Network, with_infrastructure
from nodes.opening_positions import issue_opening
from tests.support.engines import engine_under_test

DAY = date(2026, 2, 10)
NET = Rules(settlement=SettlementMode.NET, dvp_model=3)
GROSS = Rules()


def small_network(seed: str = "test") -> Network:
    """Brokers A, B and C at two banks; one instrument, X."""
    founders = [
        Participant("A", Role.BROKER, "BANK-1"),
        Participant("B", Role.BROKER, "BANK-2"),
        Participant("C", Role.BROKER, "BANK-1"),
        Participant("BANK-1", Role.BANK),
        Participant("BANK-2", Role.BANK),
    ]
    return Network(
        seed=seed,
        venue="XNOV",
        business_date=DAY,
        participants=with_infrastructure(founders),
        instruments=(Instrument(isin_of_symbol("X"), "X", "CNY"),),
        currencies=("CNY",),
    )


def small_consortium(
    rules: Rules = NET,
    shares: dict[str, int] | None = None,
    cash: dict[str, int] | None = None,
    path: Path | None = None,
) -> Consortium:
    """A consortium with opening positions (cash in minor units), in memory unless in a folder."""
    engine = engine_under_test()
    network = small_network("test" if engine is None else fresh_seed())
    return consortium_of(network, rules, engine, shares, cash, path)


def consortium_of(
    network: Network,
    rules: Rules,
    engine: Engine | None,
    shares: dict[str, int] | None = None,
    cash: dict[str, int] | None = None,
    path: Path | None = None,
) -> Consortium:
    """A consortium of a network with opening positions, on any engine."""
    consortium = open_consortium(network, rules, SimulatedClock.at(DAY), path, engine)
    isin = network.instruments[0].isin
    shares = {"A": 100, "B": 100, "C": 100} if shares is None else shares
    cash = {"A": 10_000, "B": 10_000, "C": 10_000} if cash is None else cash
    opening = Opening(
        securities={(owner, isin): amount for owner, amount in shares.items()},
        cash={(owner, "CNY"): amount for owner, amount in cash.items()},
        is_derived=False,
    )
    issue_opening(consortium, opening)
    return consortium


def trades_of(network: Network, *rows: tuple[str, str, str, int, int]) -> TradeColumns:
    """Trades of number, seller, buyer, quantity and amount in minor units."""
    return TradeColumns.of_rows(
        [
            [
                DAY.toordinal(),
                1,
                encode_trade_number(number),
                network.account_number(seller),
                network.account_number(buyer),
                quantity,
                amount * 10_000 // quantity,
                1,
                amount,
                0,
                0,
            ]
            for number, seller, buyer, quantity, amount in rows
        ]
    )


def capture(
    consortium: Consortium, trades: TradeColumns, version: DeskVersion | None = None
) -> None:
    """Captures trades, tells the desks (each its version), and has them affirmed."""
    exchange = consortium.exchange
    first = exchange.captured.end_position
    exchange.capture(f"batch {first}", trades)
    end = exchange.captured.end_position
    tell_desks(consortium, np.arange(first, end), exchange.captured.trades(first, end), version)
    exchange.pass_on(first, end)
    consortium.catch_up()


def states(consortium: Consortium) -> list[str]:
    """What has become of every captured trade, in order."""
    house = consortium.clearing_house
    standings = [house.standing_of(p) for p in range(house.intake.stream.end_position)]
    return [f"{s.state} {s.reason.name}" if s.reason else s.state for s in standings]


def answering(
    consortium: Consortium, participant: str, message_type: type, answer: Callable[[Any], Any]
) -> None:
    """Lets a participant answer one kind of message in a way of its own."""
    honest = consortium.nodes[participant].handle

    def handle(sender: str, message: Any) -> Any:
        return answer(message) if isinstance(message, message_type) else honest(sender, message)

    consortium.bus.register(participant, handle)
