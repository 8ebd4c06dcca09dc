"""From the exchange to desks and clearing house: in parts, in another thread, with nobody there."""

from dataclasses import replace
from threading import Thread

import pytest

from nodes import exchange as exchanges
from nodes.desks import take_in
from nodes.invariants import violations
from nodes.messages import CapturedBatch
from nodes.trade_words import describe_trade_id
from tests.support.consortia import NET, answering, small_consortium, states, trades_of

RICH = dict.fromkeys("ABC", 10**9)


def rows(first, count):
    pairs = ("AB", "BC", "CA")
    return [
        (f"T{n}", pairs[n % 3][0], pairs[n % 3][1], 1 + n % 7, 100 + n)
        for n in range(first, first + count)
    ]


def test_one_thread_captures_while_another_clears(tmp_path):
    rules = replace(NET, cycle_trades_max=500)
    consortium = small_consortium(rules, shares=RICH, cash=RICH, path=tmp_path)
    exchange, house = consortium.exchange, consortium.clearing_house
    sizes, failures = [1, 40, 250, 3] * 10, []

    def capture():
        first = 1
        try:
            for place, size in enumerate(sizes):
                exchange.capture(f"b{place}", trades_of(consortium.network, *rows(first, size)))
                first += size
        except Exception as error:  # noqa: BLE001 # shown by the thread that waits
            failures.append(error)

    writer = Thread(target=capture)
    writer.start()
    is_over = False
    while not is_over or house.net.waiting():
        is_over = not writer.is_alive()
        take_in(consortium)
        if house.net.waiting() >= (1 if is_over else 500):
            house.net.close()
            assert consortium.reconcile() == 0
    writer.join()

    assert failures == []
    assert states(consortium) == ["settled"] * sum(sizes)
    assert violations(consortium) == []
    captured, kept = exchange.captured, house.intake.stream
    assert len(kept.batches) < len(captured.batches)
    assert (
        kept.trades(0, sum(sizes)).numbers.tolist()
        == captured.trades(0, sum(sizes)).numbers.tolist()
    )
    consortium.close()


@pytest.mark.parametrize(("parts_max", "counts"), [(1, [2, 1, 3]), (3, [3, 3]), (100, [6])])
def test_trades_are_passed_on_in_parts_of_whole_batches(monkeypatch, parts_max, counts):
    monkeypatch.setattr(exchanges, "PASSED_ON_MAX", parts_max)
    consortium = small_consortium()
    honest, came = consortium.clearing_house.handle, []

    def count(message):
        came.append(sum(record.count for record in message.records))
        return honest("EXCHANGE", message)

    answering(consortium, "CLEARING-HOUSE", CapturedBatch, count)
    first = 1
    for size in (2, 1, 3):
        trades = trades_of(consortium.network, *rows(first, size))
        consortium.exchange.capture(f"b{first}", trades)
        first += size
    take_in(consortium)

    assert came == counts
    assert states(consortium) == ["captured"] * 6


def test_house_that_stopped_within_a_batch_is_given_the_rest_of_it():
    consortium = small_consortium()
    trades = trades_of(consortium.network, *rows(1, 5))
    consortium.exchange.capture("b", trades)
    consortium.exchange.hand_over(0, 2, frozenset())

    take_in(consortium)

    stream = consortium.clearing_house.intake.stream
    assert [batch.count for batch in stream.batches] == [2, 3]
    assert stream.trades(0, 5).numbers.tolist() == trades.numbers.tolist()


def test_trades_of_a_desk_with_nobody_at_it_are_not_affirmed():
    consortium = small_consortium()
    consortium.exchange.capture("b", trades_of(consortium.network, *rows(1, 3)))

    take_in(consortium, lambda participant, feed: None if participant == "B" else feed)

    names = [
        describe_trade_id(consortium.network, consortium.exchange.captured.trades(0, 3), row)
        for row in range(3)
    ]
    assert [name.rpartition(".")[2] for name in names] == ["T1", "T2", "T3"]
    assert states(consortium) == ["unaffirmed UNAFFIRMED", "captured", "unaffirmed UNAFFIRMED"]
