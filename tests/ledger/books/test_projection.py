"""The projection: each block once, in order, and the same after a restart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.database import open_database
from ledger.books.postings import FinalBlock, Posting, PostingKind, Register, join_parts
from ledger.books.projection import Projection, ProjectionError
from ledger.domain.accounts import holder_of

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
        keys=np.array(keys, dtype=np.int64),
        available=np.array(available, dtype=np.int64),
        held=np.array(held or [0] * len(keys), dtype=np.int64),
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


MORE_KEYS = [A, B, A + 1, A + (1 << 32), B + (20 << 32)]
CYCLES = [b"one", b"two"]
ENDS = [PostingKind.STAGED_BOOKED, PostingKind.STAGED_DROPPED]


@st.composite
def stories(draw):
    """Blocks of postings that never overdraw, and the holdings that they lead to, key by key."""
    holdings = dict.fromkeys(MORE_KEYS, (1_000, 1_000))
    start = [1_000] * len(MORE_KEYS)
    opened, blocks = {}, [[posting(MORE_KEYS, start, start)]]
    for _ in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            blocks.append([])
        cycle = draw(st.sampled_from(CYCLES))
        kind = draw(st.sampled_from([PostingKind.BOOKED, PostingKind.STAGED, *ENDS]))
        changes = draw(st.dictionaries(st.sampled_from(MORE_KEYS), st.integers(-20, 20)))
        if kind in ENDS:
            for key, amount in opened.pop(cycle, []):
                available, held = holdings[key]
                booked = amount if kind is PostingKind.STAGED_BOOKED else 0
                holdings[key] = (available - min(amount, 0) + booked, held + min(amount, 0))
            changes = {}
        elif kind is PostingKind.STAGED:
            opened.setdefault(cycle, []).extend(changes.items())
            for key, amount in changes.items():
                available, held = holdings[key]
                holdings[key] = (available + min(amount, 0), held - min(amount, 0))
        else:
            for key, amount in changes.items():
                holdings[key] = (holdings[key][0] + amount, holdings[key][1])
        part = posting(list(changes), list(changes.values()))
        blocks[-1].append(replace(part, kind=kind, reference=cycle))
    return [block(number, *postings) for number, postings in enumerate(blocks)], holdings


@given(stories(), st.sampled_from([0, 1, 2]), st.data())
def test_blocks_lead_to_the_same_however_many_are_taken_at_once(story, participant, data):
    blocks, expected = story
    database = open_database(None)
    projection = Projection(database, participant)
    while projection.height < len(blocks) - 1:
        first = projection.height + 1
        end = data.draw(st.integers(first + 1, len(blocks)))
        with database.transaction() as session:
            projection.apply(session, blocks[first:end])
        if data.draw(st.booleans()):
            projection = Projection(database, participant)

    mine = [(key, *expected[key]) for key in sorted(expected) if participant in (0, holder_of(key))]
    assert list(projection.holdings(Register.CASH)) == mine
    wanted = np.array(MORE_KEYS, dtype=np.int64)
    shown = {key: available for key, available, _ in mine}
    assert projection.available_of(Register.CASH, wanted).tolist() == [
        shown.get(key, 0) for key in MORE_KEYS
    ]
    database.close()


def test_balance_that_is_below_zero_between_two_postings_of_a_block_is_found():
    database = open_database(None)
    projection = Projection(database, 0)

    with pytest.raises(AssertionError, match=f"invariant 4: holding {B}"):
        apply(database, projection, block(0, posting([A, B], [5, -1]), posting([B], [2])))


def test_parts_of_a_cycle_that_follow_each_other_are_one_posting():
    parts = [staged(PostingKind.STAGED, [A], [-30]), staged(PostingKind.STAGED, [B], [30])]
    other = replace(parts[0], register=Register.SECURITIES)
    booked = staged(PostingKind.STAGED_BOOKED)

    joined = list(join_parts([*parts, other, booked, booked, parts[0]]))

    assert [(each.kind, len(each)) for each in joined] == [
        (PostingKind.STAGED, 2),
        (PostingKind.STAGED, 1),
        (PostingKind.STAGED_BOOKED, 0),
        (PostingKind.STAGED_BOOKED, 0),
        (PostingKind.STAGED, 1),
    ]
    assert joined[0].keys.tolist() == [A, B]
    assert joined[0].available.tolist() == [-30, 30]
