"""Trades as columns: one int64 array a field, so that a million trades are a dozen numpy calls.

Participants, accounts, instruments and currencies are numbers here, as on the chain. A holding's
key is asset times 2**32 plus account; keys order lines everywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.domain.accounts import ACCOUNT_BITS, ACCOUNT_MASK, SUB_ACCOUNT_BITS

_RADIX_BITS: Final = 16
_RADIX_MASK: Final = (1 << _RADIX_BITS) - 1

Column = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Locked-in trades in order of capture. All columns have the same length.

    Attributes:
        dates: trade date, as the proleptic ordinal of the day.
        instruments: number of the instrument in the securities register.
        numbers: the venue's identifier, encoded (ledger.domain.identifiers).
        sellers: number of the delivering account.
        buyers: number of the receiving account.
        quantities: units, above zero.
        prices: millionths of the currency unit.
        currencies: number of the currency in the cash register.
        amounts: minor units that the buyer owes.
        times: milliseconds since midnight, local to the venue.
        cancels: above 0 when the row cancels the earlier trade of the same identity, else 0; the
            exchange captures one more than the position of the trade that is cancelled.
    """

    dates: Column
    instruments: Column
    numbers: Column
    sellers: Column
    buyers: Column
    quantities: Column
    prices: Column
    currencies: Column
    amounts: Column
    times: Column
    cancels: Column

    def __post_init__(self) -> None:
        assert len({len(column) for column in self.columns().values()}) == 1

    def __len__(self) -> int:
        return len(self.numbers)

    def columns(self) -> dict[str, Column]:
        """The columns by name, in a fixed order."""
        return {name: getattr(self, name) for name in COLUMN_NAMES}

    def take(self, rows: Column | Mask | slice) -> "TradeColumns":
        """Some of the trades: by positions, by mask, or a range."""
        return TradeColumns(*(column[rows] for column in self.columns().values()))

    def as_delivered(self) -> "TradeColumns":
        """The trades as they are cleared: a cancellation is the opposite of the trade it undoes."""
        undone = self.cancels > 0
        if not undone.any():
            return self
        return replace(
            self,
            sellers=np.where(undone, self.buyers, self.sellers),
            buyers=np.where(undone, self.sellers, self.buyers),
        )

    @staticmethod
    def of_rows(rows: Iterable[Sequence[int]]) -> "TradeColumns":
        """Columns of rows given field by field in the order of the columns."""
        table = np.array(list(rows), dtype=np.int64).reshape(-1, len(COLUMN_NAMES))
        return TradeColumns(*np.ascontiguousarray(table.T))

    @staticmethod
    def concatenate(parts: Sequence["TradeColumns"]) -> "TradeColumns":
        """All trades of several columns, one after another."""
        if not parts:
            return TradeColumns.of_rows([])
        return TradeColumns(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in COLUMN_NAMES)
        )


COLUMN_NAMES: Final = tuple(field.name for field in fields(TradeColumns))


def stable_order(numbers: Column, bound: int) -> Column:
    """The order that sorts numbers of [0, bound), equal ones as they stand.

    A radix sort, sixteen bits at a time: for few different numbers many times faster than others.
    """
    order: Column = np.argsort((numbers & _RADIX_MASK).astype(np.uint16), kind="stable")
    for shift in range(_RADIX_BITS, max(bound - 1, 1).bit_length(), _RADIX_BITS):
        upper = (numbers[order] >> shift) & _RADIX_MASK
        order = order[np.argsort(upper.astype(np.uint16), kind="stable")]
    return order


def holding_keys(assets: Column, accounts: Column) -> Column:
    """Where holdings are kept: asset and account in one number."""
    return (assets << ACCOUNT_BITS) | accounts


def accounts_of(keys: Column) -> Column:
    """The accounts in holding keys."""
    return keys & ACCOUNT_MASK


def assets_of(keys: Column) -> Column:
    """The assets in holding keys."""
    return keys >> ACCOUNT_BITS


def participants_of(accounts: Column) -> Column:
    """The participants that accounts belong to."""
    return accounts >> SUB_ACCOUNT_BITS


def are_of(participant: int, trades: TradeColumns) -> Mask:
    """Which trades a participant is a side of."""
    sells: Mask = participants_of(trades.sellers) == participant
    side: Mask = sells | (participants_of(trades.buyers) == participant)
    return side
