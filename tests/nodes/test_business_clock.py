"""The business clock: frozen, set and run apart from chain time, never back, kept on disk."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import MalformedError
from nodes.business_clock import (
    LATEST,
    BusinessClock,
    at,
    clock_file,
    later_by,
    parse_time,
    parse_time_of_day,
)
from nodes.folder_meta import StateFolderError

START = datetime(2026, 2, 10, 10, 0, tzinfo=UTC)


@dataclass
class Machine:
    """A machine's clock that the test moves, also back."""

    now: datetime = START

    def chain_time(self):
        return int(self.now.timestamp())

    def not_before(self, chain_seconds):
        pass

    def business_time(self):
        return self.now

    def stopwatch_ns(self):
        return 0

    def passes(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def clock(machine):
    return BusinessClock(machine=machine)


def test_business_time_runs_with_the_machine_until_it_is_set(clock, machine):
    machine.passes(5)

    assert clock.business_time() == START + timedelta(seconds=5)
    assert not clock.is_frozen


def test_frozen_clock_stands_still_and_runs_on_from_where_it_stood(clock, machine):
    clock.freeze()
    machine.passes(100)
    frozen = clock.business_time()
    clock.run()
    machine.passes(1)

    assert frozen == START
    assert clock.business_time() == START + timedelta(seconds=1)


def test_chain_time_is_the_machines_whatever_business_time_does(clock, machine):
    clock.freeze()
    clock.move(later_by(3_600))
    machine.passes(7)

    assert clock.chain_time() == int(START.timestamp()) + 7
    assert clock.business_time() == START + timedelta(hours=1)


@pytest.mark.parametrize("is_frozen", [False, True])
def test_clock_is_set_forward_and_never_back(clock, machine, is_frozen):
    if is_frozen:
        clock.freeze()
    clock.move(at(time(17, 30)))
    assert clock.business_time() == START.replace(hour=17, minute=30)
    clock.move(at(time(17, 30)))
    with pytest.raises(MalformedError, match=r"from 2026-02-10T17:30:00 .* never goes back"):
        clock.move(at(time(17, 29, 59)))
    clock.move(at(datetime(2026, 2, 11, 8, 0, tzinfo=UTC)))

    assert clock.business_time() == datetime(2026, 2, 11, 8, 0, tzinfo=UTC)
    assert clock.is_frozen == is_frozen


@pytest.mark.parametrize("seconds", [-1, 366 * 86_400 + 1])
def test_step_out_of_bounds_is_refused(seconds):
    with pytest.raises(MalformedError):
        later_by(seconds)


def test_clock_goes_no_further_than_a_calendar_has_dates(clock):
    with pytest.raises(MalformedError, match="2999-12-31"):
        clock.move(at(LATEST + timedelta(seconds=1)))


def test_machines_clock_that_goes_back_does_not_take_business_time_along(clock, machine):
    before = clock.business_time()
    machine.passes(-3_600)

    assert clock.business_time() == before


def test_next_day_begins_at_its_opening_by_the_calendar(machine):
    weekdays = BusinessClock(machine=machine, next_business_date=lambda _: date(2026, 2, 24))
    weekdays.move(weekdays.next_day)
    plain = BusinessClock(machine=machine)
    plain.move(plain.next_day)

    assert weekdays.business_time() == datetime(2026, 2, 24, 9, 0, tzinfo=UTC)
    assert plain.business_time() == datetime(2026, 2, 11, 9, 0, tzinfo=UTC)


def test_day_without_an_end_is_over_at_midnight(clock):
    assert clock.day_to_end() is None
    clock.move(at(time(23, 59, 59)))
    assert clock.day_to_end() is None
    clock.move(later_by(1))
    assert clock.day_to_end() == START.date()
    clock.note_ended(START.date())
    assert clock.day_to_end() is None


def test_day_is_over_at_its_end_once(clock):
    clock.end_day_at(time(18))
    clock.move(at(time(17, 59, 59)))
    assert clock.day_to_end() is None
    clock.move_to_end_of_day()
    assert clock.business_time().time() == time(18)
    assert clock.day_to_end() == START.date()
    clock.note_ended(START.date())
    clock.move_to_end_of_day()
    assert clock.day_to_end() is None
    clock.move(clock.next_day)
    assert clock.day_to_end() is None
    clock.move_to_end_of_day()
    assert clock.day_to_end() == date(2026, 2, 11)


def test_setting_is_there_again_after_a_kill(machine, tmp_path):
    file = clock_file(tmp_path)
    first = BusinessClock(file, machine)
    first.end_day_at(time(18))
    first.move(later_by(60))
    first.freeze()
    first.note_ended(START.date())
    machine.passes(1_000)

    again = BusinessClock(file, machine)
    assert again.is_frozen
    assert again.business_time() == START + timedelta(seconds=60)
    assert (again.end_of_day, again.ended) == (time(18), START.date())
    again.run()
    machine.passes(10)
    assert BusinessClock(file, machine).business_time() == START + timedelta(seconds=70)


def test_day_that_passed_while_nobody_was_there_is_to_be_ended(machine, tmp_path):
    BusinessClock(clock_file(tmp_path), machine)
    machine.passes(3 * 86_400)

    assert BusinessClock(clock_file(tmp_path), machine).day_to_end() == date(2026, 2, 12)


def test_setting_that_was_cut_off_in_writing_leaves_the_one_before(machine, tmp_path, monkeypatch):
    file = clock_file(tmp_path)
    clock = BusinessClock(file, machine)
    clock.freeze()
    file.with_name(f".{file.name}.new").write_text('{"frozen')

    assert BusinessClock(file, machine).is_frozen
    assert json.loads(file.read_text())["frozen_at"]


@pytest.mark.parametrize("content", ["", "{}", '{"ended": "2026-02-09", "speed": 2}'])
def test_damaged_file_is_named_with_what_to_do(machine, tmp_path, content):
    file = clock_file(tmp_path)
    file.write_text(content)

    with pytest.raises(StateFolderError, match="is damaged"):
        BusinessClock(file, machine)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["freeze", "run", "advance", "passes", "day", "reopen"]),
        st.integers(-100, 100_000),
    ),
    max_size=30,
)


@given(STEPS)
def test_business_time_never_goes_back_whatever_is_done(tmp_path_factory, steps):
    machine, file = Machine(), clock_file(tmp_path_factory.mktemp("clock"))
    clock = BusinessClock(file, machine)
    before = clock.business_time()
    for step, seconds in steps:
        match step:
            case "freeze":
                clock.freeze()
            case "run":
                clock.run()
            case "advance":
                clock.move(later_by(abs(seconds)))
            case "passes":
                machine.passes(abs(seconds))
            case "day":
                clock.move(clock.next_day)
            case "reopen":
                clock = BusinessClock(file, machine)
        now = clock.business_time()
        assert now >= before
        assert clock.chain_time() == int(machine.now.timestamp())
        before = now


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25:00",
        "17",
        "17:30+01:00",
        "17:30:00.5",
        "noon",
        "2026-02-11",
        "2026-02-30T10:00",
        "\uff11\uff17:30",
    ],
)
def test_text_that_is_no_time_is_refused(text):
    with pytest.raises(MalformedError, match="a time such as 17:30"):
        parse_time(text)


def test_moments_are_in_utc():
    assert parse_time("2026-02-11T17:30") == datetime(2026, 2, 11, 17, 30, tzinfo=UTC)
    assert parse_time("17:30:15") == parse_time_of_day("17:30:15") == time(17, 30, 15)
    with pytest.raises(MalformedError, match="a time of day"):
        parse_time_of_day("2026-02-11T17:30")


def test_clock_is_moved_and_frozen_at_once_or_not_at_all(clock, machine):
    clock.move(at(time(11)), frozen=True)
    machine.passes(5)
    assert clock.business_time() == START.replace(hour=11)
    with pytest.raises(MalformedError):
        clock.move(at(time(10, 59)), frozen=False)
    assert clock.is_frozen
    clock.move(at(time(12)), frozen=False)
    machine.passes(5)
    assert clock.business_time() == START.replace(hour=12, second=5)
