"""A node's own book: positions from its own records alone, never from the chain's events.

An entry says what a reference (an issue, a cycle with its root, an instruction) will do to
positions, from what the node knows itself: its blotter, its fundings, messages it has checked. The
chain decides only *when*: the entry is booked at the block in which the reference is final.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlmodel import col, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.postings import Column, FinalBlock, Register
from ledger.books.projection import ACCOUNT_MASK, SUB_ACCOUNT_BITS, upsert
from ledger.books.tables import OwnEntryRow, OwnPositionRow

Entry = Mapping[Register, tuple[Column, Column]]
"""Keys and signed amounts, by register."""

_CODES = {Register.SECURITIES: 0, Register.CASH: 1}
_REGISTERS = {code: register for register, code in _CODES.items()}


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

    def expect(self, session: UnitOfWork, reference: bytes, root: bytes, entry: Entry) -> None:
        """Keeps an entry until its reference is final; the same one again changes nothing."""
        if session.get(OwnEntryRow, (self._name, reference, root)) is None:
            row = OwnEntryRow(book=self._name, reference=reference, root=root, payload=_pack(entry))
            session.add(row)

    def confirm(self, session: UnitOfWork, block: FinalBlock) -> None:
        """Books the entries that a final block settles or issues."""
        settled = {(each.reference, each.root) for each in block.settled}
        issued = {(posting.reference, b"") for posting in block.postings if posting.reference}
        references = [reference for reference, _ in settled | issued]
        if not references:
            return
        waiting = session.exec(
            select(OwnEntryRow).where(
                OwnEntryRow.book == self._name,
                col(OwnEntryRow.reference).in_(references),
                col(OwnEntryRow.block).is_(None),
            )
        ).all()
        entries = [row for row in waiting if (row.reference, row.root) in settled | issued]
        self._book(session, [_unpack(row.payload) for row in entries])
        for row in entries:
            row.block = block.number

    def _book(self, session: UnitOfWork, entries: Sequence[Entry]) -> None:
        changed: dict[tuple[Register, int], int] = {}
        for entry in entries:
            for register, (keys, amounts) in entry.items():
                for key, amount in zip(keys.tolist(), amounts.tolist(), strict=True):
                    before = changed.get((register, key))
                    if before is None:
                        before = self.positions_of(register, participant_of(key)).get(key, 0)
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
        self._amounts[register].setdefault(participant_of(key), {})[key] = amount


def participant_of(key: int) -> int:
    """The participant whose account a holding key names."""
    return (key & ACCOUNT_MASK) >> SUB_ACCOUNT_BITS


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
