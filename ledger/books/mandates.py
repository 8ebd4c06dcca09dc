"""Mandates: what a node's own desk has agreed that the node may sign, and what it has signed of it.

An instruction that may settle in parts is signed for part by part. Whatever was signed may still
settle until its deadline has passed, so all of that together never exceeds the mandate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import upsert
from ledger.books.tables import ConsentRow, MandateRow, SettledRow, WithheldRow
from ledger.domain.reasons import Reason, Rejected

NAMES_A_QUERY: Final = 10_000


@dataclass(frozen=True, slots=True)
class PartConsent:
    """A part of an instruction, or all of it, that is to be signed for.

    Attributes:
        instruction: the id of the whole.
        id: the id under which it settles.
        terms: the hash of what it settles.
        deadline: the last second of chain time at which the signature binds.
    """

    instruction: bytes
    id: bytes
    terms: bytes
    quantity: int
    amount: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a desk has agreed to: exactly these terms, in parts or not."""

    terms: bytes
    may_be_partial: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """What has settled of an instruction in parts, and whether another part still may."""

    parts: int
    quantity: int
    amount: int
    may_still_settle: bool


class Mandates:
    """Exact terms by id, for the one contract that the signature is for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            self._withheld = set(session.exec(select(WithheldRow.id)))

    def withhold(self, session: UnitOfWork, id: bytes) -> None:
        """From now on nothing is signed under an id, until it is allowed again."""
        if session.get(WithheldRow, id) is None:
            session.add(WithheldRow(id=id))
        session.on_commit(lambda: self._withheld.add(id))

    def allow(self, session: UnitOfWork, id: bytes) -> None:
        """Lets be signed again what was withheld."""
        known = session.get(WithheldRow, id)
        if known is not None:
            session.delete(known)
        session.on_commit(lambda: self._withheld.discard(id))

    def is_withheld(self, id: bytes) -> bool:
        """Whether nothing is signed under an id for now."""
        return id in self._withheld

    def give(
        self,
        session: UnitOfWork,
        contract: bytes,
        id: bytes,
        terms: bytes,
        *,
        may_be_partial: bool = False,
    ) -> Rejected | None:
        """Agrees to terms; refuses other terms under the same id."""
        known = session.get(MandateRow, (contract, id))
        if known is None:
            row = MandateRow(contract=contract, id=id, terms=terms, may_be_partial=may_be_partial)
            session.add(row)
        elif known.terms != terms or known.may_be_partial != may_be_partial:
            return Rejected(Reason.DUPLICATE, f"{id.hex()} was agreed to with other terms")
        return None

    def covers(self, contract: bytes, id: bytes, terms: bytes) -> bool:
        """Whether exactly these terms were agreed to."""
        known = self.given(contract, [id]).get(id)
        return known is not None and known.terms == terms

    def given(self, contract: bytes, ids: Sequence[bytes]) -> dict[bytes, Mandate]:
        """What was agreed to, by id; what was not is left out."""
        found = {}
        with self._database.reading() as session:
            for first in range(0, len(ids), NAMES_A_QUERY):
                some = ids[first : first + NAMES_A_QUERY]
                rows = session.exec(
                    select(MandateRow.id, MandateRow.terms, MandateRow.may_be_partial).where(
                        MandateRow.contract == contract, col(MandateRow.id).in_(some)
                    )
                )
                found.update({id: Mandate(terms, in_parts) for id, terms, in_parts in rows})
        return found

    def signed_of(self, instruction: bytes, but: bytes, now: int) -> Signed:
        """What was signed for of a whole, beside the terms ``but``."""
        with self._database.reading() as session:
            rows = session.exec(select(ConsentRow).where(ConsentRow.instruction == instruction))
            others = [row for row in rows if row.terms != but]
            done = _settled_among(session, others)
        settled = [row for row in others if row.terms in done]
        return Signed(
            parts=len(settled),
            quantity=sum(row.quantity for row in settled),
            amount=sum(row.amount for row in settled),
            may_still_settle=any(row.terms not in done and row.deadline >= now for row in others),
        )

    def sign(self, session: UnitOfWork, consents: Iterable[PartConsent]) -> None:
        """Remembers what is signed for; of the same signed again the latest deadline counts."""
        consents = list(consents)
        latest = _deadlines(session, [each.terms for each in consents])
        rows = [
            {
                "instruction": each.instruction,
                "id": each.id,
                "terms": each.terms,
                "quantity": each.quantity,
                "amount": each.amount,
                "deadline": max(each.deadline, latest.get(each.terms, 0)),
            }
            for each in consents
        ]
        upsert(session, ConsentRow, rows)


def _settled_among(session: Session, consents: Iterable[ConsentRow]) -> set[bytes]:
    """The hashes of those terms that have settled."""
    terms = [row.terms for row in consents]
    rows = select(SettledRow.digest).where(
        SettledRow.origin == "instruction", col(SettledRow.digest).in_(terms)
    )
    return set(session.exec(rows))


def _deadlines(session: Session, terms: Sequence[bytes]) -> dict[bytes, int]:
    """Until when earlier signatures under these terms bind."""
    found: dict[bytes, int] = {}
    for first in range(0, len(terms), NAMES_A_QUERY):
        some = terms[first : first + NAMES_A_QUERY]
        rows = session.exec(
            select(ConsentRow.terms, ConsentRow.deadline).where(col(ConsentRow.terms).in_(some))
        )
        found |= dict(rows.all())
    return found
