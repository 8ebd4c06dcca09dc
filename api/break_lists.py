"""Breaks as the holder of a key may see them: lists of them, one of them, and work on it.

Whoever calls holds the sandbox's lock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from api.access.owning import check_owns, check_reads
from api.errors import RefusedError, refuse
from api.participants import require_participant
from ledger.books.break_life import Break, BreakEntry
from ledger.books.breaks import BreakFilter
from ledger.domain.breaks import AgeBucket
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.node import Node

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FoundBreaks:
    """Breaks, oldest first. ``away``: of whom it is not known now which they have."""

    breaks: list[Break]
    away: list[str]


@dataclass(frozen=True, slots=True)
class BreakAndHistory:
    """A break and everything that has happened to it."""

    found: Break
    history: list[BreakEntry]


def breaks_seen_by(
    consortium: Consortium,
    holder: KeyHolder,
    wanted: BreakFilter,
    owner: str | None = None,
    bucket: AgeBucket | None = None,
) -> FoundBreaks:
    """The breaks that are asked for, of one owner or of all. Refuses owners of whom one sees none.

    Of an owner who is named and away it is refused too.
    """
    if owner is not None:
        require_participant(consortium, owner)
        check_reads(holder, owner)
    found: list[Break] = []
    away: list[str] = []
    for node in consortium.nodes.values():
        if owner in (None, node.id) and holder.may_see(node.id):
            try:
                found += node.breaks(wanted)
            except UnreachableError:
                if owner is not None:
                    raise refuse(Reason.SILENT, f"the node of {owner} does not answer") from None
                away.append(node.id)
    if bucket is not None:
        found = [each for each in found if each.bucket is bucket]
    found.sort(key=lambda each: (each.first_seen.block, each.owner, each.id))
    return FoundBreaks(found, away)


def read_break(consortium: Consortium, holder: KeyHolder, owner: str, key: str) -> BreakAndHistory:
    """A break by its short name. Refused when it is somebody else's, or when there is none."""
    require_participant(consortium, owner)
    check_reads(holder, owner)
    node = consortium.nodes[owner]
    found = _asked(lambda: node.find_break(key))
    if found is None:
        raise refuse(Reason.UNKNOWN, f"{owner} has no break {key}")
    return _with_history(node, found)


def work_on_break(
    consortium: Consortium,
    holder: KeyHolder,
    owner: str,
    act: Callable[[Node], Break | Rejected],
) -> BreakAndHistory:
    """Does something about a break, and gives it as it is then. Only the owner's own staff may."""
    require_participant(consortium, owner)
    check_owns(holder, owner)
    node = consortium.nodes[owner]
    found = _asked(lambda: act(node))
    if isinstance(found, Rejected):
        raise RefusedError(found)
    return _with_history(node, found)


def _with_history(node: Node, found: Break) -> BreakAndHistory:
    return BreakAndHistory(found, _asked(lambda: node.break_history(found.key)))


def _asked(ask: Callable[[], T]) -> T:
    """What a node answers; refused when it is away."""
    try:
        return ask()
    except UnreachableError as error:
        raise refuse(Reason.SILENT, str(error)) from error
