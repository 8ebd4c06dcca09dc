"""Netting cycles between real nodes: who is left out, and that the rest settles."""

from dataclasses import replace

import numpy as np
import pytest

from ledger.books.cycles import ABANDONED, EMPTY, SETTLED
from ledger.books.postings import Register
from nodes.invariants import violations
from nodes.messages import AffirmationRequest, StatementRequest
from tests.support.consortia import GROSS, capture, small_consortium, states, trades_of
from tests.support.engines import embedded_only

RING = (("T1", "A", "B", 10, 1_000), ("T2", "B", "C", 10, 1_000), ("T3", "C", "A", 10, 900))


@pytest.fixture
def consortium():
    built = small_consortium()
    yield built
    built.close()


def close(consortium):
    row = consortium.clearing_house.net.close()
    consortium.clearing_house.desk.work()
    assert consortium.reconcile() >= 0
    assert violations(consortium) == []
    return row


def cash_of(consortium, owner):
    key = 1 << 32 | consortium.network.account_number(owner)
    return sum(consortium.clearing_house.projection.holding(Register.CASH, key))


def kinds(consortium):
    return sorted(
        (row.owner, row.kind.value) for node in consortium.nodes.values() for row in node.breaks()
    )


def test_cycle_settles_the_net_of_its_trades(consortium):
    capture(consortium, trades_of(consortium.network, *RING))

    row = close(consortium)

    assert (row.state, row.trade_count, row.securities_lines, row.cash_lines) == (SETTLED, 3, 0, 2)
    assert states(consortium) == ["settled"] * 3
    assert [cash_of(consortium, owner) for owner in "ABC"] == [10_100, 10_000, 9_900]
    assert kinds(consortium) == []


def test_nothing_waiting_is_no_cycle(consortium):
    assert consortium.clearing_house.net.close() is None


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda sequence, trades: (sequence[1:], trades.take(slice(1, None))), "missing_ours"),
        (
            lambda sequence, trades: (
                np.concatenate([sequence, sequence[:1]]),
                type(trades).concatenate([trades, trades.take(slice(0, 1))]),
            ),
            "duplicate",
        ),
        (
            lambda sequence, trades: (
                sequence,
                replace(
                    trades, quantities=trades.quantities + np.eye(1, len(trades), dtype=int)[0]
                ),
            ),
            "quantity",
        ),
        (
            lambda sequence, trades: (
                sequence,
                replace(trades, amounts=trades.amounts + np.eye(1, len(trades), dtype=int)[0]),
            ),
            "amount",
        ),
        (
            lambda sequence, trades: (
                sequence,
                replace(trades, buyers=trades.buyers + 256 * np.eye(1, len(trades), dtype=int)[0]),
            ),
            "account",
        ),
    ],
    ids=["missing", "twice", "other quantity", "other amount", "other account"],
)
def test_trade_that_a_blotter_does_not_confirm_is_a_break_and_the_rest_settles(
    consortium, spoil, kind
):
    version = lambda participant, feed: spoil(*feed) if participant == "A" else feed  # noqa: E731
    capture(consortium, trades_of(consortium.network, *RING), version)

    row = close(consortium)

    assert row.trade_count == 2
    assert states(consortium) == ["unaffirmed UNAFFIRMED", "settled", "settled"]
    assert kinds(consortium) == [("A", kind)]
    [found] = consortium.trader("A").breaks()
    assert found.subject.endswith(".T1")
    assert found.theirs == "A to B: 10 at 1.00"
    assert (found.ours == "-") == (kind == "missing_ours")


def test_trade_that_only_the_desk_knows_is_a_break_at_the_close_of_the_day(consortium):
    capture(consortium, trades_of(consortium.network, *RING))
    extra = trades_of(consortium.network, ("T9", "A", "B", 5, 100))
    consortium.trader("A").record_trades(np.array([99]), extra)
    close(consortium)

    consortium.trader("A").close_of_day()

    assert kinds(consortium) == [("A", "missing_theirs")]


def test_short_seller_loses_its_last_trades_and_the_rest_settles():
    consortium = small_consortium(shares={"A": 15})
    capture(
        consortium,
        trades_of(
            consortium.network,
            ("T1", "A", "B", 10, 100),
            ("T2", "A", "C", 10, 100),
            ("T3", "B", "C", 5, 50),
        ),
    )

    close(consortium)

    assert states(consortium) == ["settled", "queued LACK", "settled"]
    assert kinds(consortium) == []


def test_short_buyer_loses_its_last_trades_and_the_rest_settles():
    consortium = small_consortium(cash={"B": 150})
    capture(
        consortium,
        trades_of(consortium.network, ("T1", "A", "B", 10, 100), ("T2", "A", "B", 10, 100)),
    )

    close(consortium)

    assert states(consortium) == ["settled", "queued MONY"]


def test_trade_that_left_settles_gross_when_what_it_lacked_arrives():
    consortium = small_consortium(shares={"A": 5, "B": 10})
    network = consortium.network
    capture(consortium, trades_of(network, ("T1", "A", "C", 10, 100)))
    close(consortium)
    assert states(consortium) == ["queued LACK"]
    capture(consortium, trades_of(network, ("T2", "B", "A", 10, 100)))

    close(consortium)

    assert states(consortium) == ["settled", "settled"]
    assert kinds(consortium) == []


def test_silent_party_is_cut_out_and_the_rest_settles(consortium):
    consortium.bus.silence("A")
    capture(consortium, trades_of(consortium.network, *RING))

    row = close(consortium)

    assert row.trade_count == 1
    assert states(consortium) == ["queued SILENT", "settled", "queued SILENT"]


def test_cycle_in_which_nothing_is_left_only_moves_on(consortium):
    for owner in "ABC":
        consortium.bus.silence(owner)
    capture(consortium, trades_of(consortium.network, *RING))

    row = close(consortium)

    assert row.state == EMPTY
    assert consortium.clearing_house.net.waiting() == 0


@embedded_only
def test_cycle_that_comes_too_late_is_abandoned_and_its_trades_go_to_the_next(consortium):
    house = consortium.clearing_house
    capture(consortium, trades_of(consortium.network, *RING))
    deliver = house.outbox.deliver
    consortium.clock.set(consortium.network.business_date, 12 * 3600)

    def late(intent):
        consortium.clock.set(consortium.network.business_date, 13 * 3600)
        return deliver(intent)

    house.outbox.deliver = late
    first = house.net.close()
    house.outbox.deliver = deliver
    second = close(consortium)

    assert (first.state, second.state) == (ABANDONED, SETTLED)
    assert states(consortium) == ["settled"] * 3


def test_cancelled_trade_settles_nothing(consortium):
    trades = trades_of(consortium.network, *RING, RING[0])
    cancelled = replace(trades, cancels=np.array([0, 0, 0, 1]))
    capture(consortium, cancelled)

    row = close(consortium)

    assert row.trade_count == 2
    assert states(consortium) == ["cancelled", "settled", "settled", "cancelled"]
    assert kinds(consortium) == []


def test_trade_cancelled_after_it_settled_is_undone_by_its_opposite(consortium):
    capture(consortium, trades_of(consortium.network, RING[0]))
    close(consortium)
    undo = replace(trades_of(consortium.network, RING[0]), cancels=np.array([1]))
    capture(consortium, undo)

    close(consortium)

    assert states(consortium) == ["settled", "settled"]
    assert [cash_of(consortium, owner) for owner in "AB"] == [10_000, 10_000]
    assert kinds(consortium) == []


def test_cancellation_that_cannot_settle_waits_under_a_name_of_its_own():
    consortium = small_consortium(shares={"A": 0, "B": 0, "C": 10})
    trade = trades_of(consortium.network, ("T1", "A", "B", 10, 100))
    capture(consortium, trade)
    close(consortium)
    capture(consortium, trades_of(consortium.network, ("T2", "C", "A", 10, 100)))
    close(consortium)
    assert states(consortium) == ["settled", "settled"]
    capture(consortium, trades_of(consortium.network, ("T3", "B", "C", 10, 100)))
    close(consortium)

    capture(consortium, replace(trade, cancels=np.array([1])))
    close(consortium)
    assert states(consortium)[3] == "queued LACK"
    labels = [row.label for row in consortium.clearing_house.desk.instructions()]
    assert [label.split(".")[3:] for label in labels] == [["T1"], ["T1", "cancel"]]

    capture(consortium, trades_of(consortium.network, ("T4", "C", "B", 10, 100)))
    close(consortium)
    assert states(consortium) == ["settled"] * 5
    assert [cash_of(consortium, owner) for owner in "ABC"] == [9_900, 10_000, 10_100]
    assert kinds(consortium) == []


def test_trades_whose_amounts_one_cycle_cannot_add_up_take_two():
    most = 10**15
    consortium = small_consortium(cash={"A": most, "B": most, "C": 0})
    rows = [(f"T{i}", *("AB" if i % 2 else "BA"), 100, most) for i in range(4_700)]
    capture(consortium, trades_of(consortium.network, *rows))

    first, second = close(consortium), close(consortium)

    assert first.trade_count + second.trade_count == 4_700
    assert (first.state, second.state) == (SETTLED, SETTLED)
    assert consortium.clearing_house.net.waiting() == 0


def test_cancellation_that_only_the_desk_knows_is_a_break_beside_its_trade(consortium):
    trade = trades_of(consortium.network, RING[0])
    both = type(trade).concatenate([trade, replace(trade, cancels=np.array([1]))])
    consortium.trader("A").record_trades(np.array([1, 2]), both)

    consortium.trader("A").close_of_day()

    subjects = [row.subject for row in consortium.trader("A").breaks()]
    assert [subject.split(".")[3:] for subject in subjects] == [["T1"], ["T1", "cancel"]]


def test_gross_rules_settle_trade_by_trade():
    consortium = small_consortium(GROSS, shares={"A": 10})
    capture(
        consortium,
        trades_of(consortium.network, ("T1", "A", "B", 10, 100), ("T2", "A", "C", 10, 100)),
    )

    consortium.clearing_house.desk.work()

    assert consortium.reconcile() == 0
    assert states(consortium) == ["settled", "queued LACK"]
    assert violations(consortium) == []


def test_no_message_is_taken_from_the_wrong_role(consortium):
    trades = trades_of(consortium.network, *RING)
    request = AffirmationRequest(np.arange(3), trades)

    with pytest.raises(PermissionError, match="is not the exchange"):
        consortium.bus.request("B", "A", request)
    with pytest.raises(NotImplementedError, match="does not take"):
        consortium.bus.request("B", "A", StatementRequest())
