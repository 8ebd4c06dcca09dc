"""The dry run: would something settle now, and if not, why, and what would make it?

It looks at a copy of the queue and touches nothing. Whether everybody would sign is not asked: to
ask for a signature is to begin. What is known of that is why somebody has not signed before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ledger.domain.instructions import Instruction
from ledger.domain.participants import Instrument
from ledger.domain.reasons import Reason
from ledger.domain.rules import Rules
from ledger.settlement.columns import AvailableOfMany, columns_of
from ledger.settlement.gridlock.fifo import fifo
from ledger.settlement.legs import participants_in
from ledger.settlement.live_queue import LiveQueue
from ledger.settlement.outlook import Shortfall
from ledger.settlement.parts import Part, part_alone

SHORT: Final = frozenset({Reason.LACK, Reason.MONY, Reason.LIMIT, Reason.BEHIND})
"""What a gridlock run may overcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would become of instructions that are tried now, and everything in their way.

    Attributes:
        group: those that settle together, in queue order.
        reason: the first thing in their way, by precedence; None: they settle.
        missing: what would have to come into which pots.
        ahead: others that stand before them in a queue.
        must_wait: the rules let those ahead go first. Otherwise they merely may be quicker.
        held: who has to release which, as labels and numbers of participants.
        awaited: linked instructions that have not arrived, settle by themselves and have not yet,
            or have come to nothing.
        suspended: numbers of participants that have to be reinstated.
        late: labels whose time has passed.
        part: what would settle of the only one all the same, for lack of securities.
        settles_with: the set that a run of gridlock resolution in queue order would settle with
            them; empty when it would not.
    """

    group: tuple[Instruction, ...]
    reason: Reason | None
    missing: tuple[Shortfall, ...] = ()
    ahead: tuple[str, ...] = ()
    must_wait: bool = False
    held: tuple[tuple[str, frozenset[int]], ...] = ()
    awaited: tuple[str, ...] = ()
    suspended: tuple[int, ...] = ()
    late: tuple[str, ...] = ()
    part: Part | None = None
    settles_with: tuple[str, ...] = ()

    @property
    def settles(self) -> bool:
        """Whether all of them would settle."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a dry run is told of the world.

    Attributes:
        now: business time, in seconds since 1970.
        instrument: an instrument by its number.
    """

    now: int
    rules: Rules
    available: AvailableOfMany
    instrument: Callable[[int], Instrument]


def forecast(
    queue: LiveQueue,
    labels: Sequence[str],
    around: Surroundings,
    entered: Sequence[Instruction] = (),
) -> Forecast:
    """What would become of live instructions that are tried now, several of them together.

    ``entered`` are looked at as if they had just come in; their labels are among ``labels``. Raises
    KeyError for a label that is not live.
    """
    scratch = queue.copy()
    late = {each.label: each for each in scratch.late(around.now)}
    for each in late.values():
        scratch.remove(each.label)
    for each in entered:
        scratch.put(each)
    if not late.keys().isdisjoint(labels):
        gone = tuple(label for label in labels if label in late)
        return Forecast(group=tuple(map(late.__getitem__, gone)), reason=Reason.LATE, late=gone)
    _join(scratch, labels)
    return _with_ways_out(scratch, _obstacles(scratch, labels), around)


def _join(scratch: LiveQueue, labels: Sequence[str]) -> None:
    """Several settle together: as if they were linked."""
    first, *others = labels
    if others:
        scratch.bind(first, others)


def _obstacles(scratch: LiveQueue, labels: Sequence[str]) -> Forecast:
    """Everything that stands in the way, not the first thing only."""
    group = scratch.group_of(labels[0])
    ahead = scratch.ahead_of(group)
    involved = {number for each in group for number in participants_in(each)}
    return Forecast(
        group=group,
        reason=_reason(scratch, labels),
        missing=scratch.missing(group),
        ahead=tuple(ahead),
        must_wait=bool(ahead) and scratch.keeps_order,
        held=tuple((each.label, each.held_by) for each in group if each.held_by),
        awaited=tuple(scratch.awaited_by(group)),
        suspended=tuple(sorted(scratch.suspended & involved)),
    )


def _reason(scratch: LiveQueue, labels: Sequence[str]) -> Reason | None:
    """The reason as the queue itself gives it, and for several together that of a hold first."""
    if any(each.held_by for each in scratch.group_of(labels[0]) if each.label in labels):
        return Reason.HELD
    noted = (scratch.noted[label] for label in labels if label in scratch.noted)
    return scratch.reason_of(labels[0]) or next(noted, None)


def _with_ways_out(scratch: LiveQueue, found: Forecast, around: Surroundings) -> Forecast:
    """The same with what would settle all the same: a part, or a whole set."""
    if found.reason not in SHORT:
        return found
    return replace(
        found, part=_part(scratch, found, around), settles_with=_set_with(scratch, found, around)
    )


def _part(scratch: LiveQueue, found: Forecast, around: Surroundings) -> Part | None:
    """The part that settles where all that lacks is securities."""
    if found.reason is not Reason.LACK or len(found.group) > 1 or found.must_wait:
        return None
    [instruction] = found.group
    instrument = around.instrument(instruction.instrument)
    return part_alone(scratch, instruction, found.missing[0].available, instrument, around.rules)


def _set_with(scratch: LiveQueue, found: Forecast, around: Surroundings) -> tuple[str, ...]:
    """The set that would settle in queue order, if all of the group are in it."""
    standing = scratch.standing()
    selected = fifo(columns_of(scratch, standing, around.available))
    labels = [standing[row].label for row in np.flatnonzero(selected).tolist()]
    return tuple(labels) if {each.label for each in found.group} <= set(labels) else ()
