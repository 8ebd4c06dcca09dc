"""Two-sided entry that is cut off: by a crash after any commit, or by a house that is silent."""

from contextlib import suppress

import pytest

from ledger.books.database import UnitOfWork
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.settlement.matching import Wishes
from nodes.bus import UnreachableError
from nodes.invariants import violations
from nodes.side_entry import SideEntry
from tests.support.consortia import GROSS, small_consortium
from tests.support.sides import (
    enter,
    match,
    purchase_of,
    reopened,
    sale_of,
    settle,
    standing,
)

COMMITS_OF_AN_ENTRY = 9
"""Two of each side's entry, two of each trader's consent, and the queue's."""


@pytest.fixture
def consortium():
    built = small_consortium(GROSS)
    yield built
    built.close()


def silence(*_):
    raise UnreachableError


class CrashError(Exception):
    """Stands for the end of the process."""


def crash_after_commit(monkeypatch, number):
    """Ends the process right after a commit is on disk, before memory has it."""
    left = number

    def published(_session):
        nonlocal left
        left -= 1
        if not left:
            raise CrashError
        return original(_session)

    original = UnitOfWork.published
    monkeypatch.setattr(UnitOfWork, "published", published)


@pytest.mark.parametrize("commit", range(1, COMMITS_OF_AN_ENTRY + 1))
def test_entry_that_a_crash_cut_off_after_any_commit_is_brought_in_once(
    tmp_path, monkeypatch, commit
):
    consortium = small_consortium(GROSS, path=tmp_path / "state")
    with monkeypatch.context() as patched:
        crash_after_commit(patched, commit)
        with pytest.raises(CrashError):
            match(consortium)

    consortium = reopened(consortium, tmp_path)
    label = match(consortium)
    settle(consortium)

    assert [each.label for each in consortium.clearing_house.desk.instructions()] == [label]
    assert standing(consortium, label) == (State.SETTLED, None)
    assert (consortium.reconcile(), violations(consortium)) == (0, [])
    consortium.close()


@pytest.mark.parametrize("commit", range(1, COMMITS_OF_AN_ENTRY + 1))
def test_sides_taken_back_after_a_crash_are_cancelled_and_so_is_their_instruction(
    tmp_path, monkeypatch, commit
):
    consortium = small_consortium(GROSS, path=tmp_path / "state")
    free = {"amount": 0, "currency": ""}
    with monkeypatch.context() as patched:
        crash_after_commit(patched, commit)
        with suppress(CrashError):
            enter(consortium, "A", "S1", sale_of(consortium, **free))
            enter(consortium, "B", "P1", purchase_of(consortium, **free))

    with monkeypatch.context() as patched:
        patched.setattr(SideEntry, "agree", silence)
        consortium = reopened(consortium, tmp_path)
        house = consortium.clearing_house
        if house.matching.get("A", "S1") is not None:
            consortium.trader("A").sides.withdraw("S1")
        states = {each.state for each in house.desk.instructions()}
        side = house.matching.state_of("A", "S1")
    assert states in (set(), {side})
    assert (consortium.reconcile(), violations(consortium)) == (0, [])
    consortium.close()


@pytest.mark.parametrize("commit", range(1, COMMITS_OF_AN_ENTRY + 2))
def test_side_on_hold_is_signed_for_by_nobody_after_a_crash(tmp_path, monkeypatch, commit):
    consortium = small_consortium(GROSS, path=tmp_path / "state")
    with monkeypatch.context() as patched:
        crash_after_commit(patched, commit)
        with pytest.raises(CrashError):
            match(consortium, Wishes(is_held=True))

    consortium = reopened(consortium, tmp_path)
    label = match(consortium, Wishes(is_held=True))
    desk = consortium.clearing_house.desk
    assert desk.get(label).held_by == {consortium.network.participant_number("A")}
    assert desk.release(label) is None
    settle(consortium)
    assert standing(consortium, label) == (State.QUEUED, Reason.DISPUTED)
    consortium.close()


def test_entry_has_no_other_commits_than_those(consortium, monkeypatch):
    crash_after_commit(monkeypatch, COMMITS_OF_AN_ENTRY + 1)

    assert match(consortium)


def test_match_that_was_cut_off_needs_nobody_to_send_anything_again(tmp_path, monkeypatch):
    consortium = small_consortium(GROSS, path=tmp_path / "state")
    enter(consortium, "A", "S1", sale_of(consortium))
    with monkeypatch.context() as patched:
        crash_after_commit(patched, 2)  # the buyer's own record, and the house's match
        with pytest.raises(CrashError):
            enter(consortium, "B", "P1", purchase_of(consortium))

    consortium = reopened(consortium, tmp_path)
    settle(consortium)

    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)
    consortium.close()


def test_side_that_the_house_did_not_hear_is_entered_when_it_is_sent_again(consortium):
    house = consortium.clearing_house.id
    honest = consortium.clearing_house.handle

    consortium.bus.register(house, silence)
    with pytest.raises(UnreachableError):
        enter(consortium, "A", "S1", sale_of(consortium))
    consortium.bus.register(house, honest)
    assert match(consortium) == "A:S1+B:P1"
    settle(consortium)
    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)


def test_sides_are_there_again_after_a_restart(tmp_path):
    consortium = small_consortium(GROSS, path=tmp_path / "state")
    enter(consortium, "A", "S1", sale_of(consortium))
    enter(consortium, "A", "S2", sale_of(consortium, quantity=20))
    consortium.trader("A").sides.withdraw("S2")

    consortium = reopened(consortium, tmp_path)
    assert consortium.trader("B").sides.allegements().total == 1
    enter(consortium, "B", "P1", purchase_of(consortium))
    settle(consortium)
    assert standing(consortium, "A:S1+B:P1") == (State.SETTLED, None)
    consortium.close()
