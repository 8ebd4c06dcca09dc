"""Invariant 10: own book, ledger and statement agree, or a break says so until they do again."""

from dataclasses import replace

import numpy as np
import pytest

from ledger.books.breaks import TIMING_BLOCKS_MAX
from ledger.books.postings import Register
from ledger.domain.accounts import holding_key
from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import BreakKind
from ledger.domain.instructions import State
from nodes.clearing_house.status_comparison import StatusComparison
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.messages import Statement, StatementRequest
from tests.support.consortia import (
    DAY,
    NET,
    answering,
    capture,
    small_consortium,
    small_network,
    trades_of,
)
from tests.support.instructions import bring_in, entry_of


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


def test_cycle_that_the_house_has_as_abandoned_and_the_ledger_as_settled_is_a_status_break():
    consortium = small_consortium()
    house = consortium.clearing_house
    capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 100)))
    house.net.close()
    assert consortium.reconcile() == 0

    with house.database.transaction() as session:
        house.cycles.change(session, 1, state="abandoned")
    capture(consortium, trades_of(consortium.network, ("T2", "A", "B", 10, 100)))
    house.statuses = StatusComparison(house, house.cycles)
    assert consortium.reconcile() == 1
    [found] = house.breaks()
    assert (found.kind, found.subject, found.ours) == (
        BreakKind.STATUS,
        "cycle 1",
        "house abandoned",
    )

    with house.database.transaction() as session:
        house.cycles.change(session, 1, state="settled")
    assert consortium.reconcile() == 0
    consortium.close()


def test_instruction_that_the_house_has_as_cancelled_and_the_ledger_as_settled_is_one(consortium):
    house = consortium.clearing_house
    trader = consortium.trader("A")
    entry = entry_of(consortium, "PAY", "B", "A", 0, 100)
    trader.mandate_instruction(entry.message)
    assert house.desk.enter(entry) is None
    house.work()
    assert consortium.reconcile() == 0

    for state in (State.CANCELLED, State.SETTLED):
        house.desk.book.put([replace(house.desk.book.as_kept("PAY"), state=state)])
        house.statuses = StatusComparison(house, house.cycles)
        consortium.reconcile()
        shown = [(each.kind, each.ours) for each in house.breaks()]
        assert shown == (
            [(BreakKind.STATUS, "house cancelled")] if state is State.CANCELLED else []
        )


def test_statement_of_an_earlier_block_is_timing_until_it_stays(consortium):
    height = consortium.trader("A").projection.height
    key = holding_key(1, consortium.network.account_number("A"))
    earlier = Statement(height - 1, np.array([key]), np.array([900]))
    answering(consortium, "BANK-1", StatementRequest, lambda _: earlier)

    consortium.reconcile()
    [found] = [each for each in consortium.trader("A").breaks() if each.subject == "A CNY"]
    assert (found.kind, found.version.cause) == (
        BreakKind.TIMING,
        LikelyCause.STATEMENT_OF_OTHER_BLOCK,
    )
    assert found.version.at_risk == 100

    for number in range(TIMING_BLOCKS_MAX + 1):
        bring_in(consortium, "cash", consortium.network.account_number("C"), 1 + number)
        consortium.reconcile()
    [found] = [each for each in consortium.trader("A").breaks() if each.subject == "A CNY"]
    assert found.kind is BreakKind.AMOUNT
    assert found.first_seen_block == height


def test_bank_that_is_away_is_the_likely_cause(consortium):
    spoil(consortium, "A", consortium.trader("A").own_book, 1)
    consortium.bus.silence("BANK-1")
    consortium.reconcile()

    [found] = consortium.trader("A").breaks()
    assert found.version.cause is LikelyCause.KEEPER_AWAY


def report_of(consortium, *rows):
    """What a desk reports of trades that were captured: row by row, with its place."""
    trades = trades_of(consortium.network, *rows)
    return np.arange(len(trades)), trades


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dates": 1}, BreakKind.DATE),
        ({"quantities": 1}, BreakKind.QUANTITY),
        ({"amounts": 1}, BreakKind.AMOUNT),
        ({"buyers": 256}, BreakKind.ACCOUNT),
    ],
)
def test_terms_that_differ_are_named(changes, kind):
    consortium = small_consortium()
    [(name, more)] = changes.items()

    def version(participant, feed):
        place, trades = feed
        changed = replace(trades, **{name: getattr(trades, name) + more})
        return (place, changed) if participant == "A" else feed

    capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 100)), version)
    consortium.reconcile()
    found = consortium.trader("A").breaks()
    assert [each.kind for each in found] == [kind]
    consortium.trader("A").close_of_day()
    assert [each.kind for each in consortium.trader("A").breaks()] == [kind]
    consortium.close()


@pytest.mark.parametrize(("amount", "kinds"), [(100, []), (101, [BreakKind.AMOUNT])])
def test_trade_that_a_desk_reports_late_is_missing_no_more(amount, kinds):
    consortium = small_consortium()
    nobody = lambda participant, feed: None if participant == "A" else feed  # noqa: E731
    capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 100)), nobody)
    consortium.reconcile()
    [found] = consortium.trader("A").breaks()
    assert (found.kind, found.version.cause) == (BreakKind.MISSING_OURS, LikelyCause.FEED_BEHIND)
    assert found.version.at_risk == 100

    trader = consortium.trader("A")
    trader.record_trades(*report_of(consortium, ("T1", "A", "B", 10, amount)))
    consortium.reconcile()
    trader.close_of_day()
    assert [each.kind for each in trader.breaks()] == kinds
    consortium.close()


def test_view_is_rebuilt_to_the_same_hash_after_a_restart(tmp_path):
    consortium = small_consortium(path=tmp_path)
    nobody = lambda participant, feed: None if participant == "A" else feed  # noqa: E731
    capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 100)), nobody)
    consortium.reconcile()
    trader = consortium.trader("A")
    [found] = trader.breaks()
    trader.resolve_break(found.key, "the desk is late", "li")
    hashes = {id: node.view_hash() for id, node in consortium.nodes.items()}
    consortium.close()

    again = open_consortium(small_network(), NET, SimulatedClock.at(DAY), tmp_path)
    assert {id: node.view_hash() for id, node in again.nodes.items()} == hashes
    for _ in range(2):
        again.reconcile()
        assert {id: node.view_hash() for id, node in again.nodes.items()} == hashes
    again.trader("A").reopen_break(found.key, "li")
    assert again.trader("A").view_hash() != hashes["A"]
    again.close()
