"""After the load: wait until nothing is under way, and read what the market's books say."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loadtests.moments import moment_of, now
from loadtests.trades import DIGITS, PREFIX_LENGTH

Get = Callable[[str], dict[str, Any]]
"""Fetches a path, and returns the parsed answer."""
PAGE: Final = 500
LOOK_SECONDS: Final = 0.2
DRAIN_SECONDS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class CycleSeen:
    """A cycle and when it reached each stage, in seconds since 1970."""

    number: int
    first_position: int
    last_position: int
    trades: int
    state: str
    struck: float | None
    cleared: float | None
    settled: float | None
    final: float | None
    reconciled: float | None


@dataclass(slots=True)
class Book:
    """What the market says of the trades of a run.

    Attributes:
        settled: by number, the position and the cycle; 0: it settled by itself.
        waiting: by number, the position and state of what is captured and has not settled.
    """

    settled: dict[str, tuple[int, int]] = field(default_factory=dict)
    waiting: dict[str, tuple[int, str]] = field(default_factory=dict)


def read_cycles(get: Get, after: int = 0) -> list[CycleSeen]:
    """The cycles after a number."""
    found: list[CycleSeen] = []
    cursor: str | None = str(after)
    while cursor is not None:
        page = get(f"/v1/cycles?cursor={cursor}&limit={PAGE}")
        found += [_cycle(each) for each in page["data"]]
        cursor = page["next_cursor"]
    return found


def end_of(cycles: Sequence[CycleSeen]) -> int:
    """Up to where the capture is cut into cycles."""
    return max((each.last_position + 1 for each in cycles if each.state != "abandoned"), default=0)


def wait_until_drained(get: Get, after: int, seconds_max: float = DRAIN_SECONDS_MAX) -> bool:
    """Waits until every captured trade is in a cycle; False when that takes too long."""
    deadline = now() + seconds_max
    watermark = 0
    while now() < deadline:
        cycles = read_cycles(get, after)
        watermark = max(watermark, end_of(cycles))
        page = get(f"/v1/trades?cursor={watermark}&limit=1")
        is_over = all(each.state != "submitted" for each in cycles)
        if not page["data"] and page["next_cursor"] is None and is_over:
            return True
        time.sleep(LOOK_SECONDS)
    return False


def read_book(get: Get, first_position: int, prefixes: frozenset[str]) -> Book:
    """Reads all trades from a position on, and keeps those of a run."""
    book = Book()
    cursor: str | None = str(first_position)
    while cursor is not None:
        page = get(f"/v1/trades?cursor={cursor}&limit={PAGE}")
        for trade in page["data"]:
            number = trade["number"]
            if len(number) != PREFIX_LENGTH + DIGITS or number[:PREFIX_LENGTH] not in prefixes:
                continue
            if trade["state"] == "settled" and trade["final_block"] is not None:
                book.settled[number] = trade["position"], trade["cycle"] or 0
            else:
                book.waiting[number] = trade["position"], trade["state"]
        cursor = page["next_cursor"]
    return book


def totals_of(get: Get) -> tuple[dict[str, int], bool]:
    """What everybody holds together, by asset in its smallest unit; whether own books agree."""
    totals: dict[str, int] = {}
    agrees = True
    cursor: str | None = "0"
    path = f"/v1/positions?limit={PAGE}"
    while cursor is not None:
        page = get(path if cursor == "0" else f"{path}&cursor={cursor}")
        for each in page["data"]:
            amount = int(each["total"].replace(".", ""))
            totals[each["asset"]] = totals.get(each["asset"], 0) + amount
            agrees = agrees and each["agrees"]
        cursor = page["next_cursor"]
    return totals, agrees


def _cycle(view: dict[str, Any]) -> CycleSeen:
    struck = moment_of(view["struck_at"]) if view["struck_at"] else None

    def at(milliseconds: float | None) -> float | None:
        return None if struck is None or milliseconds is None else struck + milliseconds / 1_000

    return CycleSeen(
        number=view["number"],
        first_position=view["first_position"],
        last_position=view["last_position"],
        trades=view["trades"],
        state=view["state"],
        struck=struck,
        cleared=at(view["cleared_ms"]),
        settled=at(view["settled_ms"]),
        final=at(view["finality_ms"]),
        reconciled=at(view["reconciled_ms"]),
    )
