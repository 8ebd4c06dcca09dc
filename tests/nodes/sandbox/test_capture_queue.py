"""Many senders, one commit: everybody is answered, once, and only after it is on disk."""

import shutil
from concurrent.futures import wait
from threading import Thread

import pytest
from sqlalchemy import event

from ledger.domain.reasons import Reason, Rejected
from nodes import exchange
from nodes.sandbox import capture_queue
from nodes.sandbox.capture_queue import Captured, CaptureQueue
from tests.support.consortia import small_consortium, trades_of


def trades(consortium, *numbers, quantity=10):
    rows = [(f"T{number}", "A", "B", quantity, 1_000) for number in numbers]
    return trades_of(consortium.network, *rows)


def row_of(columns):
    return [int(column[0]) for column in columns.columns().values()]


@pytest.fixture
def consortium():
    return small_consortium()


@pytest.fixture
def queue(consortium):
    return CaptureQueue(consortium.exchange)


def commits_of(consortium):
    seen = []
    event.listen(consortium.exchange.database._engine, "commit", lambda _: seen.append(1))
    return seen


def test_all_who_wait_share_one_commit_and_each_batch_is_a_record(consortium, queue):
    answers = [queue.submit(row_of(trades(consortium, n))) for n in (1, 2, 1)]
    batches = [queue.submit_batch(trades(consortium, *numbers)) for numbers in ((3, 4), (2, 5))]
    commits = commits_of(consortium)

    queue.take_turn(1)

    assert [answer.result() for answer in answers] == [
        Captured(0, was_known=False),
        Captured(1, was_known=False),
        Captured(0, was_known=True),
    ]
    found = [batch.result().submission for batch in batches]
    assert [(each.captured, each.repeated) for each in found] == [(2, 0), (1, 1)]
    assert [batch.count for batch in consortium.exchange.captured.batches] == [2, 2, 1]
    # One to look for each batch's content would be a read; a commit that writes is one.
    assert len(consortium.exchange.captured.batches) == 3
    assert len(commits) >= 1


def test_same_content_at_once_and_later_is_answered_the_same(consortium, queue):
    content = trades(consortium, 1, 2, 3)
    first, second = queue.submit_batch(content), queue.submit_batch(content)
    queue.take_turn(1)
    third = queue.submit_batch(content)
    queue.take_turn(1)
    again = CaptureQueue(consortium.exchange)
    fourth = again.submit_batch(content)
    again.take_turn(1)

    answers = [each.result() for each in (first, second, third, fourth)]
    assert [answer.was_known for answer in answers] == [False, True, True, True]
    assert len({answer.submission for answer in answers}) == 1
    assert consortium.exchange.captured.end_position == 3


def test_batch_of_contradictions_only_is_answered_the_same_again(consortium, queue):
    queue.submit_batch(trades(consortium, 1))
    queue.take_turn(1)
    other = trades(consortium, 1, quantity=11)
    answers = []
    for _ in range(2):
        answers.append(queue.submit_batch(other))
        queue.take_turn(1)

    assert [answer.result().submission.refused for answer in answers] == [1, 1]
    assert consortium.exchange.refusal_count() == 1


def test_threads_that_submit_at_once_all_get_their_own_answer(consortium, queue):
    answers = {}

    def send(part):
        for number in range(part * 100, part * 100 + 20):
            answers[number] = queue.submit_batch(trades(consortium, number, number + 50))

    threads = [Thread(target=send, args=(part,)) for part in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        queue.take_turn(0.01)
    wait(answers.values(), timeout=5)

    captured = consortium.exchange.captured
    for number, answer in answers.items():
        [where] = answer.result(timeout=0).submission.ranges
        found = captured.trades(where.first_position, where.first_position + where.count)
        expected = trades(consortium, number, number + 50)
        assert found.numbers.tolist() == expected.numbers.tolist()


def test_full_disk_refuses_everybody_and_captures_nothing(consortium, queue, monkeypatch):
    monkeypatch.setattr(type(consortium.exchange.database), "folder", "/")
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(exchange.shutil, "disk_usage", lambda _: usage._replace(free=1_000))
    single = queue.submit(row_of(trades(consortium, 1)))
    batch = queue.submit_batch(trades(consortium, 2, 3))
    queue.take_turn(1)

    for answer in (single, batch):
        assert isinstance(answer.result(), Rejected)
        assert answer.result().reason is Reason.STORAGE
    assert consortium.exchange.captured.end_position == 0

    monkeypatch.undo()
    again = queue.submit_batch(trades(consortium, 2, 3))
    queue.take_turn(1)
    assert again.result().submission.captured == 2


def test_what_is_not_cleared_counts_as_waiting(consortium, monkeypatch):
    monkeypatch.setattr(capture_queue, "TRADES_WAITING_MAX", 5)
    uncleared = [3]
    queue = CaptureQueue(consortium.exchange, lambda: uncleared[0])
    refused = queue.submit_batch(trades(consortium, 1, 2, 3))
    fits = queue.submit_batch(trades(consortium, 5, 6))
    uncleared[0] = 0
    queue.take_turn(1)

    assert refused.result().reason is Reason.UNAVAILABLE
    assert "3 trades wait" in refused.result().detail
    assert fits.result().submission.captured == 2
    later = queue.submit_batch(trades(consortium, 1, 2, 3))
    queue.take_turn(1)
    assert later.result().submission.captured == 3


def test_more_than_can_wait_is_refused(consortium, queue, monkeypatch):
    monkeypatch.setattr(capture_queue, "TRADES_WAITING_MAX", 2)
    fits, refused = (
        queue.submit_batch(trades(consortium, 1, 2)),
        queue.submit_batch(trades(consortium, 3)),
    )
    queue.take_turn(1)

    assert fits.result().submission.captured == 2
    assert refused.result().reason is Reason.UNAVAILABLE
    later = queue.submit_batch(trades(consortium, 3))
    queue.take_turn(1)
    assert later.result().submission.captured == 1


def test_whoever_comes_after_the_last_turn_is_answered_too(consortium, queue):
    waiting = queue.submit(row_of(trades(consortium, 1)))
    refusal = Rejected(Reason.UNAVAILABLE, "the sandbox is stopping")

    queue.close(refusal)
    late = queue.submit_batch(trades(consortium, 2))

    assert waiting.result(timeout=0) == late.result(timeout=0) == refusal
    assert consortium.exchange.captured.end_position == 0
