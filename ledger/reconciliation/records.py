"""Sets of records as columns, and what is compared of them.

A layout says which fields name a record and which are its terms. Trades, positions and movements
have one each. Everything is an int64 column: names are numbers here, as everywhere in the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.columns import Column, Mask, TradeColumns, accounts_of, assets_of
from ledger.domain.breaks import BreakKind

EVERYTHING: Final = int(np.iinfo(np.int64).max)
"""The watermark of a set that says all there is to say."""

NO_CAUSE: Final = 0
ISSUED: Final = 1
REDEEMED: Final = 2
OTHER_CAUSE: Final = 3
"""Causes of a movement, as far as kinds of breaks depend on them."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record, and the kind of a break in which nothing but this field differs.

    Without a kind, records that differ in it have nothing to do with each other.
    """

    name: str
    kind: BreakKind | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What records of one sort consist of.

    Attributes:
        identity: the fields that together name a record.
        terms: what must agree; of several that do not, the first gives the break its kind.
        cause: the term that says whether a movement is an issue or a redemption; may be empty.
    """

    identity: tuple[Field, ...]
    terms: tuple[Field, ...]
    cause: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All fields, those of the identity first."""
        return tuple(field.name for field in (*self.identity, *self.terms))


TRADES: Final = Layout(
    identity=(
        Field("dates", BreakKind.DATE),
        Field("instruments", BreakKind.INSTRUMENT),
        Field("numbers"),
        Field("cancels"),
    ),
    terms=(
        Field("quantities", BreakKind.QUANTITY),
        Field("sellers", BreakKind.ACCOUNT),
        Field("buyers", BreakKind.ACCOUNT),
        Field("prices", BreakKind.AMOUNT),
        Field("currencies", BreakKind.AMOUNT),
        Field("amounts", BreakKind.AMOUNT),
        Field("statuses", BreakKind.STATUS),
    ),
)
SECURITIES_POSITIONS: Final = Layout(
    identity=(Field("assets", BreakKind.INSTRUMENT), Field("accounts", BreakKind.ACCOUNT)),
    terms=(Field("amounts", BreakKind.QUANTITY),),
)
CASH_POSITIONS: Final = Layout(
    identity=(Field("assets", BreakKind.INSTRUMENT), Field("accounts", BreakKind.ACCOUNT)),
    terms=(Field("amounts", BreakKind.AMOUNT),),
)


def _movements(unit: BreakKind) -> Layout:
    return Layout(
        identity=(
            Field("references"),
            Field("assets", BreakKind.INSTRUMENT),
            Field("accounts", BreakKind.ACCOUNT),
        ),
        terms=(
            Field("amounts", unit),
            Field("dates", BreakKind.DATE),
            Field("causes", BreakKind.STATUS),
            Field("statuses", BreakKind.STATUS),
        ),
        cause="causes",
    )


SECURITIES_MOVEMENTS: Final = _movements(BreakKind.QUANTITY)
CASH_MOVEMENTS: Final = _movements(BreakKind.AMOUNT)


@dataclass(frozen=True, slots=True)
class Records:
    """What one side has, in any order.

    Attributes:
        columns: the fields by name, all of the same length.
        made_at: the block (or any other count that grows) at which each record came to be as it is;
            None where nobody knows.
        watermark: the last such count that this side's set speaks of.
    """

    columns: Mapping[str, Column]
    made_at: Column | None = None
    watermark: int = EVERYTHING

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self.columns.values()}
        assert len(lengths) == 1
        assert self.made_at is None or {len(self.made_at)} == lengths

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def table(self, names: Sequence[str]) -> list[Column]:
        """Some of its columns, in this order."""
        return [self.columns[name] for name in names]

    def take(self, rows: Column | Mask) -> "Records":
        """Some of its rows."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Records(
            columns, None if self.made_at is None else self.made_at[rows], self.watermark
        )

    @staticmethod
    def of_trades(trades: TradeColumns, statuses: Column) -> "Records":
        """Trades, each with what has become of it. Times of day are nobody's concern."""
        columns = trades.columns()
        del columns["times"]
        cancels = (trades.cancels > 0).astype(np.int64)
        return Records({**columns, "cancels": cancels, "statuses": statuses})

    @staticmethod
    def of_positions(keys: Column, amounts: Column) -> "Records":
        """Positions by holding key; one of nothing is the same as none."""
        some = amounts != 0
        keys = keys[some]
        return Records(
            {"assets": assets_of(keys), "accounts": accounts_of(keys), "amounts": amounts[some]}
        )
