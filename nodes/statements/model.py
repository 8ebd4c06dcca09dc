"""Statements as plain data: those that a node makes, and those that it is given.

Positions are like semt.002, movements like semt.017, cash like camt.053.
"""

from dataclasses import dataclass
from enum import Enum

from ledger.books.postings import Register
from ledger.clearing.columns import Column


class StatementKind(Enum):
    """What a statement is of."""

    POSITIONS = "positions"
    MOVEMENTS = "movements"
    CASH = "cash"


@dataclass(frozen=True, slots=True)
class Period:
    """Blocks, both included; None: from the first, to the last. Or the blocks of a business date.

    ``day`` is its ordinal.
    """

    first_block: int | None = None
    last_block: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A line. Amounts are units of a security or minor units of a currency; "" and 0 if unsaid.

    Attributes:
        register: ``securities`` or ``cash``.
        asset: ISIN or currency.
        entry: of a cash statement: ``opening``, ``entry`` or ``closing``.
        amount: the whole position, the change, or the balance.
        date: ISO date of booking.
        cause: the kind of posting.
    """

    account: str
    register: str
    asset: str
    symbol: str
    amount: int
    available: int = 0
    held: int = 0
    entry: str = ""
    block: int = 0
    date: str = ""
    cause: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class StatementRows:
    """A statement that a node makes, in a stable order."""

    participant: str
    kind: StatementKind
    first_block: int
    last_block: int
    rows: tuple[StatementRow, ...]


@dataclass(frozen=True, slots=True)
class GivenStatement:
    """A statement from elsewhere, read and checked; columns have a number for each line.

    Attributes:
        name: by which a corrected one takes its place.
        lines: the line in the file.
        registers: places in ``ledger.books.movements.REGISTERS``.
        amounts: positions, changes or balances.
        closing: 1 for a closing balance of cash, else 0.
        references: of movements and entries; 32 bytes each.
        days: ordinals of dates; None where the file has no dates. ``causes`` likewise.
    """

    name: str
    kind: StatementKind
    first_block: int | None
    last_block: int | None
    lines: Column
    registers: Column
    keys: Column
    amounts: Column
    closing: Column
    references: tuple[bytes, ...]
    days: Column | None = None
    causes: Column | None = None

    def scope(self, register: Register) -> str:
        """With which the ids of its breaks in a register begin: what it says no word of stands."""
        return f"statement:{self.name}:{self.kind.value}:{register.value}:"
