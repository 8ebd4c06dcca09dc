"""The clearing house's instructions on disk, the attempts to settle them, and limits."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement
from sqlmodel import col, func, or_, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import upsert
from ledger.books.tables import InstructionRow, LimitRow, SettlementRow
from ledger.domain.instructions import LIVE, Instruction, Priority, State
from ledger.domain.reasons import Reason

SUBMITTED: Final = "submitted"
SETTLED: Final = "settled"
REVERTED: Final = "reverted"
NAMES_A_QUERY: Final = 10_000
NO_LINKS: Final = "[]"
"""As it is kept."""


class InstructionStore:
    """Every instruction, as it was last put."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            ends = session.exec(select(func.max(InstructionRow.arrival) + 1))
            self._next_arrival = ends.one() or 0

    @property
    def next_arrival(self) -> int:
        """The place of the next instruction that comes in."""
        return self._next_arrival

    def put(self, session: UnitOfWork, instructions: Sequence[Instruction]) -> None:
        """Keeps instructions that are new or have changed."""
        upsert(session, InstructionRow, [_values(each) for each in instructions])
        end = max((each.arrival + 1 for each in instructions), default=0)

        def publish() -> None:
            self._next_arrival = max(self._next_arrival, end)

        session.on_commit(publish)

    def live(self) -> list[Instruction]:
        """Those that may still settle, by arrival."""
        return self._read(col(InstructionRow.state).in_([state.value for state in LIVE]))

    def all(self) -> list[Instruction]:
        """Every instruction, by arrival."""
        return self._read()

    def arrived_since(self, arrival: int, count: int) -> list[Instruction]:
        """At most so many, by arrival, from one on."""
        return self._read(col(InstructionRow.arrival) >= arrival, count=count)

    def all_linked(self) -> list[Instruction]:
        """Those that name others to settle with, ended or not, by arrival."""
        return self._read(col(InstructionRow.linked_to) != NO_LINKS)

    def get(self, label: str) -> Instruction | None:
        """An instruction by its label."""
        return next(iter(self._read(col(InstructionRow.label) == label)), None)

    def named(self, label: str, id: bytes) -> list[Instruction]:
        """Those that have a label or an id."""
        return self._read(or_(col(InstructionRow.label) == label, col(InstructionRow.id) == id))

    def named_among(
        self, session: UnitOfWork, labels: Sequence[str], ids: Sequence[bytes]
    ) -> list[Instruction]:
        """The same of many, which go in pairs; some may come twice."""
        found: list[Instruction] = []
        for first in range(0, len(labels), NAMES_A_QUERY):
            some = slice(first, first + NAMES_A_QUERY)
            has_label = col(InstructionRow.label).in_(labels[some])
            has_id = col(InstructionRow.id).in_(ids[some])
            rows = session.exec(select(InstructionRow).where(or_(has_label, has_id)))
            found.extend(map(_instruction, rows))
        return found

    def by_id(self, id: bytes) -> Instruction | None:
        """An instruction by its id."""
        return next(iter(self._read(col(InstructionRow.id) == id)), None)

    def _read(
        self, *conditions: ColumnElement[bool], count: int | None = None
    ) -> list[Instruction]:
        rows = select(InstructionRow).where(*conditions).order_by(col(InstructionRow.arrival))
        rows = rows.limit(count)
        with self._database.reading() as session:
            return [_instruction(row) for row in session.exec(rows)]


class SettlementStore:
    """Attempts to settle sets of instructions, kept before they are sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            self._last = session.exec(select(func.max(SettlementRow.number))).one() or 0
        self._undecided = {row.number for row in self.submitted()}

    @property
    def next_number(self) -> int:
        """The number of the next attempt, from 1."""
        return self._last + 1

    def add(self, session: UnitOfWork, row: SettlementRow) -> None:
        """Keeps an attempt under the next number."""
        number = row.number
        session.add(row)

        def publish() -> None:
            self._last = number
            self._undecided.add(number)

        session.on_commit(publish)

    def conclude(self, session: UnitOfWork, number: int, state: str, block: int | None) -> None:
        """Keeps what became of an attempt."""
        row = session.get_one(SettlementRow, number)
        row.state, row.block = state, block
        session.on_commit(lambda: self._undecided.discard(number))

    @property
    def is_undecided(self) -> bool:
        """Whether it is not known of some attempt what became of it."""
        return bool(self._undecided)

    def submitted(self) -> list[SettlementRow]:
        """The attempts of which it is not known what became of them, oldest first."""
        rows = select(SettlementRow).where(SettlementRow.state == SUBMITTED)
        with self._database.reading() as session:
            return list(session.exec(rows.order_by(col(SettlementRow.number))))

    def signed(self, number: int) -> bytes:
        """An attempt as it was signed."""
        with self._database.reading() as session:
            return session.exec(
                select(SettlementRow.signed).where(SettlementRow.number == number)
            ).one()

    def reverted_of(self, label: str) -> list[SettlementRow]:
        """The attempts of one instruction alone that came to nothing, oldest first."""
        rows = select(SettlementRow).where(
            SettlementRow.state == REVERTED, SettlementRow.labels == packed_labels([label])
        )
        with self._database.reading() as session:
            return list(session.exec(rows.order_by(col(SettlementRow.number))))


class LimitStore:
    """The most that accounts pay on balance, to somebody or to everybody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, session: UnitOfWork, limit: LimitRow) -> None:
        """Sets a limit, in place of the earlier one."""
        upsert(session, LimitRow, [limit.model_dump()])

    def remove(self, session: UnitOfWork, limit: LimitRow) -> None:
        """Takes a limit away, if there is one."""
        key = (limit.account, limit.currency, limit.counterparty)
        known = session.get(LimitRow, key)
        if known is not None:
            session.delete(known)

    def all(self) -> list[LimitRow]:
        """Every limit."""
        with self._database.reading() as session:
            return list(session.exec(select(LimitRow)))


def packed_labels(labels: Sequence[str]) -> str:
    """The labels of an attempt as they are kept: a JSON list."""
    return msgspec.json.encode(labels).decode()


def _values(instruction: Instruction) -> dict[str, Any]:
    return {
        "id": instruction.id,
        "arrival": instruction.arrival,
        "label": instruction.label,
        "deliverer": instruction.deliverer,
        "receiver": instruction.receiver,
        "instrument": instruction.instrument,
        "quantity": instruction.quantity,
        "currency": instruction.currency,
        "amount": instruction.amount,
        "settled_quantity": instruction.settled_quantity,
        "settled_amount": instruction.settled_amount,
        "parts": instruction.parts,
        "priority": int(instruction.priority),
        "held_by": _text(instruction.held_by),
        "cancelled_by": _text(instruction.cancelled_by),
        "may_be_partial": instruction.may_be_partial,
        "expires_at": instruction.expires_at,
        "linked_to": msgspec.json.encode(instruction.linked_to).decode(),
        "state": instruction.state.value,
        "reason": instruction.reason.name if instruction.reason else "",
        "rule_version": instruction.rule_version,
        "position": instruction.position,
        "block": instruction.block,
    }


def _instruction(row: InstructionRow) -> Instruction:
    return Instruction(
        id=row.id,
        label=row.label,
        arrival=row.arrival,
        deliverer=row.deliverer,
        receiver=row.receiver,
        instrument=row.instrument,
        quantity=row.quantity,
        currency=row.currency,
        amount=row.amount,
        settled_quantity=row.settled_quantity,
        settled_amount=row.settled_amount,
        parts=row.parts,
        priority=Priority(row.priority),
        held_by=_numbers(row.held_by),
        cancelled_by=_numbers(row.cancelled_by),
        may_be_partial=row.may_be_partial,
        expires_at=row.expires_at,
        linked_to=msgspec.json.decode(row.linked_to, type=tuple[str, ...]),
        state=State(row.state),
        reason=Reason[row.reason] if row.reason else None,
        rule_version=row.rule_version,
        position=row.position,
        block=row.block,
    )


def _text(numbers: Iterable[int]) -> str:
    return " ".join(map(str, sorted(numbers)))


def _numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split()))
