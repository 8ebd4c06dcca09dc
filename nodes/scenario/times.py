"""Times of a story: quoted text to seconds of its one business day."""

import re
from typing import Final

from nodes.scenario.document import Value

DAY_BEGINS: Final = 9 * 3600
DAY_ENDS: Final = 24 * 3600 - 1
"""The end of the day: what comes after it is of no business day."""
END_OF_DAY: Final = "end_of_day"

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)


def second_of_day(value: Value) -> int:
    """The second of the day that a quoted ``HH:MM`` or ``HH:MM:SS`` stands for."""
    text = value.text()
    matched = _TIME.fullmatch(text)
    if matched is None or not value.is_text():
        value.fail('a quoted time such as "09:30" or "09:30:00"', text)
    hours, minutes, seconds = matched.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def second_not_before(value: Value, now: int) -> int:
    """The same; a time before the present one is refused."""
    second = second_of_day(value)
    if second < now:
        value.fail("a time that is not before the present one", value.text())
    return second
