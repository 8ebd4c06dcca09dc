"""The exchange: captures locked-in trades, each once, and asks their traders to affirm them.

A trade is on disk before its capture is acknowledged. The same trade again is answered as before;
the same identity with other terms is refused. A cancellation names an earlier trade by its
identity.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from ledger.books.batches import BatchStream
from ledger.books.capture import BatchSorter, SortedBatch, all_refusals, record_refusal
from ledger.books.database import Database
from ledger.books.tables import RefusalRow
from ledger.books.trade_index import NOT_FOUND, TradeIndex, fingerprints_of, same_identity
from ledger.clearing.columns import COLUMN_NAMES, TradeColumns, participants_of
from ledger.domain.participants import Role
from nodes.bus import UnreachableError
from nodes.keys import Key
from nodes.messages import Affirmation, AffirmationRequest, CapturedBatch
from nodes.node import Node, Surroundings
from nodes.trade_words import describe_trade_id

PASSED_ON_MAX: Final = 50_000


class Exchange(Node):
    """Where trades are made; the source of the locked-in trades."""

    def __init__(self, id: str, key: Key, database: Database, around: Surroundings) -> None:
        super().__init__(id, key, database, around)
        self.captured = BatchStream(database, "captured")
        self._index = TradeIndex()
        for first_position, trades in self.captured.read_all():
            self._take_in(first_position, trades)

    def capture(self, batch_id: str, trades: TradeColumns) -> SortedBatch:
        """Captures what is new in a batch, records what is refused; on disk when this returns."""
        verdict = BatchSorter(self.captured, self._index, trades).sort()
        with self.database.transaction() as session:
            for row, refusal in verdict.refused.items():
                subject = describe_trade_id(self.network, trades, row)
                record_refusal(session, batch_id, row, subject, refusal)
            if len(verdict.accepted):
                batch = self.captured.append(session, batch_id, verdict.accepted)
                session.on_commit(partial(self._take_in, batch.first_position, verdict.accepted))
        return verdict

    def refusals(self) -> Sequence[RefusalRow]:
        """Every submitted trade that was not captured."""
        with self.database.reading() as session:
            return all_refusals(session)

    def pass_on(self, first_position: int, end: int) -> None:
        """Has the trades at [first_position, end) affirmed and hands them to the clearing house.

        Asking again is harmless: the clearing house takes only what follows what it has.
        """
        for first in range(first_position, end, PASSED_ON_MAX):
            trades = self.captured.trades(first, min(first + PASSED_ON_MAX, end))
            message = CapturedBatch(first, trades, self._ask_traders(first, trades))
            self.around.bus.request(self.id, self.network.sole(Role.CLEARING_HOUSE), message)

    def position_of(self, date_ordinal: int, instrument: int, number: int) -> int:
        """Where the trade of an identity stands in the capture; NOT_FOUND when it is not there."""
        identity = {"dates": date_ordinal, "instruments": instrument, "numbers": number}
        row = [identity.get(name, 0) for name in COLUMN_NAMES]
        sought = TradeColumns.of_rows([row])
        for position in self._index.find_all(fingerprints_of(sought)[0]):
            if same_identity(self.captured.trades_at(np.array([position])), sought).all():
                return position
        return NOT_FOUND

    def _take_in(self, first_position: int, trades: TradeColumns) -> None:
        positions = np.arange(first_position, first_position + len(trades))
        self._index.add(fingerprints_of(trades), positions)

    def _ask_traders(self, first_position: int, trades: TradeColumns) -> frozenset[int]:
        """The rows that some trader refused to affirm.

        One that does not answer refuses nothing here: it will be asked to attest the cycle. One
        whose answer makes no sense affirms nothing.
        """
        sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
        unaffirmed: set[int] = set()
        for number in np.unique(np.concatenate([sellers, buyers])).tolist():
            rows = np.flatnonzero((sellers == number) | (buyers == number))
            request = AffirmationRequest(first_position + rows, trades.take(rows))
            try:
                answer = self.around.bus.request(
                    self.id, self.network.participant_id(number), request
                )
            except UnreachableError:
                continue
            unaffirmed.update(rows[_not_affirmed(answer, len(rows))].tolist())
        return frozenset(unaffirmed)


def _not_affirmed(answer: object, count: int) -> list[int]:
    """The rows of a request that an answer does not affirm."""
    if isinstance(answer, Affirmation) and all(0 <= row < count for row in answer.differences):
        return list(answer.differences)
    return list(range(count))
