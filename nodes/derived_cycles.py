"""What follows from the kept trades of settled cycles: roots and net lines, a few cycles ahead.

A cycle is some hundred megabytes while it is worked on and a handful of lines when it is done, so
that a day of any length takes the memory of a few cycles. Sorting and hashing leave the interpreter
to others: each processor has a cycle of its own.
"""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from ledger.books.segments import Segment, SegmentError, SegmentStore
from ledger.clearing.commitment import Commitment
from ledger.clearing.netting import NetResult, net
from nodes.explorer.cycle_roots import SettledCycle

CYCLES_AT_A_TIME: Final = 2


class DifferenceError(Exception):
    """The first thing that is not as it must be: where, what, what was expected and found."""

    def __init__(self, where: str, what: str, expected: object, found: object) -> None:
        super().__init__(f"{where}: {what}: expected {expected}, found {found}")
        self.where = where
        self.what = what
        self.expected = str(expected)
        self.found = str(found)


@dataclass(frozen=True, slots=True)
class DerivedCycle:
    """What a settled cycle's trades lead to; they have the root that it settled with.

    Attributes:
        name: the cycle by its number, for words.
        first_position, end_position: the positions of the intake that it was struck over.
        first, last: the positions of its first and its last trade.
        is_ascending: whether its trades stand in order of their positions.
        is_indexed: whether each of its trades is found by its identity.
    """

    id: bytes
    name: str
    count: int
    first_position: int
    end_position: int
    first: int
    last: int
    is_ascending: bool
    is_indexed: bool
    net: NetResult


def derived_cycles(
    store: SegmentStore, cycles: Sequence[SettledCycle]
) -> Generator[DerivedCycle, None, None]:
    """Each cycle in turn. Raises DifferenceError for the first that is not what the chain has."""
    pool = ThreadPoolExecutor(CYCLES_AT_A_TIME, thread_name_prefix="derive")
    ahead: deque[Future[DerivedCycle]] = deque()
    try:
        for cycle in cycles:
            ahead.append(pool.submit(_derived, store, cycle))
            if len(ahead) > CYCLES_AT_A_TIME:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _derived(store: SegmentStore, cycle: SettledCycle) -> DerivedCycle:
    try:
        segment = store.read(cycle.root)
    except SegmentError as error:
        where = f"the cycle {hex_text(cycle.id)} of block {cycle.block}"
        raise DifferenceError(where, "segment", hex_text(cycle.root), error) from error
    name = f"cycle {segment.number}"
    _check(segment, cycle, name)
    positions = segment.positions
    return DerivedCycle(
        id=cycle.id,
        name=name,
        count=len(positions),
        first_position=segment.first_position,
        end_position=segment.end_position,
        first=int(positions[0]),
        last=int(positions[-1]),
        is_ascending=bool((positions[1:] > positions[:-1]).all()),
        is_indexed=store.finds(segment),
        net=net(segment.trades),
    )


def _check(segment: Segment, cycle: SettledCycle, name: str) -> None:
    if segment.cycle_id != cycle.id:
        raise DifferenceError(name, "cycle id", hex_text(cycle.id), hex_text(segment.cycle_id))
    if len(segment.trades) != cycle.count:
        raise DifferenceError(name, "number of trades", cycle.count, len(segment.trades))
    root = Commitment(segment.trades, segment.salt_key, cycle.id).root
    if root != cycle.root:
        raise DifferenceError(name, "root", hex_text(cycle.root), hex_text(root))


def hex_text(value: bytes) -> str:
    """Bytes as people read them."""
    return "0x" + value.hex()
