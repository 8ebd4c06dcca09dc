"""The breaks of the day at a glance: how many of which kind, the oldest, and whose are unknown."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from api.break_schemas import Break as BreakView
from api.break_views import break_view
from ledger.books.break_life import Break
from ledger.domain.break_actions import BreakSubject
from ledger.domain.breaks import BreakKind
from ledger.domain.key_holders import KeyHolder
from nodes.bus import UnreachableError
from nodes.consortium import Consortium

OLDEST_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Breaks:
    """Open breaks that a holder sees.

    Attributes:
        unknown: whose breaks are not known now, since their nodes do not answer.
        trades: on how many captured trades records differ.
        as_of_block: up to which block all those that are seen have reconciled.
        reconciled_block: the same of those that answer.
    """

    total: int
    count_by_kind: list[tuple[str, int]]
    oldest: list[BreakView]
    unknown: list[str]
    trades: int
    suspended: list[str]
    as_of_block: int
    reconciled_block: int

    @property
    def agrees(self) -> bool:
        """Everybody answers, and no records differ."""
        return not self.total and not self.unknown


def breaks_of(consortium: Consortium, holder: KeyHolder) -> Breaks:
    """What is open now, of one's own."""
    found: list[Break] = []
    unknown, reconciled = list[str](), list[int]()
    nodes = [node for node in consortium.nodes.values() if holder.may_see(node.id)]
    for node in nodes:
        try:
            found += node.breaks()
            reconciled.append(node.reconciled_block)
        except UnreachableError:
            unknown.append(node.id)
    found.sort(key=lambda each: (each.first_seen.at, each.first_seen.block))
    height = consortium.clearing_house.projection.height
    on_trades = {
        each.subject
        for each in found
        if BreakSubject.of(each.id) is BreakSubject.TRADE
        and each.kind is not BreakKind.MISSING_THEIRS
    }
    return Breaks(
        total=len(found),
        count_by_kind=Counter(each.kind.value for each in found).most_common(),
        oldest=[break_view(each) for each in found[:OLDEST_SHOWN]],
        unknown=unknown,
        trades=len(on_trades),
        suspended=consortium.clearing_house.suspended_assets(),
        as_of_block=min((node.reconciled_block for node in nodes), default=height),
        reconciled_block=min(reconciled, default=height),
    )
