"""What the screen of reconciliation shows: how far everybody agrees, and what does not."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.break_lists import breaks_seen_by
from ledger.books.break_life import Break
from ledger.books.breaks import ONLY_OPEN, BreakFilter
from ledger.books.postings import Register
from ledger.clearing.columns import accounts_of, participants_of
from ledger.domain.amounts import format_amount, grouped
from ledger.domain.break_actions import BreakSubject
from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import STANDING, AgeBucket
from ledger.domain.key_holders import KeyHolder
from ledger.domain.participants import Role
from nodes.bus import UnreachableError
from nodes.consortium import Consortium

WHOLE_BAR: Final = 100
"""The width of the longest bar."""
_OF_LEDGER: Final = frozenset({BreakSubject.CYCLE, BreakSubject.INSTRUCTION, BreakSubject.ISSUE})
_OF_KEEPER: Final = frozenset({LikelyCause.KEEPER_DIFFERS, LikelyCause.STATEMENT_OF_OTHER_BLOCK})


@dataclass(frozen=True, slots=True)
class Record:
    """One of the three records. ``trades`` is None where one may not see how many there are.

    ``differences`` are the open breaks in which this record is the one that stands alone.
    """

    name: str
    positions: int
    trades: int | None
    differences: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many breaks have something in common, and what they put at risk."""

    name: str
    count: int
    at_risk: list[str]
    width: int


@dataclass(frozen=True, slots=True)
class Overview:
    """How things stand as of a block.

    Attributes:
        final_seconds_ago: how long that block has been there, by the chain's clock.
        at_risk: by currency, as texts.
        away: whose breaks are not known now.
        ages: by bucket, the youngest first; of an earlier block nothing.
    """

    as_of_block: int
    height: int
    is_past: bool
    final_seconds_ago: int | None
    open_count: int
    at_risk: list[str]
    away: list[str]
    suspended: list[str]
    records: list[Record]
    ages: list[Tally]
    kinds: list[Tally]
    owners: list[Tally]

    @property
    def agrees(self) -> bool:
        """Everybody answers, and nobody has an open break."""
        return not self.open_count and not self.away


def overview_of(consortium: Consortium, holder: KeyHolder, block: int | None = None) -> Overview:
    """How things stand for the holder of a key: now, or as of an earlier block."""
    house = consortium.clearing_house
    height = house.projection.height
    past = BreakFilter(states=STANDING, as_of_block=block)
    seen = breaks_seen_by(consortium, holder, ONLY_OPEN if block is None else past)
    visible = [node for node in consortium.nodes.values() if holder.may_see(node.id)]
    reconciled = min((node.reconciled_block for node in visible), default=height)
    records = [] if block is not None else _records(consortium, holder, seen.breaks, seen.away)
    return Overview(
        as_of_block=reconciled if block is None else block,
        height=height,
        is_past=block is not None,
        final_seconds_ago=_seconds_since(consortium, height) if block is None else None,
        open_count=len(seen.breaks),
        at_risk=at_risk_of(seen.breaks),
        away=seen.away,
        suspended=[] if block is not None else house.suspended_assets(),
        records=records,
        ages=[] if block is not None else _ages(seen.breaks),
        kinds=_tallies((each.kind.value, each) for each in seen.breaks),
        owners=_tallies((each.owner, each) for each in seen.breaks),
    )


def at_risk_of(breaks: Iterable[Break]) -> list[str]:
    """What breaks put at risk, by currency; of those that are not valued nothing."""
    sums: Counter[str] = Counter()
    for each in breaks:
        if each.version.currency:
            sums[each.version.currency] += each.version.at_risk
    return [
        f"{grouped(format_amount(amount, currency))} {currency}"
        for currency, amount in sorted(sums.items())
        if amount
    ]


def _records(
    consortium: Consortium, holder: KeyHolder, breaks: Sequence[Break], away: Sequence[str]
) -> list[Record]:
    network, house = consortium.network, consortium.clearing_house
    differences = Counter(_stands_alone(each) for each in breaks)
    on_ledger = in_books = in_statements = 0
    silent = {each for each in _keepers(consortium) if _is_away(consortium, each)}
    for register in Register:
        keys = house.projection.columns(register).keys.column
        owners = participants_of(accounts_of(keys))
        counts = np.bincount(owners, minlength=len(network.participants) + 1)
        for node in consortium.nodes.values():
            if not holder.may_see(node.id):
                continue
            count = int(counts[node.number])
            on_ledger += count
            if node.id in away:
                continue
            in_books += count
            if _keeper(consortium, node.id, register) not in silent:
                in_statements += count
    trades = house.intake.stream.end_position if holder.sees_every_trade else None
    return [
        Record("on_ledger", on_ledger, None, differences["on_ledger"]),
        Record("own_books", in_books, trades, differences["own_books"]),
        Record("statements", in_statements, None, differences["statements"]),
    ]


def _stands_alone(found: Break) -> str:
    """Which record it is that the others contradict."""
    subject = BreakSubject.of(found.id)
    if subject in _OF_LEDGER:
        return "on_ledger"
    if subject is BreakSubject.STATEMENT or found.version.cause in _OF_KEEPER:
        return "statements"
    return "own_books"


def _keepers(consortium: Consortium) -> set[str]:
    keeping = (Role.BANK, Role.REGISTRAR)
    return {each.id for each in consortium.network.participants if each.role in keeping}


def _keeper(consortium: Consortium, participant: str, register: Register) -> str | None:
    """Who states what somebody has in a register; nobody where nobody keeps it."""
    if register is Register.SECURITIES:
        return consortium.network.sole(Role.REGISTRAR)
    return consortium.network.participant(participant).settlement_bank


def _is_away(consortium: Consortium, participant: str) -> bool:
    try:
        consortium.nodes[participant].standing()
    except UnreachableError:
        return True
    return False


def _seconds_since(consortium: Consortium, height: int) -> int | None:
    feed, clock = consortium.clearing_house.around.feed, consortium.clock
    blocks = next(feed.blocks_after(height - 1), None)
    return max(clock.chain_time() - blocks[0].timestamp, 0) if blocks else None


def _ages(breaks: Sequence[Break]) -> list[Tally]:
    by_bucket = _tallies((each.bucket.value, each) for each in breaks)
    known = {each.name: each for each in by_bucket}
    return [known.get(each.value) or Tally(each.value, 0, [], 0) for each in AgeBucket]


def _tallies(named: Iterable[tuple[str, Break]]) -> list[Tally]:
    """By name, the most first."""
    some: dict[str, list[Break]] = defaultdict(list)
    for name, each in named:
        some[name].append(each)
    most = max(map(len, some.values()), default=1)
    found = [
        Tally(name, len(each), at_risk_of(each), max(WHOLE_BAR * len(each) // most, 1))
        for name, each in some.items()
    ]
    return sorted(found, key=lambda each: (-each.count, each.name))
