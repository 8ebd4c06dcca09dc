"""Three versions of a market's records, and breaks planted in them at seeded places.

Every version has its own order of rows. A planted break changes one version alone; what must be
found of it is known beforehand: its kind, who stands alone, and which records it is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ledger.clearing.columns import Column
from ledger.domain.accounts import account_number
from ledger.domain.breaks import BreakKind
from ledger.reconciliation.codes import NOBODY
from ledger.reconciliation.records import (
    CASH_MOVEMENTS,
    CASH_POSITIONS,
    ISSUED,
    OTHER_CAUSE,
    REDEEMED,
    SECURITIES_MOVEMENTS,
    SECURITIES_POSITIONS,
    TRADES,
    Layout,
    Records,
)
from ledger.reconciliation.three_way import Dissenter

PARTICIPANTS: Final = 100
ACCOUNTS_EACH: Final = 8
INSTRUMENTS: Final = 500
WATERMARK: Final = 100_000
FIRST_DAY: Final = 739_577
DAYS: Final = 3
VERSIONS: Final = (Dissenter.OURS, Dissenter.LEDGER, Dissenter.STATEMENT)

Found = tuple[str, int, int, int, BreakKind, Dissenter]
"""Which set, the number of the record in each version or NOBODY, the kind, who stands alone."""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One sort of records as three sides have them; ``numbers`` say which record each row is."""

    name: str
    layout: Layout
    versions: tuple[Records, Records, Records]
    numbers: tuple[Column, Column, Column]


@dataclass(slots=True)
class _Changes:
    """What is changed in one version."""

    cells: list[tuple[int, str, int]] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    added: list[tuple[int, dict[str, int]]] = field(default_factory=list)


class Market:
    """The records of a made market, and what is planted in them."""

    def __init__(self, records: int, planted: int, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._columns = self._make(records)
        self._changes = {
            name: {version: _Changes() for version in VERSIONS} for name in self._columns
        }
        self._free = {
            name: iter(self._chance.permutation(len(columns["made_at"])).tolist())
            for name, columns in self._columns.items()
        }
        self.planted: set[Found] = set()
        kinds = list(BreakKind)
        for turn in range(planted):
            self._plant(kinds[turn % len(kinds)], turn)

    def sets(self) -> list[RecordSet]:
        """All sets, each in three versions of different order."""
        return [self._set(name) for name in self._columns]

    def _make(self, records: int) -> dict[str, dict[str, Column]]:
        positions = records // 20
        movements = records * 3 // 20
        trades = records - 2 * (positions + movements)
        return {
            "trades": self._trades(trades),
            "securities positions": self._positions(positions, INSTRUMENTS),
            "cash positions": self._positions(positions, positions // 500 + 1),
            "securities movements": self._movements(movements, INSTRUMENTS),
            "cash movements": self._movements(movements, 3),
        }

    def _trades(self, count: int) -> dict[str, Column]:
        chance = self._chance
        quantities = chance.integers(1, 1_000, count) * 100
        prices = chance.integers(1_000_000, 200_000_000, count)
        return {
            "dates": FIRST_DAY + chance.integers(0, DAYS, count),
            "instruments": chance.integers(1, INSTRUMENTS + 1, count),
            "numbers": np.arange(1, count + 1, dtype=np.int64),
            "cancels": np.zeros(count, dtype=np.int64),
            "quantities": quantities,
            "sellers": self._accounts(count),
            "buyers": self._accounts(count),
            "prices": prices,
            "currencies": np.ones(count, dtype=np.int64),
            "amounts": quantities * prices // 10_000,
            "statuses": chance.integers(0, 4, count),
            "made_at": chance.integers(0, WATERMARK, count),
        }

    def _positions(self, count: int, assets: int) -> dict[str, Column]:
        accounts = PARTICIPANTS * ACCOUNTS_EACH
        places = self._chance.choice(max(assets * accounts, count), count, replace=False)
        participants, subs = np.divmod(places % accounts, ACCOUNTS_EACH)
        return {
            "assets": 1 + places // accounts,
            "accounts": (participants + 1) * account_number(1) + subs,
            "amounts": self._chance.integers(1, 10**12, count),
            "made_at": self._chance.integers(0, WATERMARK, count),
        }

    def _movements(self, count: int, assets: int) -> dict[str, Column]:
        chance = self._chance
        return {
            "references": np.arange(1, count + 1, dtype=np.int64),
            "assets": chance.integers(1, assets + 1, count),
            "accounts": self._accounts(count),
            "amounts": chance.integers(-(10**9), 10**9, count) * 2 + 1,
            "dates": FIRST_DAY + chance.integers(0, DAYS, count),
            "causes": chance.integers(ISSUED, OTHER_CAUSE + 1, count),
            "statuses": chance.integers(0, 4, count),
            "made_at": chance.integers(0, WATERMARK, count),
        }

    def _accounts(self, count: int) -> Column:
        participants = self._chance.integers(1, PARTICIPANTS + 1, count)
        return participants * account_number(1) + self._chance.integers(0, ACCOUNTS_EACH, count)

    # What is planted.

    def _plant(self, kind: BreakKind, turn: int) -> None:
        name = str(self._chance.choice([name for name in self._columns if _may_have(name, kind)]))
        at = int(self._chance.integers(len(VERSIONS)))
        version = VERSIONS[at]
        match kind:
            case BreakKind.UNDUE_ISSUE | BreakKind.UNDUE_REDEMPTION:
                version = Dissenter.LEDGER
                self._add(name, version, kind, causes=_CAUSES[kind])
            case BreakKind.TIMING:
                self._add(name, version, kind, made_at=WATERMARK + 1 + turn)
            case BreakKind.MISSING_OURS if version is not Dissenter.OURS:
                self._add(name, version, kind, causes=OTHER_CAUSE)
            case BreakKind.MISSING_THEIRS if version is Dissenter.OURS:
                self._add(name, version, kind, causes=OTHER_CAUSE)
            case BreakKind.MISSING_OURS | BreakKind.MISSING_THEIRS:
                row = next(self._free[name])
                self._changes[name][version].dropped.append(row)
                self._expect(name, version, kind, others=row, own=NOBODY)
            case BreakKind.DUPLICATE:
                row = next(self._free[name])
                self._changes[name][version].repeated.append(row)
                self._expect(name, version, kind, others=NOBODY, own=row)
            case _:
                self._change(name, version, kind)

    def _change(self, name: str, version: Dissenter, kind: BreakKind) -> None:
        row, column = next(self._free[name]), _COLUMN_BY_SET[name][kind]
        value = int(self._columns[name][column][row])
        # Of an account, asset, date or status to one that there is nowhere else.
        moved = value + (10**6 if column in _UNIQUE else 1)
        self._changes[name][version].cells.append((row, column, moved))
        self._expect(name, version, kind, others=row, own=row)

    def _add(self, name: str, version: Dissenter, kind: BreakKind, **cells: int) -> None:
        """A record that one version alone has: like another, but by another name."""
        row, columns = next(self._free[name]), self._columns[name]
        number = len(columns["made_at"]) + len(self.planted)
        named = _NAMED_BY[name]
        copied = {column: int(values[row]) for column, values in columns.items()}
        copied |= {column: value for column, value in cells.items() if column in columns}
        copied[named] += 10**8
        copied["amounts"] += 10**13 + number
        self._changes[name][version].added.append((number, copied))
        self._expect(name, version, kind, others=NOBODY, own=number)

    def _expect(
        self, name: str, version: Dissenter, kind: BreakKind, *, others: int, own: int
    ) -> None:
        rows = [own if each is version else others for each in VERSIONS]
        self.planted.add((name, rows[0], rows[1], rows[2], kind, version))

    def _set(self, name: str) -> RecordSet:
        first, second, third = (
            self._version(name, self._changes[name][version]) for version in VERSIONS
        )
        return RecordSet(
            name,
            LAYOUTS[name],
            (first[0], second[0], third[0]),
            (first[1], second[1], third[1]),
        )

    def _version(self, name: str, changes: _Changes) -> tuple[Records, Column]:
        """One side's records and their numbers."""
        columns, count = self._columns[name], len(self._columns[name]["made_at"])
        kept = np.ones(count, dtype=bool)
        kept[changes.dropped] = False
        numbers = np.concatenate(
            [
                np.flatnonzero(kept),
                np.array([*changes.repeated, *(n for n, _ in changes.added)], dtype=np.int64),
            ]
        )
        order = self._chance.permutation(len(numbers))
        cells: dict[str, list[tuple[int, int]]] = {}
        for row, column, value in changes.cells:
            cells.setdefault(column, []).append((row, value))
        shuffled = {}
        for column, values in columns.items():
            mine = values.copy()
            for row, value in cells.get(column, []):
                mine[row] = value
            more = [*mine[changes.repeated].tolist(), *(row[column] for _, row in changes.added)]
            shuffled[column] = np.append(mine[kept], np.array(more, dtype=np.int64))[order]
        made_at = shuffled.pop("made_at")
        return Records(shuffled, made_at, WATERMARK), numbers[order]


def _may_have(name: str, kind: BreakKind) -> bool:
    if kind in (BreakKind.UNDUE_ISSUE, BreakKind.UNDUE_REDEMPTION):
        return name.endswith("movements")
    return kind in _EVERYWHERE or kind in _COLUMN_BY_SET[name]


LAYOUTS: Final = {
    "trades": TRADES,
    "securities positions": SECURITIES_POSITIONS,
    "cash positions": CASH_POSITIONS,
    "securities movements": SECURITIES_MOVEMENTS,
    "cash movements": CASH_MOVEMENTS,
}
_EVERYWHERE: Final = (
    BreakKind.MISSING_OURS,
    BreakKind.MISSING_THEIRS,
    BreakKind.DUPLICATE,
    BreakKind.TIMING,
)
_CAUSES: Final = {BreakKind.UNDUE_ISSUE: ISSUED, BreakKind.UNDUE_REDEMPTION: REDEEMED}
_NAMED_BY: Final = {
    "trades": "numbers",
    "securities positions": "accounts",
    "cash positions": "accounts",
    "securities movements": "references",
    "cash movements": "references",
}
_POSITION: Final = {BreakKind.INSTRUMENT: "assets", BreakKind.ACCOUNT: "accounts"}
_MOVEMENT: Final = {**_POSITION, BreakKind.DATE: "dates", BreakKind.STATUS: "statuses"}
_COLUMN_BY_SET: Final[Mapping[str, Mapping[BreakKind, str]]] = {
    "trades": {
        BreakKind.QUANTITY: "quantities",
        BreakKind.AMOUNT: "amounts",
        BreakKind.DATE: "dates",
        BreakKind.INSTRUMENT: "instruments",
        BreakKind.ACCOUNT: "buyers",
        BreakKind.STATUS: "statuses",
    },
    "securities positions": {**_POSITION, BreakKind.QUANTITY: "amounts"},
    "cash positions": {**_POSITION, BreakKind.AMOUNT: "amounts"},
    "securities movements": {**_MOVEMENT, BreakKind.QUANTITY: "amounts"},
    "cash movements": {**_MOVEMENT, BreakKind.AMOUNT: "amounts"},
}
_UNIQUE: Final = ("accounts", "assets")
