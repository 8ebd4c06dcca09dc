"""Breaks live as their history says: opened, changed, resolved, closed, come again; never lost."""

from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import event

from ledger.books.break_life import Seen, folded, key_of
from ledger.books.breaks import EVERY, ONLY_OPEN, TIMING_BLOCKS_MAX, BreakBook, BreakFilter
from ledger.books.database import StorageError, open_database
from ledger.books.reconciliation import Comparison, Difference
from ledger.domain.break_actions import BreakAction, BreakSubject, actions_of
from ledger.domain.break_meanings import LikelyCause, likely_cause
from ledger.domain.breaks import (
    AgeBucket,
    BreakAct,
    BreakKind,
    BreakState,
    business_days_between,
)
from ledger.domain.reasons import Reason, Rejected

SCOPES = ["own:", "kept:"]
DAY = "2026-02-10T09:00:00+00:00"


def difference(id, ours="1", kind=BreakKind.QUANTITY, **more):
    return Difference(id, kind, f"about {id}", ours, "theirs", **more)


def seen_at(block):
    return Seen(block, DAY)


@pytest.fixture
def database():
    opened = open_database(None)
    yield opened
    opened.close()


@pytest.fixture
def book(database):
    return BreakBook(database, "A")


def record(database, book, block, *found, scope="own:", is_complete=True):
    with database.transaction() as session:
        return book.record(
            session, [Comparison(scope, list(found), is_complete=is_complete)], seen_at(block)
        )


def acts(book, id):
    return [entry.act for entry in book.history(id)]


ids = st.sampled_from(["own:a", "own:b", "kept:a"])


class Lives(RuleBasedStateMachine):
    """Breaks under comparisons, people and restarts, beside a simple model of them.

    The model: which differences there have ever been, which are there, and which are resolved.
    """

    def __init__(self):
        super().__init__()
        self.database = open_database(None)
        self.book = BreakBook(self.database, "A")
        self.ever, self.standing, self.resolved = set(), {}, {}
        self.block = 0

    def teardown(self):
        self.database.close()

    @rule()
    def restart(self):
        self.book = BreakBook(self.database, "A")

    @rule(
        scope=st.sampled_from(SCOPES),
        found=st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"])),
        is_complete=st.booleans(),
    )
    def compare(self, scope, found, is_complete):
        self.block += 1
        found = {f"{scope}{name}": ours for name, ours in found.items()}
        gone = {id for id in self.standing if is_complete and id.startswith(scope)} - found.keys()
        changed = {id for id, ours in found.items() if self.standing.get(id) != ours}
        for id in gone:
            del self.standing[id]
        for id in gone | changed:
            self.resolved.pop(id, None)
        self.standing |= found
        self.ever |= found.keys()

        differences = [difference(id, ours) for id, ours in found.items()]
        count = record(
            self.database,
            self.book,
            self.block,
            *differences,
            scope=scope,
            is_complete=is_complete,
        )
        assert count == len(self.standing) - len(self.resolved)

    @rule(id=ids, to=st.sampled_from(["", "li", "wang"]))
    def assign(self, id, to):
        answer = self.book.assign(key_of(id), to, "li", seen_at(self.block))
        assert self.is_taken(id, answer) == (id in self.standing)

    @rule(id=ids)
    def comment(self, id):
        answer = self.book.comment(key_of(id), "looking", "li", seen_at(self.block))
        assert self.is_taken(id, answer) == (id in self.ever)

    @rule(id=ids, reason=st.sampled_from(["rounding", "theirs is right"]))
    def resolve(self, id, reason):
        answer = self.book.resolve(key_of(id), reason, "li", seen_at(self.block))
        if self.is_taken(id, answer):
            self.resolved[id] = reason

    @rule(id=ids)
    def reopen(self, id):
        answer = self.book.reopen(key_of(id), "li", seen_at(self.block))
        if self.is_taken(id, answer):
            self.resolved.pop(id, None)

    def is_taken(self, id, answer):
        if not isinstance(answer, Rejected):
            return True
        assert answer.reason is (Reason.FINAL if id in self.ever else Reason.UNKNOWN)
        assert id not in self.standing
        return False

    @invariant()
    def agrees_with_the_model(self):
        breaks = {each.id: each for each in self.book.select(EVERY)}
        assert breaks.keys() == self.ever
        there = {id: each for id, each in breaks.items() if each.is_standing}
        assert {id: each.ours for id, each in there.items()} == self.standing
        assert dict(self.book.standing()) == there
        resolved = [each for each in breaks.values() if each.state is BreakState.RESOLVED]
        assert {each.id: each.resolution for each in resolved} == self.resolved
        assert len(self.book.select(ONLY_OPEN)) == len(self.standing) - len(self.resolved)

    @invariant()
    def is_its_history(self):
        for each in self.book.select(EVERY):
            assert folded(each.id, "A", self.book.history(each.id)) == each


class TestLives(Lives.TestCase):
    """Nothing is lost, every history folds to its break, counts are those of the model."""

    settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_what_is_as_before_is_neither_read_nor_written_again(database, book):
    record(database, book, 1, difference("own:a"))
    statements = []
    event.listen(
        database._engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: statements.append(statement.split()[0]),
    )

    assert record(database, book, 2, difference("own:a")) == 1

    assert statements == []


def test_price_that_moves_is_no_change(database, book):
    record(database, book, 1, difference("own:a", at_risk=10, currency="CNY"))
    record(database, book, 2, difference("own:a", at_risk=12, currency="CNY"))

    assert acts(book, "own:a") == [BreakAct.OPENED]


def test_change_of_versions_is_in_the_history_with_both(database, book):
    record(database, book, 1, difference("own:a", "1"))
    record(database, book, 2, difference("own:a", "2"))

    changed = book.history("own:a")[-1]
    assert changed.act is BreakAct.CHANGED
    assert (changed.before.ours, changed.after.ours) == ("1", "2")


def test_resolved_break_whose_versions_change_is_open_again(database, book):
    record(database, book, 1, difference("own:a", "1"))
    book.resolve(key_of("own:a"), "rounding", "li", seen_at(1))
    assert record(database, book, 2, difference("own:a", "1")) == 0

    assert record(database, book, 3, difference("own:a", "2")) == 1

    assert acts(book, "own:a") == [BreakAct.OPENED, BreakAct.RESOLVED, BreakAct.REOPENED]


def test_resolved_break_whose_cause_goes_closes_and_keeps_its_reason(database, book):
    record(database, book, 1, difference("own:a"))
    book.resolve(key_of("own:a"), "rounding", "li", seen_at(1))

    record(database, book, 2)

    [found] = book.select(EVERY)
    assert (found.state, found.resolution, found.closed) == (
        BreakState.CLOSED,
        "rounding",
        seen_at(2),
    )


def test_difference_that_comes_again_is_as_old_as_this_time_and_counted(database, book):
    record(database, book, 1, difference("own:a"))
    record(database, book, 2)
    record(database, book, 5, difference("own:a"))

    [found] = book.select(EVERY)
    assert (found.first_seen, found.occurrences, found.closed) == (seen_at(5), 2, None)


def test_what_is_in_flight_for_too_long_is_a_difference_like_others(database, book):
    flying = difference(
        "own:a",
        kind=BreakKind.TIMING,
        cause=LikelyCause.SIGNED_NOT_FINAL,
        kind_if_it_stays=BreakKind.AMOUNT,
    )
    for block in range(1, TIMING_BLOCKS_MAX + 2):
        record(database, book, block, flying)
        assert [each.kind for each in book.select(ONLY_OPEN)] == [BreakKind.TIMING]

    record(database, book, TIMING_BLOCKS_MAX + 2, flying)

    assert [each.kind for each in book.select(ONLY_OPEN)] == [BreakKind.AMOUNT]


def test_same_act_again_changes_nothing(database, book):
    record(database, book, 1, difference("own:a"))
    for _ in range(2):
        book.assign(key_of("own:a"), "li", "wang", seen_at(1))
        book.resolve(key_of("own:a"), "rounding", "li", seen_at(1))

    assert acts(book, "own:a") == [BreakAct.OPENED, BreakAct.ASSIGNED, BreakAct.RESOLVED]


@pytest.mark.parametrize("text", ["", "x" * 501])
def test_comment_or_reason_of_no_or_too_many_characters_is_refused(database, book, text):
    record(database, book, 1, difference("own:a"))

    assert book.comment(key_of("own:a"), text, "li", seen_at(1)).reason is Reason.INVALID
    assert book.resolve(key_of("own:a"), text, "li", seen_at(1)).reason is Reason.INVALID


def test_filter_takes_what_it_names(database, book):
    record(database, book, 1, difference("own:a"), difference("own:b", kind=BreakKind.AMOUNT))
    book.assign(key_of("own:b"), "li", "li", seen_at(1))

    def found(**wanted):
        return [each.id for each in book.select(BreakFilter(**wanted))]

    assert found() == ["own:a", "own:b"]
    assert found(kind=BreakKind.AMOUNT) == found(assignee="li") == ["own:b"]
    assert found(assignee="") == found(contains="OWN:A") == ["own:a"]
    assert found(states=(BreakState.CLOSED,)) == []


def test_breaks_as_of_a_block_are_those_that_stood_then_as_they_were(database, book):
    record(database, book, 1, difference("own:a", asset="CNY"), difference("own:b"))
    record(database, book, 3, difference("own:a", ours="2", asset="CNY"))
    book.resolve(key_of("own:a"), "rounding", "li", seen_at(4))
    record(database, book, 5)
    record(database, book, 7, difference("own:b", ours="3"))

    def stood(block, **wanted):
        found = book.select(BreakFilter(as_of_block=block, **wanted))
        return [(each.id, each.ours, each.state.value) for each in found]

    assert stood(0) == stood(5) == stood(6) == []
    assert stood(2) == [("own:a", "1", "open"), ("own:b", "1", "open")]
    assert stood(3) == [("own:a", "2", "open")]
    assert stood(4) == [("own:a", "2", "resolved")]
    assert stood(7) == [("own:b", "3", "open")]
    assert stood(2, asset="CNY") == [("own:a", "1", "open")]


def test_failed_commit_leaves_memory_as_the_disk_is(database, book):
    def fail():
        with database.transaction() as session:
            book.add(session, [difference("own:a")], seen_at(1))
            raise StorageError

    with pytest.raises(StorageError):
        fail()

    assert dict(book.standing()) == {}
    assert book.select(EVERY) == []


def test_every_kind_has_a_cause_and_actions_in_two_languages():
    for kind in BreakKind:
        cause = likely_cause(kind)
        texts = {kind.label, kind.label_zh, cause.text, cause.text_zh}
        assert len(texts) == 4
        for subject in BreakSubject:
            actions = actions_of(subject, kind)
            assert actions
            assert len(set(actions)) == len(actions)
    for each in (*LikelyCause, *BreakAction):
        assert each.text.endswith(".")
        assert each.text_zh.endswith("。")
    for each in (*BreakState, *BreakAct, *AgeBucket):
        assert each.label_zh


def test_what_would_close_a_break_is_about_what_the_break_is_about():
    of_trades = {actions_of(BreakSubject.of(f"trade:{kind}"), kind) for kind in BreakKind}
    of_books = {BreakAction.IMPORT_STATEMENT, BreakAction.LOOK_AT_MOVEMENTS, BreakAction.REISSUE}
    assert not of_books & {action for actions in of_trades for action in actions}
    assert BreakSubject.of("status:cycle:7") is BreakSubject.CYCLE
    assert BreakSubject.of("status:instruction:DVP-1") is BreakSubject.INSTRUCTION
    reached = {
        action for each in BreakSubject for kind in BreakKind for action in actions_of(each, kind)
    }
    assert reached == set(BreakAction)


@pytest.mark.parametrize(
    ("age", "bucket"),
    [(0, "0"), (1, "1"), (2, "2-5"), (5, "2-5"), (6, "6-10"), (10, "6-10"), (11, ">10")],
)
def test_bucket_of_an_age(age, bucket):
    assert AgeBucket.of(age).value == bucket


def test_age_counts_business_days_only():
    def on_weekdays(day):
        day += timedelta(days=1)
        return day if day.weekday() < 5 else on_weekdays(day)

    friday = date(2026, 2, 13)
    days = [0, 0, 0, 1, 2]
    for later, expected in enumerate(days):
        last = friday + timedelta(days=later)
        assert business_days_between(friday, last, on_weekdays) == expected
