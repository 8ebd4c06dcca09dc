"""The watcher counts every trade exactly once."""

from loadtests.finality import FinalityWatcher
from loadtests.trades import TradeMaker


class Book:
    """Answers like GET /v1/trades."""

    def __init__(self, states):
        self.states = states

    def get(self, path):
        cursor = int(path.split("cursor=")[1].split("&")[0])
        return {
            "data": [
                {"position": p, "state": s, "final_block": 7 if s == "settled" else None}
                for p, s in list(enumerate(self.states))[cursor : cursor + 500]
            ]
        }


def watcher_of(states):
    book, seconds = Book(states), []
    return book, FinalityWatcher(get=book.get, report=seconds.append), seconds


def test_trades_are_reported_once_as_they_become_final():
    book, watcher, seconds = watcher_of(["settled", "captured", "settled"])
    for position in range(3):
        watcher.accept(position, 0.0)

    watcher.look()
    watcher.look()
    assert (watcher.final, watcher.pending, watcher.cursor) == (2, 1, 1)
    book.states[1] = "settled"
    watcher.look()

    assert (watcher.final, watcher.pending, watcher.cursor) == (3, 0, 3)
    assert len(seconds) == 3


def test_every_row_of_a_batch_is_accounted_for():
    _, watcher, _ = watcher_of(["settled"] * 6)
    ranges = [
        {"row": 0, "count": 4, "first_position": 0},
        {"row": 4, "count": 3, "first_position": None},
        {"row": 7, "count": 2, "first_position": 4},
    ]
    watcher.accept_batch({"positions": ranges}, 0.0)
    assert (watcher.accepted, watcher.refused, watcher.pending) == (6, 3, 6)
    watcher.look()

    assert (watcher.final, watcher.refused, watcher.pending) == (6, 3, 0)


def test_all_pages_are_read():
    _, watcher, _ = watcher_of(["settled"] * 1_200)
    watcher.accept(1_100, 0.0)

    watcher.look()

    assert (watcher.final, watcher.cursor) == (1, 1_200)


def test_same_seed_makes_the_same_trades_and_no_two_users_the_same():
    first, again, other = TradeMaker("A", 1), TradeMaker("A", 1), TradeMaker("B", 1)

    made = [first.next() for _ in range(50)]

    assert made == [again.next() for _ in range(50)]
    numbers = {trade["number"] for trade in made} | {other.next()["number"] for _ in range(50)}
    assert len(numbers) == 100
