"""The exchange: captures locked-in trades, each once, and asks their traders to affirm them.

A trade is on disk before its capture is acknowledged. The same trade again is answered as before; the
same identity with other terms is refused. A cancellation names an earlier trade by its identity.
"""

import numpy as np

from ledger.books.batches import Batch, BatchStream
from ledger.books.capture import BatchSorter, SortedBatch
from ledger.books.database import Database
from ledger.books.trade_index import NOT_FOUND, TradeIndex, fingerprints_of, same_identity
from ledger.clearing.columns import TradeColumns, participants_of
from ledger.domain.participants import Role
from nodes.bus import UnreachableError
from nodes.keys import Key
from nodes.messages import Affirmation, AffirmationRequest, CapturedBatch
from nodes.node import Node, Surroundings


class Exchange(Node):
    """Where trades are made; the source of the locked-in trades."""

    def __init__(self, id: str, key: Key, database: Database, around: Surroundings) -> None:
        super().__init__(id, key, database, around)
        self.captured = BatchStream(database, "captured")
        self._index = TradeIndex()
        for batch in self.captured.batches:
            self._take_in(batch.first_position, self.captured.load(batch))

    def capture(self, batch_id: str, trades: TradeColumns) -> SortedBatch:
        """Captures what is new in a batch; it is on disk when this returns."""
        verdict = BatchSorter(self.captured, self._index, trades).sort()
        if len(verdict.accepted):
            with self.database.transaction() as session:
                batch = self.captured.append(session, batch_id, verdict.accepted)
            self._take_in(batch.first_position, verdict.accepted)
        return verdict

    def pass_on_since(self, position: int) -> None:
        """Has what was captured from a position on affirmed, and hands it to the clearing house.

        Asking again is harmless: traders and clearing house know a batch by its id.
        """
        for batch in self.captured.batches_since(position):
            trades = self.captured.load(batch)
            message = CapturedBatch(batch.id, trades, self._ask_traders(batch, trades))
            self.around.bus.request(self.id, self.network.sole(Role.CLEARING_HOUSE), message)

    def position_of(self, trade: TradeColumns) -> int:
        """Where a trade (one row) stands in the capture; NOT_FOUND when it was never captured."""
        for position in self._index.find_all(fingerprints_of(trade)[0]):
            if same_identity(self.captured.trades_at(np.array([position])), trade).all():
                return position
        return NOT_FOUND

    def _take_in(self, first_position: int, trades: TradeColumns) -> None:
        positions = np.arange(first_position, first_position + len(trades))
        self._index.add(fingerprints_of(trades), positions)

    def _ask_traders(self, batch: Batch, trades: TradeColumns) -> frozenset[int]:
        """The rows that some trader refused to affirm.

        One that does not answer refuses nothing here: it will be asked to attest the cycle.
        """
        sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
        unaffirmed: set[int] = set()
        for number in np.unique(np.concatenate([sellers, buyers])).tolist():
            rows = np.flatnonzero((sellers == number) | (buyers == number))
            positions = batch.first_position + rows
            request = AffirmationRequest(batch.id, positions, trades.take(rows))
            try:
                answer = self.around.bus.request(self.id, self.network.participant_id(number), request)
            except UnreachableError:
                continue
            assert isinstance(answer, Affirmation)
            unaffirmed.update(rows[list(answer.differences)].tolist())
        return frozenset(unaffirmed)
