"""An exchange that is killed while it captures."""

import os
import signal

from sqlalchemy import event

from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.sandbox.capture_queue import CaptureQueue
from tests.support.consortia import DAY, NET, small_network, trades_of

BATCHES = 6
TRADES = 50


def open_one(folder):
    """The consortium in a folder."""
    return open_consortium(small_network(), NET, SimulatedClock.at(DAY), folder)


def batch(consortium, number):
    """The batch of a number; it shares half of its trades with the one before."""
    first = number * TRADES // 2
    rows = [(str(1 + first + i), "A", "B", 10, 1_000) for i in range(TRADES)]
    return trades_of(consortium.network, *rows)


def capture_all(folder, moment="", times=0):
    """Captures every batch, says so, and gives what each was answered.

    It is killed "before" or "after" a commit of the capture, the so many-th.
    """
    consortium = open_one(folder)
    exchange, queue = consortium.exchange, CaptureQueue(consortium.exchange)
    left = times

    def count_down(_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment == "before":
        event.listen(exchange.database._engine, "commit", count_down)
    if moment == "after":
        take_in = exchange._take_in
        exchange._take_in = lambda *words: (count_down(None), take_in(*words))
    answers = []
    for number in range(BATCHES):
        answer = queue.submit_batch(batch(consortium, number))
        queue.take_turn(1)
        answers.append(answer.result())
        print(number, flush=True)
    end = exchange.captured.end_position
    trades = exchange.captured.trades(0, end)
    consortium.close()
    return answers, trades
