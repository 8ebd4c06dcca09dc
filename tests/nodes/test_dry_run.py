"""A dry run changes nothing, and what it says comes true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.instructions import Priority, State
from ledger.domain.reasons import Reason, Rejected
from ledger.domain.rules import Gridlock, QueueOrder, Rules
from ledger.settlement.parts import Part
from nodes.clearing_house.dry_run import dry_run
from nodes.entering import enter
from nodes.state_hash import state_hash
from tests.support.consortia import NET, capture, small_consortium, states, trades_of
from tests.support.instructions import bring_in, entry_of, everything_on_disk
from tests.support.looking import examples

BY_HAND = Rules(auto_settle=False, partial=True, partial_minimum_cash_share=0)
SIDES = [(one, other) for one in "ABC" for other in "ABC" if one != other]
LEGS = st.one_of(
    st.tuples(st.integers(1, 30), st.integers(1, 60)),
    st.tuples(st.integers(1, 30), st.just(0)),
    st.tuples(st.just(0), st.integers(1, 300)),
)
TERMS = st.tuples(
    st.sampled_from(SIDES),
    LEGS,
    st.sampled_from(Priority),
    st.booleans(),
    st.sampled_from([False] * 7 + [True]),
    st.sampled_from([None] * 8 + [0, 1, 2]),
)


def entries_of(consortium, all_terms):
    for place, (sides, legs, priority, partial, held, link) in enumerate(all_terms):
        linked = (f"I{link}",) if link is not None and link != place else ()
        yield entry_of(
            consortium,
            f"I{place}",
            *sides,
            *legs,
            priority=priority,
            may_be_partial=partial and not linked,
            is_held=held,
            linked_to=linked,
        )


def snapshot(consortium):
    queue = consortium.clearing_house.desk.book.queue
    kept = (queue._live, queue._queues, queue._standing, queue._links._bound, queue._to_try)
    return state_hash(consortium), everything_on_disk(consortium), repr(kept)


def dry(consortium, *labels, entries=()):
    before = snapshot(consortium)
    found = dry_run(consortium.clearing_house, labels, entries)
    assert snapshot(consortium) == before
    return found


def comes_true(consortium, label, found):
    """Does what the forecast says should help, and sees whether it does."""
    desk = consortium.clearing_house.desk
    in_the_way = found.held or found.awaited or found.suspended or found.must_wait or found.late
    if found.settles:
        assert desk.settle(label) is None
    elif found.part is not None:
        before = desk.get(label)
        desk.settle(label)
        after = desk.get(label)
        assert after.state is State.PARTIALLY_SETTLED
        assert after.settled_quantity - before.settled_quantity == found.part.quantity
        assert after.settled_amount - before.settled_amount == found.part.amount
    elif found.settles_with:
        assert desk.resolve(Gridlock.FIFO).settled == found.settles_with
    elif found.missing and not in_the_way:
        for shortfall in found.missing:
            kind = shortfall.pot.kind.name.lower()
            bring_in(consortium, kind, shortfall.pot.account, shortfall.short)
        assert desk.settle(label) is None
    else:
        assert desk.settle(label) is found.reason


@examples(7, deep=200)
@given(
    all_terms=st.lists(TERMS, min_size=1, max_size=6),
    order=st.sampled_from(QueueOrder),
    picks=st.lists(st.integers(0, 5), min_size=3, max_size=6),
)
def test_what_a_dry_run_says_of_an_instruction_comes_true(all_terms, order, picks):
    rules = Rules(auto_settle=False, partial=True, partial_minimum_cash_share=0, queue=order)
    consortium = small_consortium(rules, {"A": 20, "B": 10}, {"A": 100, "C": 200})
    desk = consortium.clearing_house.desk
    for entry in entries_of(consortium, all_terms):
        enter(consortium, entry)
    for pick in picks:
        label = f"I{pick % len(all_terms)}"
        found = dry(consortium, label)
        if isinstance(found, Rejected):
            assert not desk.get(label).state.is_live
            continue
        assert found.reason is desk.get(label).reason
        comes_true(consortium, label, found)
    consortium.close()


@examples(4, deep=80)
@given(all_terms=st.lists(TERMS, min_size=2, max_size=5), split=st.integers(1, 4))
def test_what_a_dry_run_says_of_what_is_not_entered_comes_true(all_terms, split):
    consortium = small_consortium(BY_HAND, {"A": 20, "B": 10}, {"A": 100, "C": 200})
    entries = list(entries_of(consortium, all_terms))
    for entry in entries[:split]:
        enter(consortium, entry)
    entry = entries[-1]
    found = dry(consortium, entries=[entry])
    enter(consortium, entry)

    assert found == dry(consortium, entry.label)
    comes_true(consortium, entry.label, found)
    consortium.close()


def test_set_that_is_a_circle_settles_together_and_nobody_of_it_alone():
    consortium = small_consortium(BY_HAND, {}, {"A": 60})
    for label, payee, payer in (("AB", "B", "A"), ("BC", "C", "B"), ("CA", "A", "C")):
        enter(consortium, entry_of(consortium, label, payee, payer, 0, 100))

    alone, together = dry(consortium, "AB"), dry(consortium, "AB", "BC", "CA")

    assert (alone.reason, alone.missing[0].short) == (Reason.MONY, 40)
    assert set(alone.settles_with) == {"AB", "BC", "CA"}
    assert together.settles
    assert consortium.clearing_house.desk.resolve(Gridlock.FIFO).settled == ("AB", "BC", "CA")


def test_part_that_is_foretold_settles_and_the_rest_needs_what_is_named():
    consortium = small_consortium(BY_HAND, {"A": 20}, {"B": 300})
    enter(consortium, entry_of(consortium, "IT", "A", "B", 30, 100, may_be_partial=True))

    found = dry(consortium, "IT")

    assert (found.reason, found.part) == (Reason.LACK, Part(20, 67))
    comes_true(consortium, "IT", found)
    rest = dry(consortium, "IT")
    assert (rest.part, [each.short for each in rest.missing]) == (None, [10])
    comes_true(consortium, "IT", rest)


def test_everything_in_the_way_is_named_at_once():
    consortium = small_consortium(BY_HAND, {"A": 5}, {})
    house = consortium.clearing_house
    enter(consortium, entry_of(consortium, "FIRST", "A", "C", 5, 0))
    entry = entry_of(consortium, "IT", "A", "B", 30, 70, linked_to=("NEVER",), is_held=True)
    enter(consortium, entry)
    house.suspend("B")

    found = dry(consortium, "IT")

    assert found.reason is Reason.HELD
    assert [(label, len(who)) for label, who in found.held] == [("IT", 2)]
    assert (found.awaited, found.ahead, found.must_wait) == (("NEVER",), ("FIRST",), True)
    assert found.suspended == (house.network.participant_number("B"),)
    assert [each.short for each in found.missing] == [25, 70]


def test_what_is_late_is_said_to_be_and_makes_room_for_others():
    consortium = small_consortium(BY_HAND, {"A": 5}, {})
    now = int(consortium.clock.business_time().timestamp())
    enter(consortium, entry_of(consortium, "LATE", "A", "C", 50, 0, expires_at=now + 60))
    enter(consortium, entry_of(consortium, "NEXT", "A", "B", 5, 0))
    assert dry(consortium, "NEXT").reason is Reason.BEHIND
    consortium.clock.set(consortium.network.business_date, 9 * 3600 + 61)

    late, following = dry(consortium, "LATE"), dry(consortium, "NEXT")

    assert (late.reason, late.late) == (Reason.LATE, ("LATE",))
    assert following.settles
    assert consortium.clearing_house.desk.settle("NEXT") is None


@pytest.mark.parametrize(
    ("labels", "reason"), [(["NOBODY"], Reason.UNKNOWN), (["DONE"], Reason.FINAL)]
)
def test_what_is_not_there_or_has_ended_is_refused(labels, reason):
    consortium = small_consortium(BY_HAND)
    enter(consortium, entry_of(consortium, "DONE", "A", "B", 5, 0))
    assert consortium.clearing_house.desk.settle("DONE") is None

    assert dry(consortium, *labels).reason is reason


def test_entry_that_would_be_refused_is_refused_by_the_dry_run_too():
    consortium = small_consortium(BY_HAND)
    enter(consortium, entry_of(consortium, "IT", "A", "B", 5, 0))
    other = entry_of(consortium, "IT", "A", "B", 6, 0)

    assert dry(consortium, entries=[other]).reason is Reason.DUPLICATE


def test_dry_run_of_a_cycle_names_who_leaves_and_the_cycle_does_the_same():
    consortium = small_consortium(NET, {"A": 100}, {"B": 10_000, "C": 50})
    rows = [("1", "A", "B", 60, 600), ("2", "A", "C", 10, 100), ("3", "A", "B", 41, 410)]
    capture(consortium, trades_of(consortium.network, *rows))
    before = snapshot(consortium)

    cut = consortium.clearing_house.net.dry_run()

    assert snapshot(consortium) == before
    assert cut.leavers == {1: Reason.MONY, 2: Reason.LACK}
    consortium.clearing_house.net.close()
    consortium.catch_up()
    assert states(consortium) == ["settled", "queued MONY", "queued LACK"]
    assert consortium.clearing_house.net.dry_run() is None
