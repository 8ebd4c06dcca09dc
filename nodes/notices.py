"""Notices: what others must be told, kept until they have accepted it.

A notice is on disk, in a commit that its sender makes anyway, before it is sent. Whoever cannot be
reached gets what it has missed when it is back, in order; one recipient never keeps the others from
settling. A refusal is final: it is logged, kept on record, and not sent again.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.books.database import Database, UnitOfWork
from ledger.books.deliveries import Deliveries, Delivery
from ledger.books.tables import DeliveryRow
from ledger.domain.accounts import participant_of
from ledger.domain.participants import Role
from ledger.logs import logger_of
from nodes.bus import NOT_TAKEN, Bus
from nodes.clock import Clock
from nodes.messages import Message
from nodes.network import Network

AT_ONCE_MAX: Final = 100
"""Notices that one recipient is sent in one go: the others do not wait for all it has missed."""
PAUSE_MIN_NS: Final = 50_000_000
PAUSE_MAX_NS: Final = 5_000_000_000
"""For how long a recipient is left alone that did not answer: twice as long each time."""
PAUSE_BY_ATTEMPT: Final = 10
"""And so many times as long as it took to find out."""

Build = Callable[[str], Message]
"""Makes a message again from what it is kept by."""

log = logger_of(__name__)


@dataclass(slots=True)
class _Pause:
    """A recipient is left alone for so long, until a time of the stopwatch."""

    length_ns: int
    until_ns: int


class Notices:
    """What one node tells others."""

    def __init__(self, sender: str, bus: Bus, database: Database, clock: Clock) -> None:
        self._sender = sender
        self._bus = bus
        self._database = database
        self._clock = clock
        self._build_by_kind: dict[str, Build] = {}
        self._deliveries = Deliveries(database)
        self._accepted: list[Delivery] = []
        self._refused: dict[Delivery, str] = {}
        self._pauses: dict[str, _Pause] = {}

    def serve(self, kind: str, build: Build) -> None:
        """Says how notices of a kind are made from what they are kept by."""
        self._build_by_kind[kind] = build

    def put(
        self, session: UnitOfWork, recipients: Iterable[str], kind: str, reference: str
    ) -> None:
        """Puts a notice to some participants into a transaction, to be told once it is on disk."""
        self._deliveries.put(session, recipients, kind, reference)

    def tell(self, kind: str, reference: str, message: Message) -> None:
        """Tells a notice that was put to all who wait for it, after what they have missed before.

        What is accepted is gone with the next ``conclude``.
        """
        for recipient in self._deliveries.recipients():
            if not self._is_left_alone(recipient) and self.waits_for(recipient, kind, reference):
                self._send(recipient, self._open(recipient), {(kind, reference): message})

    def conclude(self, session: UnitOfWork) -> None:
        """Puts into a transaction what was accepted or refused since the last one."""
        if self._accepted or self._refused:
            accepted, refused = self._accepted, self._refused
            self._deliveries.conclude(session, accepted, refused)
            session.on_commit(lambda: self._forget(accepted, refused))

    def work(self, among: Collection[str] | None = None) -> int:
        """Tells those who are back what they have missed; returns how many notices were taken.

        ``among``: these participants only.
        """
        for recipient in self._deliveries.recipients():
            is_asked_for = among is None or recipient in among
            if is_asked_for and not self._is_left_alone(recipient):
                self._send(recipient, self._open(recipient), {})
        taken = len(self._accepted)
        if taken or self._refused:
            with self._database.transaction() as session:
                self.conclude(session)
        return taken

    def is_back(self, recipient: str) -> None:
        """A participant is heard of again: what it has missed is sent with the next ``work``."""
        self._pauses.pop(recipient, None)

    def waiting_for(self, recipient: str) -> int:
        """How many notices a participant has not taken yet."""
        return len(self._open(recipient))

    def refused(self) -> Sequence[DeliveryRow]:
        """What others have refused, oldest first, and why."""
        return self._deliveries.refused()

    def waits_for(self, recipient: str, kind: str, reference: str) -> bool:
        """Whether a participant has not taken one notice yet."""
        waiting = self._open(recipient)
        return any((each.kind, each.reference) == (kind, reference) for each in waiting)

    def _open(self, recipient: str) -> list[Delivery]:
        """What a recipient has neither accepted nor refused, oldest first."""
        done = {*self._accepted, *self._refused}
        return [each for each in self._deliveries.waiting(recipient) if each not in done]

    def _send(
        self,
        recipient: str,
        deliveries: Iterable[Delivery],
        at_hand: dict[tuple[str, str], Message],
    ) -> None:
        """Sends a recipient's oldest notices in order, until one cannot be delivered."""
        for delivery in list(deliveries)[:AT_ONCE_MAX]:
            name = (delivery.kind, delivery.reference)
            message = at_hand.get(name) or self._build_by_kind[delivery.kind](delivery.reference)
            started = self._clock.stopwatch_ns()
            try:
                self._bus.request(self._sender, recipient, message)
            except NOT_TAKEN:
                self._leave_alone(recipient, self._clock.stopwatch_ns() - started)
                return
            except PermissionError as refusal:
                log.warning(
                    "notice.refused",
                    node=self._sender,
                    recipient=recipient,
                    kind=type(message).__name__,
                    why=str(refusal),
                )
                self._refused[delivery] = str(refusal) or "refused"
            else:
                self._accepted.append(delivery)
            self._pauses.pop(recipient, None)

    def _is_left_alone(self, recipient: str) -> bool:
        pause = self._pauses.get(recipient)
        return pause is not None and self._clock.stopwatch_ns() < pause.until_ns

    def _leave_alone(self, recipient: str, attempt_ns: int) -> None:
        before = self._pauses.get(recipient)
        wished = PAUSE_MIN_NS if before is None else min(2 * before.length_ns, PAUSE_MAX_NS)
        length = max(wished, PAUSE_BY_ATTEMPT * attempt_ns)
        self._pauses[recipient] = _Pause(length, self._clock.stopwatch_ns() + length)

    def _forget(self, accepted: list[Delivery], refused: dict[Delivery, str]) -> None:
        """What is on disk as done; what was added meanwhile stays."""
        self._accepted = [each for each in self._accepted if each not in accepted]
        self._refused = {each: why for each, why in self._refused.items() if each not in refused}


def keepers(network: Network) -> list[str]:
    """All banks and the registrar: those who are told of a cycle."""
    return [p.id for p in network.participants if p.role in (Role.BANK, Role.REGISTRAR)]


def concerned(network: Network, accounts: Iterable[int]) -> list[str]:
    """The owners of accounts, their banks and the registrar: those who are told of a set."""
    owners = {network.participant_id(number) for number in set(map(participant_of, accounts))}
    banks = {network.participant(owner).settlement_bank for owner in owners} - {None}
    return sorted(owners | {bank for bank in banks if bank} | {network.sole(Role.REGISTRAR)})
