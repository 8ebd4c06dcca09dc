"""The network of a market day: the participants and instruments that its trade file names."""

from ledger.domain.identifiers import isin_of_symbol, owner_of
from ledger.domain.participants import Instrument, Participant, Role
from nodes.market_day.names import BANKS
from nodes.market_day.survey import Survey
from nodes.network import Network, with_infrastructure
from nodes.trade_files.formats import TradeFileFormat


def day_network(survey: Survey, form: TradeFileFormat, seed: str) -> Network:
    """Every participant of the file as a broker, two settlement banks, and the infrastructure."""
    owners = sorted({owner_of(account) for account in survey.accounts}, key=_natural)
    brokers = [Participant(owner, Role.BROKER) for owner in owners]
    banks = [Participant(bank, Role.BANK) for bank in BANKS]
    network = Network(
        seed=seed,
        venue=form.venue,
        business_date=survey.business_date,
        participants=with_infrastructure([*brokers, *banks]),
        instruments=tuple(
            Instrument(isin_of_symbol(symbol), symbol, form.currency)
            for symbol in sorted(survey.symbols)
        ),
        currencies=(form.currency,),
        accounts=tuple(sorted({account for account in survey.accounts if "/" in account})),
    )
    network.check()
    return network


def _natural(text: str) -> tuple[str, int, str]:
    """Orders B3-8 before B3-120."""
    head, _, tail = text.rpartition("-")
    return (head, int(tail), "") if tail.isdigit() else (head, 0, tail)
