"""Invariant 5: the same trade again is the same trade; the same id with other terms is refused."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.batches import BatchStream
from ledger.books.capture import BatchSorter, split_batch
from ledger.books.database import open_database
from ledger.books.highest_numbers import HighestNumbers
from ledger.books.series import SeriesOrder
from ledger.books.trade_index import NOT_FOUND, TradeIndex, fingerprints_of
from ledger.clearing.columns import TradeColumns
from ledger.domain.reasons import Reason
from tests.support.trades import trade_row

SUBMITTED = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 2), st.booleans()), min_size=1, max_size=12
)


class Capture:
    """A capture as the exchange keeps it."""

    def __init__(self):
        self.database = open_database(None)
        self.stream, self.index = BatchStream(self.database, "captured"), TradeIndex()
        self.highest = HighestNumbers()

    def submit(self, trades):
        verdict = BatchSorter(self.stream, self.index, trades, self.highest).sort()
        if len(verdict.accepted):
            first = self.stream.end_position
            with self.database.transaction() as session:
                self.stream.append(session, str(first), verdict.accepted)
            self.index.add(fingerprints_of(verdict.accepted), first)
            self.highest.take_in(SeriesOrder.of(verdict.accepted))
        return verdict


class PlainCapture:
    """The same rules with a dictionary, one trade at a time."""

    def __init__(self):
        self.known = {}
        self.end = 0

    def submit_one(self, number, quantity, is_cancel):
        earlier = self.known.get((number, is_cancel))
        if earlier is not None:
            return earlier[0] if earlier[1] == quantity else Reason.DUPLICATE
        if is_cancel:
            original = self.known.get((number, False))
            if original is None:
                return Reason.UNKNOWN
            if original[1] != quantity:
                return Reason.DUPLICATE
        self.known[number, is_cancel] = (self.end, quantity)
        self.end += 1
        return self.end - 1


def columns(rows):
    return TradeColumns.of_rows(
        [trade_row(number, 256, 512, quantity, 5, cancels=int(c)) for number, quantity, c in rows]
    )


@given(st.lists(SUBMITTED, min_size=1, max_size=5))
def test_every_verdict_is_that_of_the_plain_rule(submissions):
    capture, plain = Capture(), PlainCapture()

    for rows in submissions:
        verdict = capture.submit(columns(rows))
        expected = [plain.submit_one(*row) for row in rows]
        found = [
            verdict.refused[i].reason if i in verdict.refused else int(verdict.positions[i])
            for i in range(len(rows))
        ]
        assert found == expected
    assert capture.stream.end_position == plain.end


def test_cancellation_says_which_position_it_cancels():
    capture = Capture()
    capture.submit(columns([(1, 1, False), (2, 1, False)]))

    verdict = capture.submit(columns([(3, 1, False), (3, 1, True), (2, 1, True)]))

    assert verdict.accepted.cancels.tolist() == [0, 3, 2]
    assert verdict.repeated == 0


def test_trades_that_share_a_fingerprint_stay_apart(monkeypatch):
    same = lambda trades: np.zeros(len(trades), dtype=np.uint64)  # noqa: E731 # a bad hash on purpose
    monkeypatch.setattr("ledger.books.capture.fingerprints_of", same)
    capture = Capture()
    monkeypatch.setitem(globals(), "fingerprints_of", same)

    first = capture.submit(columns([(1, 1, False), (2, 1, False)]))
    second = capture.submit(columns([(2, 1, False), (3, 1, False), (2, 2, False)]))

    assert first.positions.tolist() == [0, 1]
    assert second.positions.tolist() == [1, 2, NOT_FOUND]
    assert [refusal.reason for refusal in second.refused.values()] == [Reason.DUPLICATE]


def test_other_terms_of_any_field_are_refused():
    capture = Capture()
    trade = columns([(1, 1, False)])
    capture.submit(trade)

    for name in ("sellers", "buyers", "quantities", "prices", "amounts", "currencies"):
        other = replace(trade, **{name: getattr(trade, name) + 1})
        verdict = capture.submit(other)
        assert verdict.refused[0].reason is Reason.DUPLICATE, name


@given(st.lists(SUBMITTED, min_size=1, max_size=5))
def test_parts_of_one_commit_have_the_verdicts_of_single_batches(submissions):
    one_by_one, together = Capture(), Capture()
    expected = [one_by_one.submit(columns(rows)) for rows in submissions]

    everything = columns([row for rows in submissions for row in rows])
    whole = BatchSorter(together.stream, together.index, everything, together.highest).sort()
    found = split_batch(whole, [len(rows) for rows in submissions])

    for ours, theirs in zip(found, expected, strict=True):
        assert ours.positions.tolist() == theirs.positions.tolist()
        assert ours.refused == theirs.refused
        assert (ours.count, ours.repeated) == (theirs.count, theirs.repeated)
        for name, column in ours.accepted.columns().items():
            assert column.tolist() == getattr(theirs.accepted, name).tolist()
