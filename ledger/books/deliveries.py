"""What a node still has to tell others: on disk before it is sent, gone once it was accepted.

A delivery keeps no message but what it is built from again: the number of a cycle, say.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlmodel import Session, col, delete, func, select, update

from ledger.books.database import Database, UnitOfWork
from ledger.books.rows import upsert
from ledger.books.tables import DeliveryRow


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient: its kind, and what it is built from."""

    sequence: int
    recipient: str
    kind: str
    reference: str


class Deliveries:
    """The deliveries that have been neither accepted nor refused, in order for each recipient."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, deque[Delivery]] = {}
        with database.reading() as session:
            self._last = session.exec(select(func.max(DeliveryRow.sequence))).one() or 0
            self._add(_read(session))

    def put(
        self, session: UnitOfWork, recipients: Iterable[str], kind: str, reference: str
    ) -> None:
        """Puts the same delivery to several recipients into a transaction."""
        # A transaction that fails leaves a gap in the numbers, which means nothing.
        new = [
            Delivery(self._last + 1 + place, recipient, kind, reference)
            for place, recipient in enumerate(recipients)
        ]
        self._last += len(new)
        upsert(session, DeliveryRow, [asdict(each) for each in new])
        session.on_commit(lambda: self._add(new))

    def recipients(self) -> list[str]:
        """Those for whom something waits."""
        return list(self._waiting)

    def waiting(self, recipient: str) -> Sequence[Delivery]:
        """What waits for a recipient, oldest first."""
        return tuple(self._waiting.get(recipient, ()))

    def conclude(
        self, session: UnitOfWork, accepted: Sequence[Delivery], refused: Mapping[Delivery, str]
    ) -> None:
        """Puts into a transaction what was accepted, and what was refused and why: none waits on.

        Each recipient's were its oldest.
        """
        for delivery, why in refused.items():
            rows = update(DeliveryRow).where(col(DeliveryRow.sequence) == delivery.sequence)
            session.exec(rows.values(refusal=why))
        numbers = [each.sequence for each in accepted]
        if numbers:
            session.exec(delete(DeliveryRow).where(col(DeliveryRow.sequence).in_(numbers)))
        session.on_commit(lambda: self._remove([*accepted, *refused]))

    def refused(self) -> Sequence[DeliveryRow]:
        """What recipients have refused, oldest first."""
        rows = select(DeliveryRow).where(DeliveryRow.refusal != "")
        with self._database.reading() as session:
            return session.exec(rows.order_by(col(DeliveryRow.sequence))).all()

    def _add(self, new: Iterable[Delivery]) -> None:
        for delivery in new:
            self._waiting.setdefault(delivery.recipient, deque()).append(delivery)

    def _remove(self, done: Iterable[Delivery]) -> None:
        for delivery in done:
            waiting = self._waiting[delivery.recipient]
            waiting.remove(delivery)
            if not waiting:
                del self._waiting[delivery.recipient]


def _read(session: Session) -> Iterator[Delivery]:
    rows = select(DeliveryRow).where(DeliveryRow.refusal == "")
    for row in session.exec(rows.order_by(col(DeliveryRow.sequence))):
        yield Delivery(row.sequence, row.recipient, row.kind, row.reference)
