"""The network of a new sandbox: three brokers, two banks, six instruments, all funded."""

from datetime import date
from typing import Final

from ledger.domain.amounts import parse_amount
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.participants import Instrument, Participant, Role
from nodes.keys import Key
from nodes.market_day.opening import Opening
from nodes.network import Network
from nodes.validators import DEVELOPER

CURRENCY: Final = "CNY"
BROKERS: Final = ("BRK-A", "BRK-B", "BRK-C")
SYMBOLS: Final = ("NOVA1", "NOVA2", "NOVA3", "NOVA4", "NOVA5", "NOVA6")
OPENING_QUANTITY: Final = 100_000_000
OPENING_CASH: Final = "1000000000.00"


def sandbox_network(seed: str, business_date: date) -> Network:
    """A small consortium with house and client accounts."""
    brokers = [
        Participant("BRK-A", Role.BROKER, "BANK-1", "Broker A"),
        Participant("BRK-B", Role.BROKER, "BANK-2", "Broker B"),
        Participant("BRK-C", Role.BROKER, "BANK-1", "Broker C"),
    ]
    others = [
        Participant("BANK-1", Role.BANK, "BANK-1", "Settlement Bank 1"),
        Participant("BANK-2", Role.BANK, "BANK-2", "Settlement Bank 2"),
        Participant("EXCHANGE", Role.EXCHANGE, None, "Exchange"),
        Participant("CLEARING-HOUSE", Role.CLEARING_HOUSE, None, "Clearing House"),
        Participant("REGISTRAR", Role.REGISTRAR, None, "Registrar"),
    ]
    network = Network(
        seed=seed,
        venue="XNOV",
        business_date=business_date,
        participants=(*brokers, *others),
        instruments=tuple(Instrument(isin_of_symbol(s), s, CURRENCY, s.title()) for s in SYMBOLS),
        currencies=(CURRENCY,),
        accounts=tuple(f"{broker}/client" for broker in BROKERS),
    )
    network.check()
    return network


def developer_key(seed: str) -> Key:
    """The key for transactions of one's own, by JSON-RPC: it belongs to no participant.

    A participant's key would take nonces away from what the participant's node has signed already.
    """
    return Key.of_seed(seed, DEVELOPER)


def sandbox_opening(network: Network) -> Opening:
    """Enough of everything for every trading account."""
    accounts = [account for account in network.account_ids() if account.startswith("BRK-")]
    cash = parse_amount(OPENING_CASH, CURRENCY)
    return Opening(
        securities={(a, i.isin): OPENING_QUANTITY for a in accounts for i in network.instruments},
        cash={(a, CURRENCY): cash for a in accounts},
        is_derived=False,
    )
