"""The table of states: ends have no exits, every state is reached, and each is explained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.instructions import LIVE, State
from ledger.domain.reasons import Reason
from ledger.domain.states import REFUSED_AT_ENTRY, REFUSED_AT_THE_END, meaning_of, moves

ENDS = {State.SETTLED, State.CANCELLED, State.FAILED}
BEGINNINGS = {State.UNMATCHED, State.QUEUED, State.HELD}


def next_of(state):
    return {new for old, new in moves() if old is state}


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_state_is_explained_in_both_languages(state):
    meaning = meaning_of(state)

    assert all([meaning.text, meaning.text_zh, meaning.name_zh, meaning.iso_status])
    assert list(meaning.reasons) == sorted(set(meaning.reasons), key=lambda reason: reason.value)


def test_ends_are_the_states_without_exits():
    assert {state for state in State if not next_of(state)} == ENDS


def test_live_states_may_settle_after_moves_between_live_states_alone():
    assert {State.QUEUED, State.PARTIALLY_SETTLED} <= {
        s for s in LIVE if s.can_become(State.SETTLED)
    }
    assert all(next_of(state) & LIVE for state in LIVE)
    assert State.UNMATCHED not in LIVE


def test_every_state_is_reached_from_a_beginning():
    reached, new = set(), set(BEGINNINGS)
    while new:
        reached |= new
        new = {after for state in new for after in next_of(state)} - reached

    assert reached == set(State)


def test_nothing_becomes_itself_or_unmatched_again():
    assert not [state for state in State if state.can_become(state)]
    assert not [state for state in State if state.can_become(State.UNMATCHED)]


def test_what_has_settled_in_part_is_not_queued_as_if_nothing_had():
    assert not State.PARTIALLY_SETTLED.can_become(State.QUEUED)


@given(st.sampled_from(sorted(BEGINNINGS, key=lambda s: s.value)), st.lists(st.sampled_from(State)))
def test_final_never_leaves_whatever_is_asked(state, asked):
    settled_at = None
    for place, wanted in enumerate(asked):
        if state.can_become(wanted):
            state = wanted
            assert settled_at is None
        if state in ENDS and settled_at is None:
            settled_at = place
    assert settled_at is None or state in ENDS


def test_every_reason_that_an_instruction_can_wait_for_is_met_in_a_state_or_refused():
    met = {reason for state in State for reason in meaning_of(state).reasons}
    of_cycles_and_services = {
        Reason.UNBALANCED,
        Reason.UNCOVERED,
        Reason.OCCUPIED,
        Reason.CAP,
        Reason.UNPROVEN,
        Reason.UNIDENTIFIED,
        Reason.UNAVAILABLE,
        Reason.STORAGE,
        Reason.BUSY,
    }

    spoken_of = met | {*REFUSED_AT_ENTRY} | {*REFUSED_AT_THE_END}
    assert spoken_of.isdisjoint(of_cycles_and_services)
    assert spoken_of | of_cycles_and_services == set(Reason)
