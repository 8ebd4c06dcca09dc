"""The exchange: captures locked-in trades, each once, and asks their traders to affirm them.

A trade is on disk before its capture is acknowledged. The same trade again is answered as before;
the same identity with other terms is refused. A cancellation names an earlier trade by its
identity.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ledger.books.batches import Batch, BatchStream
from ledger.books.capture import (
    BatchSorter,
    NumberedRefusal,
    SortedBatch,
    all_refusals,
    count_refusals,
    first_refusals,
    last_refusal,
    record_refusals,
    refusals_after,
    split_batch,
)
from ledger.books.database import Database
from ledger.books.gaps import CapturedNumbers, Gap
from ledger.books.highest_numbers import HighestNumbers
from ledger.books.series import SeriesOrder
from ledger.books.submissions import Submission, find_submission, record_submission
from ledger.books.tables import RefusalRow
from ledger.books.trade_index import NOT_FOUND, TradeIndex, fingerprints_of, same_identity
from ledger.clearing.columns import COLUMN_NAMES, TradeColumns, are_of
from ledger.domain.participants import Role
from nodes.bus import NOT_TAKEN, UnreachableError
from nodes.for_desk import for_desk
from nodes.keys import Key
from nodes.late_trades import ask_again, not_affirmed
from nodes.messages import (
    Accepted,
    Affirmation,
    AffirmationRequest,
    CapturedBatch,
    Message,
    ReportedLate,
)
from nodes.node import Node, Surroundings
from nodes.trade_signatures import PartySignatures
from nodes.trade_words import describe_trade_id
from nodes.trades_by_party import OwnTrades, TradesByParty

PASSED_ON_MAX: Final = 1_000_000
"""Trades that are affirmed at once, unless a single batch has more."""
_MISSED: Final = "affirmation"


class Exchange(Node):
    """Where trades are made; the source of the locked-in trades."""

    def __init__(
        self,
        id: str,
        key: Key,
        database: Database,
        around: Surroundings,
        *,
        is_signed: bool = False,
    ) -> None:
        super().__init__(id, key, database, around)
        self._is_signed = is_signed
        self.notices.serve(_MISSED, self._missed)
        self.captured = BatchStream(database, "captured")
        self._index = TradeIndex(database.folder)
        self._highest = HighestNumbers()
        self._numbers = CapturedNumbers() if self.network.dense_sequence else None
        for first_position, trades in self.captured.read_all():
            self._take_in(first_position, trades, SeriesOrder.of(trades))

    def capture(self, batch_id: str, trades: TradeColumns) -> SortedBatch:
        """Captures what is new in a batch, records what is refused; on disk when this returns.

        Raises StorageError when the disk does not take it: then nothing is captured.
        """
        return self.capture_group([(batch_id, trades)])[0]

    @for_desk
    def capture_group(
        self, parts: Sequence[tuple[str, TradeColumns]], submissions: Sequence[bytes] = ()
    ) -> list[SortedBatch]:
        """Captures batches one after another in one commit; each is a record of its own.

        ``submissions`` are the content hashes of the last of the parts, to be answered again.
        """
        columns = [trades for _, trades in parts]
        everything = columns[0] if len(columns) == 1 else TradeColumns.concatenate(columns)
        whole = BatchSorter(self.captured, self._index, everything, self._highest).sort()
        verdicts = split_batch(whole, [len(trades) for _, trades in parts])
        sorted_parts = list(zip(parts, verdicts, strict=True))
        added = [(id, verdict.accepted) for (id, _), verdict in sorted_parts if verdict.count]
        with self.database.transaction() as session:
            self.captured.append_all(session, added)
            for (batch_id, trades), verdict in sorted_parts:
                subjects = {
                    row: (describe_trade_id(self.network, trades, row), refusal)
                    for row, refusal in verdict.refused.items()
                }
                record_refusals(session, batch_id, subjects)
            for digest, verdict in zip(reversed(submissions), reversed(verdicts), strict=False):
                record_submission(session, digest, verdict)
            if added:
                first = self.captured.end_position
                series = whole.series or SeriesOrder.of(whole.accepted)
                session.on_commit(partial(self._take_in, first, whole.accepted, series))
        return verdicts

    @for_desk
    def submission(self, content_hash: bytes) -> Submission | None:
        """What a batch of this content was answered before."""
        with self.database.reading() as session:
            return find_submission(session, content_hash)

    @for_desk
    def refusals_of(self, batch_id: str, count_max: int) -> Sequence[RefusalRow]:
        """The first refused rows of a submitted batch."""
        with self.database.reading() as session:
            return first_refusals(session, batch_id, count_max)

    @for_desk
    def refusals(self) -> Sequence[RefusalRow]:
        """Every submitted trade that was not captured."""
        with self.database.reading() as session:
            return all_refusals(session)

    @for_desk
    def refusals_after(self, number: int, count: int) -> list[NumberedRefusal]:
        """The first so many refusals after one."""
        with self.database.reading() as session:
            return refusals_after(session, number, count)

    @for_desk
    def last_refusal(self) -> int:
        """The number of the last refusal; 0 when there is none."""
        with self.database.reading() as session:
            return last_refusal(session)

    @for_desk
    def gaps(self) -> list[Gap] | None:
        """The numbers missing from the venue's dense sequences; None when it has none."""
        return None if self._numbers is None else list(self._numbers.gaps())

    @for_desk
    def refusal_count(self) -> int:
        """How many submitted trades were not captured."""
        with self.database.reading() as session:
            return count_refusals(session)

    @for_desk
    def trades(self, first_position: int, end: int) -> TradeColumns:
        """The captured trades at [first_position, end)."""
        return self.captured.trades(first_position, end)

    @for_desk
    def batch_of(self, position: int) -> Batch | None:
        """The durable record that a captured trade is in; None when there is no such trade."""
        return self.captured.batch_of(position)

    @for_desk
    def captured_end(self) -> int:
        """How many trades were captured."""
        return self.captured.end_position

    @for_desk
    def end_of_part(self, first_position: int, end: int) -> int:
        """Where the part that begins at a position ends: whole batches, and not beyond the end."""
        return min(self.captured.end_of_batches(first_position, PASSED_ON_MAX), end)

    @for_desk
    def free_bytes(self) -> int | None:
        """How much room the disk has; None where nothing is on disk."""
        folder = self.database.folder
        return None if folder is None else shutil.disk_usage(folder).free

    @for_desk
    def pass_on_captured(
        self, first_position: int, end: int, behind: frozenset[str] = frozenset()
    ) -> None:
        """``pass_on``, of trades that nobody else has sorted."""
        self.pass_on(first_position, end, None, behind)

    def pass_on(
        self,
        first_position: int,
        end: int,
        trades: TradesByParty | None = None,
        behind: frozenset[str] = frozenset(),
    ) -> None:
        """Has the trades at [first_position, end) affirmed and hands them to the clearing house.

        ``trades`` are these trades of one part by party, where the caller has sorted them already;
        who is ``behind``, or does not answer, is asked by ``ask_again``. Asking again is harmless:
        the clearing house takes only what follows what it has.
        """
        if trades is not None:
            answers = self._ask_traders(first_position, end, trades, behind)
            self.hand_over(first_position, end, *answers)
            return
        for first, last in self.parts_to_pass_on(first_position, end):
            self.pass_on(first, last, TradesByParty(self.captured.trades(first, last)), behind)

    @for_desk
    def ask_again(self, participants: frozenset[str]) -> int:
        """Asks participants to affirm what they were not asked about; says how many have answered.

        What they say is theirs to know: the clearing house has the trades, and asks for signatures.
        """
        return self.notices.work(participants)

    def parts_to_pass_on(self, first_position: int, end: int) -> Iterator[tuple[int, int]]:
        """The positions [first_position, end) in parts, each of whole batches."""
        while first_position < end:
            last = self.end_of_part(first_position, end)
            yield first_position, last
            first_position = last

    def hand_over(
        self,
        first_position: int,
        end: int,
        unaffirmed: frozenset[int],
        signed: Mapping[int, PartySignatures] = MappingProxyType({}),
    ) -> None:
        """Hands one part of the trades to the clearing house, but for the rows not affirmed."""
        records = tuple(self.captured.records(first_position, end))
        message = CapturedBatch(first_position, records, unaffirmed, dict(signed))
        self.around.bus.request(self.id, self.network.sole(Role.CLEARING_HOUSE), message)

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Answers a message of another node."""
        if isinstance(message, ReportedLate):
            return self._ask_both_sides(sender, message.trades)
        return super().handle(sender, message)

    def _ask_both_sides(self, sender: str, trades: TradeColumns) -> Accepted:
        """A side has reported trades late: captured ones are affirmed after all, or they are not.

        Raises PermissionError when one of them is not a trade of the sender.
        """
        if not self.network.trades(sender):
            raise PermissionError(f"{sender} does not trade")
        prints = fingerprints_of(trades)
        positions = self._index.find(prints)
        found = np.flatnonzero(positions != NOT_FOUND)
        there = self.captured.trades_at(positions[found])
        for row in found[~same_identity(there, trades.take(found))].tolist():
            positions[row] = self._place_of(prints[row], trades.take(slice(row, row + 1)))
        known = np.unique(positions[positions != NOT_FOUND])
        captured = self.captured.trades_at(known)
        if not are_of(self.network.participant_number(sender), captured).all():
            raise PermissionError(f"{sender} is no side of what it has reported late")
        return ask_again(self, known, captured)

    @for_desk
    def position_of(self, date_ordinal: int, instrument: int, number: int) -> int:
        """Where the trade of an identity stands in the capture; NOT_FOUND when it is not there."""
        identity = {"dates": date_ordinal, "instruments": instrument, "numbers": number}
        row = [identity.get(name, 0) for name in COLUMN_NAMES]
        sought = TradeColumns.of_rows([row])
        return self._place_of(fingerprints_of(sought)[0], sought)

    def _place_of(self, fingerprint: np.uint64, sought: TradeColumns) -> int:
        for position in self._index.find_all(fingerprint):
            if same_identity(self.captured.trades_at(np.array([position])), sought).all():
                return position
        return NOT_FOUND

    def _take_in(self, first_position: int, trades: TradeColumns, series: SeriesOrder) -> None:
        self._index.add(fingerprints_of(trades), first_position)
        self._highest.take_in(series)
        if self._numbers is not None:
            self._numbers.take_in(series)

    def _ask_traders(
        self, first_position: int, end: int, trades: TradesByParty, behind: frozenset[str]
    ) -> tuple[frozenset[int], dict[int, PartySignatures]]:
        """The rows that some trader refused to affirm, and what each one signed.

        One that does not answer refuses nothing here: it will be asked again, and to attest the
        cycle. One whose answer makes no sense affirms nothing. Signatures are passed on as they
        came: it is for the clearing house to check them.
        """
        unaffirmed: set[int] = set()
        missed: list[OwnTrades] = []
        signed: dict[int, PartySignatures] = {}
        for own in trades:
            recipient = self.network.participant_id(own.party)
            try:
                if recipient in behind:
                    raise UnreachableError(f"{recipient} has not heard of all its trades")
                request = self._request(first_position, own)
                answer = self.around.bus.request(self.id, recipient, request)
            except NOT_TAKEN:
                missed.append(own)
                continue
            except PermissionError:
                answer = None
            unaffirmed.update(own.rows[not_affirmed(answer, len(own.rows))].tolist())
            given = answer.signed if isinstance(answer, Affirmation) else None
            if isinstance(given, PartySignatures) and given.is_well_formed(len(own.rows)):
                signed[own.party] = given.among(own.rows)
        self._keep_missed(first_position, end, missed)
        return frozenset(unaffirmed), signed

    def _keep_missed(self, first_position: int, end: int, missed: Sequence[OwnTrades]) -> None:
        """Remembers whom to ask again."""
        if not missed:
            return
        with self.database.transaction() as session:
            for own in missed:
                recipient = self.network.participant_id(own.party)
                reference = f"{own.party}:{first_position}:{end}"
                if not self.notices.waits_for(recipient, _MISSED, reference):
                    self.notices.put(session, [recipient], _MISSED, reference)

    def _missed(self, reference: str) -> AffirmationRequest:
        """What a participant was not asked about, by its number and the places of the part."""
        party, first, end = map(int, reference.split(":"))
        trades = TradesByParty(self.captured.trades(first, end))
        return next(self._request(first, own) for own in trades if own.party == party)

    def _request(self, first_position: int, own: OwnTrades) -> AffirmationRequest:
        return AffirmationRequest(first_position + own.rows, own.trades, self._is_signed)
