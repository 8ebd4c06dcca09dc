"""A node's own book: positions from its own records alone, never from the chain's events.

An entry says what a cause (an issue, a cycle, an instruction) will do to positions, from what the
node knows itself: its blotter, its fundings, messages it has checked. The chain decides only
*when*: the entry is booked at the block in which its cause is final, with the content it expects.
An entry that comes late, after its cause is final, is booked at once, at that same block.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial

import numpy as np
from sqlalchemy import Update, bindparam, update
from sqlmodel import Session, col, select

from ledger.books.already_final import (
    AT_ONCE,
    OwnAccounts,
    UnexpectedIssues,
    every_account,
    is_shown,
    settled_blocks,
)
from ledger.books.database import Database, UnitOfWork
from ledger.books.keyed import ASSETS_PER_OWN_PAGE, Keyed, add_up
from ledger.books.postings import (
    Cause,
    FinalBlock,
    Origin,
    Posting,
    PostingKind,
    Register,
)
from ledger.books.rows import insert_new, upsert
from ledger.books.tables import POSITION_WIDTH, OwnEntryRow, OwnPositionRow, table_of
from ledger.clearing.columns import Column, accounts_of
from ledger.domain.reasons import Reason, Rejected

Entry = Mapping[Register, tuple[Column, Column]]
"""Keys and signed amounts, by register."""

_CODES = {Register.SECURITIES: 0, Register.CASH: 1}
_REGISTERS = {code: register for register, code in _CODES.items()}
_ISSUING = frozenset(Origin(register.value) for register in Register)


class Recall(Enum):
    """What a book remembers of a cause."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


class OwnBook:
    """Positions by register and holding key, and entries that wait for finality.

    A node has one book of what it owns; a bank and the registrar also have one of what they keep
    for others. ``name`` tells them apart; ``assets_per_page`` is how its positions are kept, and
    ``has`` says which accounts it has.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        assets_per_page: int = ASSETS_PER_OWN_PAGE,
        has: OwnAccounts = every_account,
    ) -> None:
        self._name = name
        self._assets_per_page = assets_per_page
        self._has = has
        with database.reading() as session:
            self.unexpected = UnexpectedIssues(session, name, has)
            self._positions = {each: self._read_positions(session, each) for each in Register}
            self._waiting = dict(self._read_waiting(session))

    def positions(self, register: Register) -> Keyed:
        """Every position, as one amount by holding key."""
        return self._positions[register]

    def positions_of(self, register: Register, participant: int) -> Mapping[int, int]:
        """The positions of one participant, by holding key."""
        return self._positions[register].of_participant(participant).as_dict()

    def expect(self, session: UnitOfWork, cause: Cause, entry: Entry) -> Rejected | None:
        """Keeps an entry until its cause is final; refuses another one for the same cause.

        Books it at once when its cause is final already.
        """
        if insert_new(session, OwnEntryRow, {**self._named(cause), "payload": _pack(entry)}):
            self._take_in(session, {cause: entry})
        elif self.recall(session, cause, entry) is Recall.OTHER:
            return Rejected(Reason.DUPLICATE, f"{cause.reference.hex()} has other content")
        return None

    def expect_each(
        self, session: UnitOfWork, entries: Sequence[tuple[Cause, Entry]]
    ) -> Rejected | None:
        """Keeps many entries; refuses the first one that is another for its cause."""
        known = self._known(session, [cause for cause, _ in entries])
        new = {cause: entry for cause, entry in entries if cause not in known}
        rows = [{**self._named(cause), "payload": _pack(entry)} for cause, entry in new.items()]
        upsert(session, OwnEntryRow, rows)
        self._take_in(session, new)
        for cause, entry in entries:
            if cause in known and known[cause] != _pack(entry):
                return Rejected(Reason.DUPLICATE, f"{cause.reference.hex()} has other content")
        return None

    def _take_in(self, session: UnitOfWork, new: Mapping[Cause, Entry]) -> None:
        """Books those new entries whose causes are final already; the others wait."""
        issued = {
            cause: entry[Register(cause.origin.value)]
            for cause, entry in new.items()
            if cause.origin in _ISSUING
        }
        late = settled_blocks(session, new) | self.unexpected.blocks(session, issued)
        waiting = {cause: entry for cause, entry in new.items() if cause not in late}
        session.on_commit(lambda: self._waiting.update(waiting))
        if late:
            self._book(session, late, [new[cause] for cause in late])
            self.unexpected.forget(session, late)

    def _book(
        self, session: UnitOfWork, block_by_cause: Mapping[Cause, int], entries: Sequence[Entry]
    ) -> None:
        """Books entries, each at a block, and what they do to the positions."""
        rows = [
            {**{f"of_{name}": value for name, value in self._named(cause).items()}, "at": number}
            for cause, number in block_by_cause.items()
        ]
        session.connection().execute(_booking(), rows)
        self._put_positions(session, entries)

    def _known(self, session: Session, causes: Sequence[Cause]) -> dict[Cause, bytes]:
        """The packed entries, waiting or booked, of those of some causes that have one."""
        known: dict[Cause, bytes] = {}
        for first in range(0, len(causes), AT_ONCE):
            references = [cause.reference for cause in causes[first : first + AT_ONCE]]
            rows = select(
                OwnEntryRow.origin, OwnEntryRow.reference, OwnEntryRow.digest, OwnEntryRow.payload
            ).where(OwnEntryRow.book == self._name, col(OwnEntryRow.reference).in_(references))
            for origin, reference, digest, payload in session.exec(rows):
                known[Cause(Origin(origin), reference, digest)] = payload
        return known

    def booked(
        self, session: Session, first_block: int, last_block: int
    ) -> Iterator[tuple[int, Cause, Entry]]:
        """The entries that were booked in some blocks, the earliest first, each with its block."""
        rows = select(OwnEntryRow).where(
            OwnEntryRow.book == self._name,
            col(OwnEntryRow.block).between(first_block, last_block),
        )
        for row in session.exec(rows.order_by(col(OwnEntryRow.block))):
            cause = Cause(Origin(row.origin), row.reference, row.digest)
            yield row.block or 0, cause, _unpack(row.payload)

    def recall(self, session: Session, cause: Cause, entry: Entry) -> Recall:
        """Whether this entry is expected already, or another one for its cause."""
        columns = (
            getattr(OwnEntryRow, name) == value for name, value in self._named(cause).items()
        )
        payload = session.exec(select(OwnEntryRow.payload).where(*columns)).one_or_none()
        if payload is None:
            return Recall.NEW
        return Recall.SAME if payload == _pack(entry) else Recall.OTHER

    def confirm(self, session: UnitOfWork, blocks: Sequence[FinalBlock]) -> None:
        """Books the entries that the next final blocks settle, issue or redeem."""
        unexpected: list[tuple[int, Posting]] = []
        number_by_cause = {
            cause: block.number for block in blocks for cause in self._done(block, unexpected)
        }
        self.unexpected.note(session, unexpected)
        if number_by_cause:
            self._book(session, number_by_cause, [self._waiting[c] for c in number_by_cause])
            session.on_commit(lambda: self._forget(number_by_cause))

    def _done(self, block: FinalBlock, unexpected: list[tuple[int, Posting]]) -> Iterator[Cause]:
        """The causes of waiting entries that a block makes final; adds what was not expected."""
        yield from (cause for cause in block.settled if cause in self._waiting)
        for posting in block.postings:
            if posting.kind in (PostingKind.ISSUED, PostingKind.REDEEMED):
                cause = Cause.in_register(posting.register, posting.reference)
                entry = self._waiting.get(cause)
                if entry is not None and self._shows(posting, entry[posting.register]):
                    yield cause
                else:
                    unexpected.append((block.number, posting))

    def _shows(self, posting: Posting, expected: tuple[Column, Column]) -> bool:
        """Whether an issue or redemption did to this book's accounts what was expected of it."""
        own = self._has(accounts_of(posting.keys))
        return is_shown(expected, posting.keys[own], posting.available[own])

    def _put_positions(self, session: UnitOfWork, entries: Sequence[Entry]) -> None:
        """Puts the positions that entries change into the unit of work."""
        rows = []
        for register in Register:
            parts = [entry[register] for entry in entries if register in entry]
            if parts:
                place = (self._name, register)
                # As an earlier entry of the same commit leaves it.
                before = session.info.get(place, self._positions[register])
                keys, amounts = map(np.concatenate, zip(*parts, strict=True))
                balances = add_up(before, keys, amounts[None])
                after = before.with_values(balances.keys, balances.ends)
                rows += [
                    {
                        "book": self._name,
                        "register_name": register.value,
                        "page": page,
                        "payload": payload,
                    }
                    for page, payload in after.pages_of(balances.keys, self._assets_per_page)
                ]
                session.info[place] = after
                session.on_commit(partial(self._positions.__setitem__, register, after))
        upsert(session, OwnPositionRow, rows)

    def _forget(self, booked: Iterable[Cause]) -> None:
        for cause in booked:
            del self._waiting[cause]

    def _named(self, cause: Cause) -> dict[str, str | bytes]:
        """Which row an entry is in."""
        return {
            "book": self._name,
            "origin": cause.origin.value,
            "reference": cause.reference,
            "digest": cause.digest,
        }

    def _read_positions(self, session: Session, register: Register) -> Keyed:
        rows = select(OwnPositionRow.payload).where(
            OwnPositionRow.book == self._name, OwnPositionRow.register_name == register.value
        )
        return Keyed.of_pages(POSITION_WIDTH, session.exec(rows))

    def _read_waiting(self, session: Session) -> Iterator[tuple[Cause, Entry]]:
        rows = select(OwnEntryRow).where(
            OwnEntryRow.book == self._name, col(OwnEntryRow.block).is_(None)
        )
        for row in session.exec(rows):
            yield Cause(Origin(row.origin), row.reference, row.digest), _unpack(row.payload)


@cache
def _booking() -> Update:
    table = table_of(OwnEntryRow)
    places = (column == bindparam(f"of_{column.name}") for column in table.primary_key)
    return update(table).where(*places).values(block=bindparam("at"))


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
