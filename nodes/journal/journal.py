"""Writes down what has happened, at the end of each step of a sandbox.

Each source is followed from its cursor; events and cursors are one commit of the interface's
database. So whatever the process dies of, the next one goes on where this one had got to.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from ledger.books.database import Database, StorageError
from ledger.books.interface.events import EventStore, KeptEvent
from ledger.logs import logger_of
from nodes.consortium import Consortium
from nodes.journal.breaks import Breaks, Refusals
from nodes.journal.event import Draft, Event, type_of
from nodes.journal.instructions import BookChanges
from nodes.journal.market import BusinessTime, FinalBlocks, Standings
from nodes.journal.sources import Source
from nodes.journal.trades import CapturedTrades, Cycles
from nodes.keys import fresh_seed

NAME: Final = "name"
NAME_LENGTH: Final = 8
REPLACEMENT: Final = "replacement"
SEQUENCE_DIGITS_MAX: Final = 18
PAUSE_NS: Final = 200_000_000
"""How often those sources are looked at that other nodes have to be asked for."""
SANDBOX: Final = "sandbox"

_SHOWN: Final = ("position", "cycle", "batch", "reason", "count", "owner")
"""What of an event's data stands in the log."""

log = logger_of(__name__)


class Journal:
    """Follows a consortium. Whoever calls holds the sandbox's lock."""

    def __init__(self, consortium: Consortium, database: Database) -> None:
        self.events = EventStore(database)
        self._database = database
        self.name: str = self.events.cursor(NAME) or fresh_seed()[:NAME_LENGTH]
        self._looked_ns = 0
        self._attach(consortium)

    def begin(self) -> None:
        """Follows from where it had got to; a new journal, from the present on."""
        if self.events.cursor(NAME) is None:
            self._keep([], self._present())
        self.follow(is_thorough=True)
        self.note("sandbox.started", SANDBOX, {"network": self._consortium.network.venue})

    def begin_again(
        self, consortium: Consortium, id: str, kind: str, data: Mapping[str, Any]
    ) -> None:
        """Follows another consortium from its present on, as after a reset or a restored snapshot.

        ``kind`` is the event that says so, such as ``sandbox.reset``. ``id`` names what has
        happened: after a crash it is done again, and not told again.
        """
        self._attach(consortium)
        is_told = self.events.cursor(REPLACEMENT) == id
        drafts = [] if is_told else [Draft(kind=kind, subject=SANDBOX, data=data)]
        self._keep(drafts, self._present() | {REPLACEMENT: id})

    def follow(self, *, is_thorough: bool = False) -> None:
        """Writes down what is new; when the disk is full, the next time.

        Other nodes are asked now and then only, unless ``is_thorough``.
        """
        self._follow(self._due(is_thorough=is_thorough))

    def finish(self) -> None:
        """Writes down what is new of the clearing house, before its books are closed."""
        self._follow(self._sources)

    def _follow(self, sources: Iterable[Source]) -> None:
        drafts: list[Draft] = []
        cursors: dict[str, Any] = {}
        for source in sources:
            before = self.events.cursor(source.name)
            if before is None and source.name not in cursors:
                # Of a later version than the journal.
                cursors[source.name] = source.present()
                continue
            found, after = source.since(before)
            drafts += found
            if after != before:
                cursors[source.name] = after
        try:
            self._keep(drafts, cursors)
        except StorageError as error:
            log.warning("journal.waits_for_room", error=str(error))

    def note(
        self,
        kind: str,
        subject: str,
        data: Mapping[str, Any],
        participants: Iterable[str] = (),
    ) -> None:
        """Writes down what no books show, such as a fault that was set. Raises StorageError."""
        concerned = frozenset(participants)
        draft = Draft(kind=kind, subject=subject, data=data, participants=concerned)
        self._keep([draft], {})

    def get(self, id: str) -> KeptEvent | None:
        """An event by its id; None when there is none, or none any more."""
        sequence = id.removeprefix(self._id_of(""))
        if not sequence.isascii() or not sequence.isdigit() or len(sequence) > SEQUENCE_DIGITS_MAX:
            return None
        event = self.events.get(int(sequence))
        return event if event and self._id_of(event.sequence) == id else None

    def _id_of(self, sequence: int | str) -> str:
        return f"evt-{self.name}-{sequence}"

    def _attach(self, consortium: Consortium) -> None:
        self._consortium = consortium
        house = consortium.clearing_house
        self._sources: tuple[Source, ...] = (
            CapturedTrades(house),
            BookChanges(house),
            Cycles(house),
            Standings(house),
            BusinessTime(consortium.clock),
            FinalBlocks(house),
        )
        self._asked: tuple[Source, ...] = (
            Refusals(lambda: consortium.exchange),
            Breaks(consortium),
        )

    def _due(self, *, is_thorough: bool) -> tuple[Source, ...]:
        now = self._consortium.clock.stopwatch_ns()
        if not is_thorough and now - self._looked_ns < PAUSE_NS:
            return self._sources
        self._looked_ns = now
        return self._sources + self._asked

    def _present(self) -> dict[str, Any]:
        sources = self._sources + self._asked
        return {NAME: self.name} | {source.name: source.present() for source in sources}

    def _keep(self, drafts: list[Draft], cursors: dict[str, Any]) -> None:
        if not drafts and not cursors:
            return
        clock = self._consortium.clock
        time, chain_time = clock.business_time().isoformat(), clock.chain_time()
        first = self.events.last_sequence + 1
        events = [
            self._event(draft, first + place, time, chain_time)
            for place, draft in enumerate(drafts)
        ]
        self.events.append(events, cursors)
        for draft, event in zip(drafts, events, strict=True):
            _write_line(draft, self._id_of(event.sequence))

    def _event(self, draft: Draft, sequence: int, time: str, chain_time: int) -> KeptEvent:
        network, node = self._consortium.network, draft.node or self._consortium.clearing_house.id
        event = Event(
            id=self._id_of(sequence),
            source=f"/networks/{network.venue}/nodes/{node}",
            type=type_of(draft.kind),
            subject=draft.subject,
            time=time,
            sequence=sequence,
            chaintime=chain_time,
            block=draft.block,
            transactionhash=f"0x{draft.transaction.hex()}" if draft.transaction else None,
            participants=sorted(draft.participants),
            data=dict(draft.data),
        )
        payload = msgspec.json.encode(event)
        return KeptEvent(sequence, event.type, event.subject, draft.participants, payload)


def _write_line(draft: Draft, id: str) -> None:
    """The event in the log, with what it is about under the name of its family."""
    transaction = f"0x{draft.transaction.hex()}" if draft.transaction else None
    log.info(
        "journal.event",
        event_id=id,
        kind=draft.kind,
        block=draft.block,
        transaction=transaction,
        **{
            draft.kind.partition(".")[0]: draft.subject,
            **{name: draft.data[name] for name in _SHOWN if name in draft.data},
        },
    )
