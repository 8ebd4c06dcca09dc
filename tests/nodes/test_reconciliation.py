"""Invariant 10: own book, ledger and statement agree, or a break says so until they do again."""

import numpy as np
import pytest

from ledger.books.postings import Register
from ledger.domain.accounts import holding_key
from nodes.messages import Statement, StatementRequest
from tests.support.consortia import answering, small_consortium


@pytest.fixture
def consortium():
    built = small_consortium(cash={"A": 1_000, "BANK-1": 1_000})
    yield built
    built.close()


def spoil(consortium, owner, book, amount):
    """Lets a book say something else of its owner's cash than what happened."""
    key = holding_key(1, consortium.network.account_number(owner))
    spoiled = book.positions(Register.CASH).with_values(np.array([key]), np.array([[amount]]))
    book._positions[Register.CASH] = spoiled


def opened(consortium):
    return [
        (row.owner, row.subject, row.ours, row.theirs)
        for node in consortium.nodes.values()
        for row in node.breaks()
    ]


def test_wrong_own_book_is_a_break_until_it_is_right_again(consortium):
    own = consortium.trader("A").own_book
    spoil(consortium, "A", own, 1)
    assert consortium.reconcile() == 1
    assert opened(consortium) == [("A", "A CNY", "0.01", "ledger 10.00, statement 10.00")]

    spoil(consortium, "A", own, 1_000)

    assert consortium.reconcile() == 0


@pytest.mark.parametrize("is_silent_first", [False, True])
def test_silent_bank_hides_no_break(consortium, is_silent_first):
    if is_silent_first:
        consortium.bus.silence("BANK-1")
    spoil(consortium, "A", consortium.trader("A").own_book, 1)
    assert consortium.reconcile() == 1
    consortium.bus.silence("BANK-1")

    assert consortium.reconcile() == 1
    assert opened(consortium) == [("A", "A CNY", "0.01", "ledger 10.00, no statement")]


def test_break_with_a_statement_stays_open_while_there_is_none(consortium):
    spoil(consortium, "A", consortium.bank("BANK-1").keeper.book, 1)
    assert consortium.reconcile() == 2
    consortium.bus.silence("BANK-1")

    assert consortium.reconcile() == 2


def test_statement_that_makes_no_sense_is_none(consortium):
    def answer(_):
        height = consortium.trader("A").projection.height
        return Statement(height, np.array([holding_key(1, 256)]), np.array([1, 2]))

    spoil(consortium, "A", consortium.trader("A").own_book, 1)
    answering(consortium, "BANK-1", StatementRequest, answer)
    consortium.reconcile()

    assert ("A", "A CNY", "0.01", "ledger 10.00, no statement") in opened(consortium)


def test_bank_compares_its_own_cash_book_too(consortium):
    spoil(consortium, "BANK-1", consortium.bank("BANK-1").own_book, 999_999)

    assert consortium.reconcile() == 1
    assert opened(consortium) == [
        ("BANK-1", "BANK-1 CNY", "9999.99", "ledger 10.00, statement 10.00")
    ]
