"""The own book: an entry is booked once, at the block that makes its cause final, as expected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.database import open_database
from ledger.books.own_book import OwnBook, Recall
from ledger.books.postings import Cause, FinalBlock, Origin, Posting, PostingKind, Register
from ledger.books.tables import OwnEntryRow
from ledger.domain.reasons import Reason

A, B = 1 << 32 | 256, 20 << 32 | 512


def column(*numbers):
    return np.array(numbers, dtype=np.int64)


def cash(*lines):
    return {Register.CASH: (column(*(key for key, _ in lines)), column(*(a for _, a in lines)))}


def cycle(number):
    return Cause(Origin.CYCLE, bytes([number]) * 32, b"d" * 32)


def block(number, *settled, postings=()):
    return FinalBlock(number, bytes([number]) * 32, bytes(32), 0, postings, settled)


def issued(reference, key, amount):
    keys, amounts = column(key), column(amount)
    kind = PostingKind.ISSUED
    return Posting(Register.CASH, kind, reference, keys, amounts, column(0))


def expect(database, book, cause, entry):
    with database.transaction() as session:
        return book.expect(session, cause, entry)


def confirm(database, book, *blocks):
    with database.transaction() as session:
        book.confirm(session, blocks)


@pytest.fixture
def database():
    return open_database(None)


def test_entries_are_booked_once_at_the_block_of_their_cause(database):
    book = OwnBook(database, "own")
    expect(database, book, cycle(1), cash((A, 5), (B, -2)))
    expect(database, book, cycle(2), cash((A, 1)))

    confirm(database, book, block(0), block(1, cycle(1), cycle(3)), block(2, cycle(1)))
    confirm(database, book, block(3, cycle(1)))

    assert book.positions(Register.CASH).as_dict() == {A: 5, B: -2}
    assert book.positions_of(Register.CASH, 1) == {A: 5}
    with database.reading() as session:
        key = ("own", "cycle", cycle(1).reference, cycle(1).digest)
        assert session.get(OwnEntryRow, key).block == 2


def test_a_version_of_a_cycle_that_did_not_settle_is_not_booked(database):
    book = OwnBook(database, "own")
    other = Cause(Origin.CYCLE, cycle(1).reference, b"e" * 32)
    expect(database, book, cycle(1), cash((A, 5)))
    expect(database, book, other, cash((A, 7)))

    confirm(database, book, block(0, other))

    assert book.positions(Register.CASH).as_dict() == {A: 7}


def test_what_is_expected_is_remembered_before_and_after_it_is_booked(database):
    book = OwnBook(database, "own")
    for _ in range(2):
        assert expect(database, book, cycle(1), cash((A, 5))) is None
        refusal = expect(database, book, cycle(1), cash((A, 6)))
        assert refusal.reason is Reason.DUPLICATE
        confirm(database, book, block(0, cycle(1)))

    assert book.positions(Register.CASH).as_dict() == {A: 5}
    with database.reading() as session:
        assert book.recall(session, cycle(1), cash((A, 5))) is Recall.SAME
        assert book.recall(session, cycle(1), cash((A, 6))) is Recall.OTHER
        assert book.recall(session, cycle(2), cash((A, 6))) is Recall.NEW


@pytest.mark.parametrize(
    ("key", "amount", "is_booked"), [(A, 5, True), (A, 6, False), (B, 5, False)]
)
def test_an_issue_is_booked_when_it_did_what_was_expected(database, key, amount, is_booked):
    book, reference = OwnBook(database, "own"), b"r" * 32
    expect(database, book, Cause.in_register(Register.CASH, reference), cash((A, 5)))

    confirm(database, book, block(0, postings=[issued(reference, key, amount)]))

    assert book.positions(Register.CASH).as_dict() == ({A: 5} if is_booked else {})


lines = st.lists(st.tuples(st.sampled_from([A, B, A + 1, A + (1 << 32)]), st.integers(-9, 9)))


@given(st.lists(st.tuples(lines, st.booleans()), max_size=5))
def test_positions_are_the_sum_of_what_is_final_also_after_a_restart(entries):
    database = open_database(None)
    book, expected = OwnBook(database, "own"), {}
    for number, (entry, _) in enumerate(entries):
        expect(database, book, cycle(number), cash(*entry))
    for number, (entry, is_final) in enumerate(entries):
        if is_final:
            confirm(database, book, block(number, cycle(number)))
            book = OwnBook(database, "own")
            for key, amount in entry:
                expected[key] = expected.get(key, 0) + amount

        assert book.positions(Register.CASH).as_dict() == expected
    database.close()
