"""Faults that a market day can be given: a broker's desk that gets it wrong, a missing share.

A fault changes what a desk tells its own node, or an opening position; never what the exchange
says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ledger.clearing.columns import Mask, TradeColumns
from ledger.domain.amounts import parse_amount, parse_quantity
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import encode_trade_number, isin_of_symbol, owner_of
from nodes.desks import Feed
from nodes.faults.desk_faults import DeskFault, reported
from nodes.market_day.opening import Opening
from nodes.market_day.survey import is_clearable
from nodes.network import Network
from nodes.trade_files.block import Block
from nodes.trade_files.reader import TradeFile


class FaultName(Enum):
    """What goes wrong."""

    BLOTTER_MISSING = DeskFault.BLOTTER_MISSING.value
    BLOTTER_DUPLICATE = DeskFault.BLOTTER_DUPLICATE.value
    BLOTTER_TERMS = DeskFault.BLOTTER_TERMS.value
    SHORT_SECURITIES = "short-securities"
    SHORT_CASH = "short-cash"


FAULT_FORMS = {
    FaultName.BLOTTER_MISSING: "blotter-missing:PARTICIPANT:SYMBOL:NUMBER",
    FaultName.BLOTTER_DUPLICATE: "blotter-duplicate:PARTICIPANT:SYMBOL:NUMBER",
    FaultName.BLOTTER_TERMS: "blotter-terms:PARTICIPANT:SYMBOL:NUMBER (one unit more)",
    FaultName.SHORT_SECURITIES: "short-securities:ACCOUNT:SYMBOL:UNITS",
    FaultName.SHORT_CASH: "short-cash:ACCOUNT:CURRENCY:AMOUNT",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its name, whom it hits, and what it is about."""

    name: FaultName
    account: str
    asset: str
    value: str

    def __str__(self) -> str:
        return f"{self.name.value}:{self.account}:{self.asset}:{self.value}"

    @property
    def is_of_a_desk(self) -> bool:
        """Whether it changes what a desk reports; otherwise, an opening position."""
        return self.name.value.startswith("blotter-")


def parse_fault(text: str) -> Fault:
    """A fault from its text form. Raises MalformedError with the forms there are."""
    parts = text.split(":")
    names = {name.value: name for name in FaultName}
    if len(parts) != 4 or parts[0] not in names:
        raise MalformedError("a fault: " + " or ".join(FAULT_FORMS.values()), text)
    fault = Fault(names[parts[0]], parts[1], parts[2], parts[3])
    if fault.is_of_a_desk:
        encode_trade_number(fault.value)
    if fault.name is not FaultName.SHORT_CASH:
        isin_of_symbol(fault.asset)
    return fault


def check_faults(file: TradeFile, faults: Sequence[Fault]) -> None:
    """Raises MalformedError for a desk's fault that would hit no trade of the file."""
    missing = {fault for fault in faults if fault.is_of_a_desk}
    blocks = file.blocks() if missing else iter(())
    for block in blocks:
        missing -= {fault for fault in missing if _hits(file, block, fault)}
    for fault in faults:
        if fault in missing:
            raise MalformedError(
                f"a trade of {fault.account} in {fault.asset} with the number {fault.value}"
                " in the trade file",
                str(fault),
            )


def desk_version(network: Network, faults: Sequence[Fault], participant: str, feed: Feed) -> Feed:
    """A participant's trades as its own desk has them."""
    for fault in faults:
        if fault.account == participant and fault.is_of_a_desk:
            feed = _with_fault(network, fault, feed)
    return feed


def with_shortages(opening: Opening, faults: Sequence[Fault]) -> Opening:
    """Opening positions less what the faults take away. Raises MalformedError if they cannot."""
    securities, cash = dict(opening.securities), dict(opening.cash)
    for fault in faults:
        if fault.name is FaultName.SHORT_SECURITIES:
            units = parse_quantity(fault.value)
            _take_away(securities, (fault.account, isin_of_symbol(fault.asset)), units)
        elif fault.name is FaultName.SHORT_CASH:
            amount = parse_amount(fault.value, fault.asset)
            _take_away(cash, (fault.account, fault.asset), amount)
    return replace(opening, securities=securities, cash=cash)


def _take_away(book: dict[tuple[str, str], int], key: tuple[str, str], amount: int) -> None:
    held = book.get(key, 0)
    if not 0 < amount <= held:
        raise MalformedError(
            f"more than zero and at most the opening position of {key[0]} in {key[1]}, {held}",
            amount,
        )
    book[key] = held - amount


def _with_fault(network: Network, fault: Fault, feed: Feed) -> Feed:
    rows = np.flatnonzero(_is_meant(network, fault, feed[1]))
    return reported(DeskFault(fault.name.value), feed, rows)


def _hits(file: TradeFile, block: Block, fault: Fault) -> bool:
    """Whether a block of a trade file has the trade that a desk's fault is about."""
    isin, names = isin_of_symbol(fault.asset), file.instruments.names
    instruments = [i for i, symbol in enumerate(names) if isin_of_symbol(symbol) == isin]
    prefix = file.format.participant_prefix
    accounts = [
        i
        for i, name in enumerate(file.participants.names)
        if owner_of(prefix + name) == fault.account
    ]
    rows = np.isin(block.instruments, instruments) & (block.cancels == 0)
    rows &= block.numbers == encode_trade_number(fault.value)
    rows &= np.isin(block.sellers, accounts) | np.isin(block.buyers, accounts)
    return bool((rows & is_clearable(file.format, block)).any())


def _is_meant(network: Network, fault: Fault, trades: TradeColumns) -> Mask:
    instrument = network.instrument_number(isin_of_symbol(fault.asset))
    meant = (trades.instruments == instrument) & (trades.cancels == 0)
    return np.asarray(meant & (trades.numbers == encode_trade_number(fault.value)))
