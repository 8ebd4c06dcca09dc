"""The projection: each block once, in order, and the same after a restart."""

from dataclasses import replace

import numpy as np
import pytest

from ledger.books.database import open_database
from ledger.books.postings import FinalBlock, Posting, PostingKind, Register
from ledger.books.projection import Projection, ProjectionError

A, B = 1 << 32 | 256, 1 << 32 | 512


def block(number, *postings):
    return FinalBlock(
        number=number,
        hash=bytes([number]) * 32,
        parent_hash=bytes([number - 1]) * 32 if number else bytes(32),
        timestamp=0,
        postings=postings,
        settled=(),
    )


def posting(keys, available, held=None):
    return Posting(
        register=Register.CASH,
        kind=PostingKind.BOOKED,
        reference=b"r",
        keys=np.array(keys),
        available=np.array(available),
        held=np.array(held or [0] * len(keys)),
    )


def apply(database, projection, *blocks):
    for each in blocks:
        with database.transaction() as session:
            projection.apply(session, [each])


def test_blocks_add_up():
    database = open_database(None)
    projection = Projection(database, 0)

    apply(
        database,
        projection,
        block(0, posting([A, B], [100, 50])),
        block(1, posting([A], [-30], [30]), posting([A, B], [-20, 20])),
    )

    assert list(projection.holdings(Register.CASH)) == [(A, 50, 30), (B, 70, 0)]


def test_block_is_projected_once_and_none_is_left_out():
    database = open_database(None)
    projection = Projection(database, 0)
    apply(database, projection, block(0, posting([A], [1])))

    with pytest.raises(ProjectionError):
        apply(database, projection, block(0, posting([A], [1])))
    with pytest.raises(ProjectionError):
        apply(database, projection, block(2, posting([A], [1])))
    stranger = block(1, posting([A], [1]))
    with pytest.raises(ProjectionError):
        apply(database, projection, FinalBlock(1, b"h", b"other", 0, stranger.postings, ()))


def test_one_participant_sees_its_own_accounts():
    database = open_database(None)
    projection = Projection(database, 2)

    apply(database, projection, block(0, posting([A, B], [100, 50])))

    assert list(projection.holdings(Register.CASH)) == [(B, 50, 0)]


def test_after_a_restart_the_view_is_the_same(tmp_path):
    path = tmp_path / "books.sqlite"
    database = open_database(path)
    projection = Projection(database, 0)
    apply(database, projection, block(0, posting([A, B], [100, 50])))
    before = list(projection.holdings(Register.CASH))
    database.close()

    again = Projection(open_database(path), 0)

    assert list(again.holdings(Register.CASH)) == before
    assert again.height == 0
    assert again.block_hash == bytes(32)


def test_balance_below_zero_is_a_bug_that_stops_everything():
    database = open_database(None)
    projection = Projection(database, 0)

    with pytest.raises(AssertionError, match="invariant 4"):
        apply(database, projection, block(0, posting([A], [-1])))


def staged(kind, *lines):
    return replace(posting(*(lines or ([], []))), kind=kind, reference=b"cycle")


def test_staged_lines_hold_their_debits_and_count_when_they_are_booked():
    database = open_database(None)
    projection = Projection(database, 0)

    apply(
        database,
        projection,
        block(0, posting([A, B], [100, 50])),
        block(1, staged(PostingKind.STAGED, [A, B], [-30, 30])),
    )
    assert list(projection.holdings(Register.CASH)) == [(A, 70, 30), (B, 50, 0)]
    apply(
        database,
        projection,
        block(2, posting([A, B], [-70, 70])),
        block(3, staged(PostingKind.STAGED_BOOKED)),
    )

    assert list(projection.holdings(Register.CASH)) == [(A, 0, 0), (B, 150, 0)]


@pytest.mark.parametrize(
    ("kind", "end"), [(PostingKind.STAGED_BOOKED, 30), (PostingKind.STAGED_DROPPED, 0)]
)
def test_staged_lines_survive_a_restart(tmp_path, kind, end):
    path = tmp_path / "books.sqlite"
    database = open_database(path)
    projection = Projection(database, 0)
    parts = [staged(PostingKind.STAGED, [A], [-30]), staged(PostingKind.STAGED, [B], [30])]
    apply(database, projection, block(0, posting([A, B], [100, 50])), block(1, *parts))
    database.close()

    database = open_database(path)
    projection = Projection(database, 0)
    apply(database, projection, block(2, staged(kind)))
    database.close()

    again = Projection(open_database(path), 0)
    assert list(again.holdings(Register.CASH)) == [(A, 100 - end, 0), (B, 50 + end, 0)]


def test_lines_staged_and_dropped_and_staged_again_in_one_block_count_once():
    database = open_database(None)
    projection = Projection(database, 0)
    part = staged(PostingKind.STAGED, [A, B], [-30, 30])
    postings = [posting([A, B], [100, 50]), part, staged(PostingKind.STAGED_DROPPED), part]

    apply(database, projection, block(0, *postings, staged(PostingKind.STAGED_BOOKED)))

    assert list(projection.holdings(Register.CASH)) == [(A, 70, 0), (B, 80, 0)]
