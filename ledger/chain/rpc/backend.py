"""What the methods work on: a chain, the limits of the way in, and what this process remembers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.chain.admission import TRANSACTION_GAS_MAX
from ledger.chain.blocks import Header
from ledger.chain.chain import Chain
from ledger.chain.rpc.filters import FilterTable

CALL_GAS_MAX: Final = 50_000_000
LOGS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may use; None is no limit.

    A call holds the whole process while it runs, about a twentieth of a second for
    50 million gas.
    """

    call_gas: int
    logs: int | None


UNTRUSTED: Final = Limits(call_gas=CALL_GAS_MAX, logs=LOGS_MAX)
IN_PROCESS: Final = Limits(call_gas=TRANSACTION_GAS_MAX, logs=None)


class TimeControl(Protocol):
    """A chain time that can be set: a sandbox's, never the wall clock's."""

    def now(self) -> int:
        """Seconds since 1970."""

    def move_to(self, timestamp: int) -> None:
        """Moves on. Raises ValueError for a time that is past or out of range."""


@dataclass(slots=True)
class Backend:
    """One way in to one chain."""

    chain: Chain
    limits: Limits
    filters: FilterTable
    time_control: TimeControl | None = None

    def header(self, number: int) -> Header | None:
        """The header at a height; None when it is above the head."""
        if number > self.chain.head.number:
            return None
        return self.chain.store.header_by_number(number)


def in_process_backend(chain: Chain) -> Backend:
    """A way in for code of this process: it is trusted, and has no use for filters that expire."""
    return Backend(chain, IN_PROCESS, FilterTable(_standing_still))


def open_backend(
    chain: Chain, stopwatch_ns: Callable[[], int], time_control: TimeControl | None
) -> Backend:
    """A way in for anybody. ``stopwatch_ns`` says when filters expire."""
    return Backend(chain, UNTRUSTED, FilterTable(stopwatch_ns), time_control)


def _standing_still() -> int:
    return 0
