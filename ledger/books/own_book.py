"""A node's own book: positions from its own records alone, never from the chain's events.

An entry says what a cause (an issue, a cycle, an instruction) will do to positions, from what the
node knows itself: its blotter, its fundings, messages it has checked. The chain decides only
*when*: the entry is booked at the block in which its cause is final, with the content it expects.
"""

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np
from sqlmodel import Session, col, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.postings import (
    Cause,
    FinalBlock,
    Origin,
    Posting,
    PostingKind,
    Register,
)
from ledger.books.projection import upsert
from ledger.books.tables import OwnEntryRow, OwnPositionRow
from ledger.clearing.columns import Column
from ledger.domain.accounts import holder_of
from ledger.domain.reasons import Reason, Rejected

Entry = Mapping[Register, tuple[Column, Column]]
"""Keys and signed amounts, by register."""

_CODES = {Register.SECURITIES: 0, Register.CASH: 1}
_REGISTERS = {code: register for register, code in _CODES.items()}


class Recall(Enum):
    """What a book remembers of a cause."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


class OwnBook:
    """Positions by register and holding key, and entries that wait for finality.

    A node has one book of what it owns; a bank and the registrar also have one of what they keep
    for others. ``name`` tells them apart.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._name = name
        self._amounts: dict[Register, dict[int, dict[int, int]]] = {each: {} for each in Register}
        with database.reading() as session:
            for row in session.exec(select(OwnPositionRow).where(OwnPositionRow.book == name)):
                self._set(Register(row.register_name), row.key, row.amount)

    def positions(self, register: Register) -> dict[int, int]:
        """Every position, by holding key."""
        by_participant = self._amounts[register].values()
        return {key: amount for amounts in by_participant for key, amount in amounts.items()}

    def positions_of(self, register: Register, participant: int) -> Mapping[int, int]:
        """The positions of one participant, by holding key."""
        return self._amounts[register].get(participant, {})

    def expect(self, session: UnitOfWork, cause: Cause, entry: Entry) -> Rejected | None:
        """Keeps an entry until its cause is final; refuses another one for the same cause."""
        match self.recall(session, cause, entry):
            case Recall.OTHER:
                return Rejected(Reason.DUPLICATE, f"{cause.reference.hex()} has other content")
            case Recall.NEW:
                session.add(
                    OwnEntryRow(
                        book=self._name,
                        origin=cause.origin.value,
                        reference=cause.reference,
                        digest=cause.digest,
                        payload=_pack(entry),
                    )
                )
        return None

    def recall(self, session: Session, cause: Cause, entry: Entry) -> Recall:
        """Whether this entry is expected already, or another one for its cause."""
        key = (self._name, cause.origin.value, cause.reference, cause.digest)
        row = session.get(OwnEntryRow, key)
        if row is None:
            return Recall.NEW
        return Recall.SAME if row.payload == _pack(entry) else Recall.OTHER

    def confirm(self, session: UnitOfWork, block: FinalBlock) -> None:
        """Books the entries that a final block settles, issues or redeems."""
        settled = set(block.settled)
        posting_by_cause = {
            Cause.in_register(posting.register, posting.reference): posting
            for posting in block.postings
            if posting.kind in (PostingKind.ISSUED, PostingKind.REDEEMED)
        }
        references = [cause.reference for cause in (*settled, *posting_by_cause)]
        if not references:
            return
        waiting = session.exec(
            select(OwnEntryRow).where(
                OwnEntryRow.book == self._name,
                col(OwnEntryRow.reference).in_(references),
                col(OwnEntryRow.block).is_(None),
            )
        ).all()
        confirmed: list[Entry] = []
        for row in waiting:
            cause, entry = _cause_of(row), _unpack(row.payload)
            posting = posting_by_cause.get(cause)
            if cause in settled or (posting is not None and _is_shown(entry, posting)):
                confirmed.append(entry)
                row.block = block.number
        self._book(session, confirmed)

    def _book(self, session: UnitOfWork, entries: Sequence[Entry]) -> None:
        changed: dict[tuple[Register, int], int] = {}
        for entry in entries:
            for register, (keys, amounts) in entry.items():
                for key, amount in zip(keys.tolist(), amounts.tolist(), strict=True):
                    before = changed.get((register, key))
                    if before is None:
                        before = self.positions_of(register, holder_of(key)).get(key, 0)
                    changed[register, key] = before + amount
        rows = [
            {"book": self._name, "register_name": register.value, "key": key, "amount": amount}
            for (register, key), amount in changed.items()
        ]
        upsert(session, OwnPositionRow, rows)
        session.on_commit(lambda: self._publish(changed))

    def _publish(self, changed: Mapping[tuple[Register, int], int]) -> None:
        for (register, key), amount in changed.items():
            self._set(register, key, amount)

    def _set(self, register: Register, key: int, amount: int) -> None:
        self._amounts[register].setdefault(holder_of(key), {})[key] = amount


def _cause_of(row: OwnEntryRow) -> Cause:
    return Cause(Origin(row.origin), row.reference, row.digest)


def _is_shown(entry: Entry, posting: Posting) -> bool:
    """Whether an issue or redemption did what was expected, and not something else by that name."""
    shown = dict(zip(posting.keys.tolist(), posting.available.tolist(), strict=True))
    keys, amounts = entry[posting.register]
    expected = zip(keys.tolist(), amounts.tolist(), strict=True)
    return all(shown.get(key) == amount for key, amount in expected)


def _pack(entry: Entry) -> bytes:
    rows = [
        np.stack([np.full(len(keys), _CODES[register], dtype=np.int64), keys, amounts], axis=1)
        for register, (keys, amounts) in entry.items()
    ]
    return np.concatenate(rows).astype("<i8").tobytes() if rows else b""


def _unpack(payload: bytes) -> Entry:
    table = np.frombuffer(payload, dtype="<i8").reshape(-1, 3)
    return {
        register: (table[table[:, 0] == code, 1], table[table[:, 0] == code, 2])
        for code, register in _REGISTERS.items()
    }
