"""The business clock as other processes see it is the one that was set, in every sense."""

from datetime import date, timedelta

from nodes.business_clock import BusinessClock, clock_file
from nodes.processes.following_clock import FollowingClock


def test_a_day_has_ended_when_it_was_ended_and_not_when_its_time_has_passed(tmp_path):
    file = clock_file(tmp_path)
    clock = BusinessClock(file)
    followed = FollowingClock(file)
    today = clock.business_time().date()

    clock.move(lambda now: now + timedelta(days=2), frozen=True)
    assert followed.business_time() == clock.business_time()
    assert not followed.has_ended(today)

    clock.note_ended(today)
    assert followed.has_ended(today)
    assert not followed.has_ended(today + timedelta(days=1))
    assert followed.next_business_date(date(2026, 11, 20)) == clock.next_business_date(
        date(2026, 11, 20)
    )
