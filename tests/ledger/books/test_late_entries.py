"""An entry that comes after its cause is final is booked as if it had come before, and once."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from ledger.books.database import open_database
from ledger.books.own_book import OwnBook
from ledger.books.postings import Cause, FinalBlock, Origin, Posting, PostingKind, Register
from ledger.books.projection import Projection
from ledger.books.tables import OwnEntryRow, UnexpectedIssueRow
from ledger.clearing.columns import participants_of

OWN, OTHER = 1 << 32 | 256, 1 << 32 | 512
MINE = 1
CAUSES = 6


def has(accounts):
    return participants_of(accounts) == MINE


def entry_of(number):
    return {Register.CASH: (np.array([OWN + number % 2]), np.array([number + 1]))}


def cause_of(number):
    """Cycles, instructions and issues in turn."""
    reference = bytes([number]) * 32
    match number % 3:
        case 0:
            return Cause(Origin.CYCLE, reference, b"d" * 32)
        case 1:
            return Cause(Origin.INSTRUCTION, reference, b"t" * 32)
        case _:
            return Cause.in_register(Register.CASH, reference)


class Node:
    """A projection and a book, as a node has them; it dies in the middle of a commit if told to."""

    def __init__(self):
        self.database = open_database(None)
        self.restart()

    def restart(self):
        self.projection = Projection(self.database, MINE)
        self.book = OwnBook(self.database, "own", has=has)

    def hear(self, number, *, dies):
        self._commit(
            lambda session: self.book.expect(session, cause_of(number), entry_of(number)), dies=dies
        )

    def follow(self, number, *, dies):
        block = self._block(number)

        def take(session):
            self.projection.apply(session, [block])
            self.book.confirm(session, [block])

        self._commit(take, dies=dies)

    def booked(self):
        with self.database.reading() as session:
            rows = [
                session.get(OwnEntryRow, ("own", c.origin.value, c.reference, c.digest))
                for c in map(cause_of, range(CAUSES))
            ]
        return [row and row.block for row in rows]

    def unexpected(self):
        with self.database.reading() as session:
            return len(session.exec(select(UnexpectedIssueRow)).all())

    def _block(self, number):
        cause, place = cause_of(number), self.projection.height + 1
        parent = bytes([place - 1]) * 32 if place else bytes(32)
        postings, settled = [], [cause]
        if cause.origin is Origin.CASH:
            keys, amounts = entry_of(number)[Register.CASH]
            # Somebody else's account gets something by the same issue.
            keys, amounts = np.append(keys, OTHER), np.append(amounts, 77)
            none = np.zeros(2, dtype=np.int64)
            kind, settled = PostingKind.ISSUED, []
            postings = [Posting(Register.CASH, kind, cause.reference, keys, amounts, none)]
        return FinalBlock(place, bytes([place]) * 32, parent, 0, postings, settled)

    def _commit(self, act, *, dies):
        if dies:
            with suppress(KeyboardInterrupt), self.database.transaction() as session:
                act(session)
                raise KeyboardInterrupt
            self.restart()
        with self.database.transaction() as session:
            act(session)


steps = st.permutations([(what, n) for what in ("hear", "follow") for n in range(CAUSES)])


@given(steps, st.lists(st.booleans(), min_size=24, max_size=24))
def test_any_order_of_word_and_finality_with_crashes_gives_the_same_book(order, accidents):
    node, chances, block_of = Node(), iter(accidents), {}
    for what, number in order:
        if what == "follow":
            block_of[number] = node.projection.height + 1
        getattr(node, what)(number, dies=next(chances))
        if next(chances):
            node.restart()

    sums = {OWN: 1 + 3 + 5, OWN + 1: 2 + 4 + 6}
    assert node.book.positions(Register.CASH).as_dict() == sums
    assert node.booked() == [block_of[number] for number in range(CAUSES)]
    assert node.unexpected() == 0
    node.restart()
    assert node.book.positions(Register.CASH).as_dict() == sums
    node.database.close()


@given(st.permutations(range(CAUSES)), st.integers(0, CAUSES))
def test_many_late_entries_at_once_come_to_the_same_as_one_by_one(order, first):
    node = Node()
    for number in range(CAUSES):
        node.follow(number, dies=False)
    with node.database.transaction() as session:
        for part in (order[:first], order[first:]):
            entries = [(cause_of(n), entry_of(n)) for n in part]
            assert node.book.expect_each(session, entries) is None

    assert node.book.positions(Register.CASH).as_dict() == {OWN: 9, OWN + 1: 12}
    assert node.booked() == list(range(CAUSES))
    node.database.close()


def test_an_issue_that_did_something_else_than_is_expected_late_is_not_booked():
    node = Node()
    node.follow(2, dies=False)
    other = {Register.CASH: (np.array([OWN]), np.array([99]))}
    with node.database.transaction() as session:
        assert node.book.expect(session, cause_of(2), other) is None

    assert node.book.positions(Register.CASH).as_dict() == {}
    assert node.unexpected() == 1
    node.database.close()


def test_an_issue_to_others_leaves_nothing_behind():
    node = Node()
    lines = np.array([OTHER]), np.array([5]), np.array([0])
    posting = Posting(Register.CASH, PostingKind.ISSUED, b"r" * 32, *lines)
    block = FinalBlock(0, b"h" * 32, bytes(32), 0, [posting], [])
    with node.database.transaction() as session:
        node.book.confirm(session, [block])

    assert node.unexpected() == 0
    node.database.close()


@pytest.mark.parametrize("is_late", [False, True])
def test_an_issue_that_did_more_than_is_expected_is_not_booked(is_late):
    node, number = Node(), 2
    keys, amounts = entry_of(number)[Register.CASH]
    less = {Register.CASH: (keys + 2, amounts)}
    more = {Register.CASH: (np.append(keys, keys + 2), np.append(amounts, amounts))}
    with node.database.transaction() as session:
        if not is_late:
            assert node.book.expect(session, cause_of(number), less) is None
    block = replace(
        node._block(number),
        postings=[
            Posting(
                Register.CASH,
                PostingKind.ISSUED,
                cause_of(number).reference,
                *more[Register.CASH],
                np.zeros(2, dtype=np.int64),
            )
        ],
    )
    with node.database.transaction() as session:
        node.projection.apply(session, [block])
        node.book.confirm(session, [block])
    with node.database.transaction() as session:
        if is_late:
            assert node.book.expect(session, cause_of(number), less) is None

    assert node.book.positions(Register.CASH).as_dict() == {}
    assert node.unexpected() == 1
    node.database.close()
