"""Every trade is counted once, whatever was answered and whatever the books say."""

import random

from hypothesis import given
from hypothesis import strategies as st

from loadtests.afterwards import Book
from loadtests.counting import Answer, Register, Tally
from loadtests.verdict import count_of, judge, prefixes_of

BOOKS = {"reconciled": True, "conserved": True, "breaks": 0}
FATES = ("settled", "waiting", "nowhere")


def number(prefix, place):
    return f"{prefix}{place:07d}"


def run_of(fates, prefix="L000"):
    """A register and the books of trades, each with what was answered and what became of it."""
    register, book = Register(prefix), Book()
    for place, (answer, fate) in enumerate(fates):
        assert register.take(1, 100.0 + place) == place
        if answer != Answer.UNSENT:
            register.send(place, 1, 101.0 + place)
        if answer == Answer.ACCEPTED:
            register.accept(place, 1_000 + place, 102.0 + place)
        elif answer == Answer.REFUSED:
            register.refuse(place, 1, 102.0 + place)
        if fate == "settled":
            book.settled[number(prefix, place)] = 1_000 + place, 1
        elif fate == "waiting":
            book.waiting[number(prefix, place)] = 1_000 + place, "captured"
    return register, book


runs = st.lists(st.tuples(st.sampled_from(Answer), st.sampled_from(FATES)), max_size=60)


@given(fates=runs)
def test_what_was_submitted_is_settled_refused_pending_or_lost(fates):
    count = count_of([run_of(fates)[0]], run_of(fates)[1])

    assert count.offered == len(fates)
    assert count.submitted == sum(answer != Answer.UNSENT for answer, _ in fates)
    assert count.submitted == count.settled + count.refused + count.pending + count.lost
    assert count.lost == fates.count((Answer.ACCEPTED, "nowhere"))
    assert count.undead == sum(
        answer == Answer.REFUSED and fate != "nowhere" for answer, fate in fates
    )
    assert count.strangers == sum(
        answer == Answer.UNSENT and fate != "nowhere" for answer, fate in fates
    )


@given(fates=runs)
def test_a_run_is_sound_only_if_books_and_answers_say_the_same(fates):
    register, book = run_of(fates)

    soundness = judge(count_of([register], book), Tally(), BOOKS)

    agree = {
        (Answer.UNSENT, "nowhere"),
        (Answer.ACCEPTED, "settled"),
        (Answer.REFUSED, "nowhere"),
        (Answer.UNKNOWN, "settled"),
        (Answer.UNKNOWN, "nowhere"),
    }
    assert soundness.is_sound == all(each in agree for each in fates)


@given(fates=runs, workers=st.integers(1, 4))
def test_workers_counts_merge_to_what_one_would_have_counted(fates, workers):
    parts = [run_of(fates[at::workers], f"L00{at}") for at in range(workers)]
    book = Book()
    for _, part in parts:
        book.settled |= part.settled
        book.waiting |= part.waiting

    merged = count_of([Register.unpacked(part.packed()) for part, _ in parts], book)

    assert merged == count_of([run_of(fates)[0]], run_of(fates)[1])


def test_a_register_goes_to_another_process_and_is_the_same():
    register, _ = run_of([(Answer.ACCEPTED, "settled"), (Answer.UNKNOWN, "nowhere")])

    other = Register.unpacked(register.packed())

    assert other.packed() == register.packed()
    assert list(other.positions) == [1_000, -1]


def test_tallies_add_up_across_processes():
    first, second = Tally(), Tally()
    first.sent["bad"] = 2
    second.sent["bad"] = 3
    second.errors["POST /v1/trades 503"] = 4
    second.errors_by_second[7] = 4
    second.no_retry_after = 1
    first.reads["GET /v1/queue"] = [0.1]
    second.reads["GET /v1/queue"] = [0.2]

    first.merge(Tally.unpacked(second.packed()))

    assert first.sent["bad"] == 5
    assert first.errors == {"POST /v1/trades 503": 4}
    assert first.errors_by_second == {7: 4}
    assert first.no_retry_after == 1
    assert first.reads == {"GET /v1/queue": [0.1, 0.2]}


def test_a_moved_trade_a_stranger_and_a_silent_worker_make_a_run_void():
    register, book = run_of([(Answer.ACCEPTED, "settled")])
    book.settled[number("L000", 0)] = 5, 1
    book.settled[number("L000", 9_000_001)] = 6, 1

    soundness = judge(count_of([register], book), Tally(), BOOKS, ["1"])

    assert soundness.faults == [
        "1 moved",
        "1 strangers",
        "worker 1 did not report what it had counted",
    ]


def test_wrongly_answered_messages_and_broken_books_make_a_run_void():
    tally = Tally()
    tally.sent["duplicate"], tally.right["duplicate"], tally.shed["duplicate"] = 5, 3, 1
    register, book = run_of([(Answer.ACCEPTED, "settled")])

    soundness = judge(count_of([register], book), tally, BOOKS | {"conserved": False})

    assert soundness.faults == [
        "1 duplicate messages answered otherwise than they must be",
        "conserved does not hold",
    ]


def test_only_messages_that_were_accepted_are_sent_again():
    register = Register("L000")
    assert register.some_answered(random.Random(1)) is None
    register.take(3, 1.0)
    register.remember(0, 3)

    assert register.some_answered(random.Random(1)) == (0, 3)
    assert prefixes_of([register]) == {"L000"}
