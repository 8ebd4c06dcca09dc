"""Faults of nodes that are processes: their supervisor ends, starts and pauses them.

A node that is cut off is paused: it is there, and neither sends nor receives. How slowly it
answers, and that it hears everything twice, is asked of the node itself, until it begins again.
What ends the process that all this is asked of is ordered a moment later: it answers first.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Timer
from typing import Final, Protocol

from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UNDISTURBED, Disturbance, UnreachableError
from nodes.consortium import Consortium
from nodes.faults.node_faults import NodeFault, StandingFault, refusal_of
from nodes.processes.supervisor import ENDED, PAUSED, RUNNING, ProcessError
from nodes.wire.directory import Place

ANSWER_SECONDS: Final = 0.5
_END_IT: Final = frozenset({NodeFault.KILL, NodeFault.RESTART, NodeFault.CUT_OFF})


class Control(Protocol):
    """What a supervisor does; each act raises ProcessError when it cannot."""

    def states(self) -> dict[str, Place]:
        """Where everybody is, and how it stands."""

    def start(self, id: str) -> None:
        """Starts a node that was ended."""

    def kill(self, id: str) -> None:
        """Ends a node at once."""

    def restart(self, id: str) -> None:
        """Ends a node in order, if it runs, and starts it again."""

    def pause(self, id: str) -> None:
        """Lets a node stand still."""

    def resume(self, id: str) -> None:
        """Lets a node go on that was paused."""


class ProcessFaults:
    """Faults of the processes of one consortium, the clearing house's own among them."""

    def __init__(self, consortium: Consortium, control: Control) -> None:
        self._consortium = consortium
        self._control = control
        self._disturbances: dict[str, Disturbance] = {}
        self._own = consortium.clearing_house.id
        self._coming: NodeFault | None = None

    def inject(
        self, fault: NodeFault, participant: str, *, milliseconds: int = 0
    ) -> Rejected | None:
        """Does something to a node; the same again changes nothing.

        Refuses participants that there are not (UNKNOWN), what cannot be done (INVALID), what the
        supervisor does not do now (UNAVAILABLE), and what a node that is away is asked (SILENT).
        """
        refusal = refusal_of(self._consortium.nodes, fault, participant, milliseconds)
        if refusal is not None:
            return refusal
        try:
            if participant == self._own and fault in _END_IT:
                self._do_soon(fault)
            else:
                self._do(fault, participant, milliseconds)
        except ProcessError as error:
            return Rejected(Reason.UNAVAILABLE, str(error))
        except UnreachableError as error:
            return Rejected(Reason.SILENT, str(error))
        return None

    def heal(self, participant: str) -> Rejected | None:
        """Takes everything away that is wrong with a node. Refuses as ``inject`` does."""
        return self.inject(NodeFault.HEAL, participant)

    def standing(self) -> Sequence[StandingFault]:
        """What is wrong now, by participant."""
        states = self._control.states()
        return [
            fault
            for id in self._consortium.nodes
            for fault in self._standing_of(id, states[id].state)
        ]

    def _standing_of(self, id: str, state: str) -> Iterator[StandingFault]:
        wrong = self._disturbances.get(id, UNDISTURBED)
        coming = self._coming if id == self._own else None
        stands = coming if coming in (NodeFault.KILL, NodeFault.CUT_OFF) else fault_of_state(state)
        if stands is not None:
            yield StandingFault(id, stands)
        if wrong.milliseconds:
            yield StandingFault(id, NodeFault.SLOW, wrong.milliseconds)
        if wrong.is_duplicated:
            yield StandingFault(id, NodeFault.DUPLICATE)

    def _do_soon(self, fault: NodeFault) -> None:
        """Ends this very process, or lets it stand still, once it has answered."""
        self._control.states()
        self._coming = fault

        def act() -> None:
            with suppress(ProcessError):
                self._do(fault, self._own, 0)
            # Who goes on here was paused, and is no more.
            self._coming = None

        timer = Timer(ANSWER_SECONDS, act)
        timer.daemon = True
        timer.start()

    def _do(self, fault: NodeFault, id: str, milliseconds: int) -> None:
        wrong = self._disturbances.get(id, UNDISTURBED)
        was_running = self._control.states()[id].state == RUNNING
        match fault:
            case NodeFault.SLOW:
                self._disturb(id, replace(wrong, milliseconds=milliseconds))
            case NodeFault.DUPLICATE:
                self._disturb(id, replace(wrong, is_duplicated=True))
            case _:
                do_to_process(self._control, fault, id)
        if fault in (NodeFault.KILL, NodeFault.RESTART):
            self._disturbances.pop(id, None)
        # Who runs may be disturbed since before this process began.
        elif fault is NodeFault.HEAL and (was_running or id in self._disturbances):
            self._disturb(id, UNDISTURBED)

    def _disturb(self, id: str, disturbance: Disturbance) -> None:
        self._consortium.nodes[id].disturb(disturbance)
        self._disturbances[id] = disturbance


def do_to_process(control: Control, fault: NodeFault, id: str) -> None:
    """Does to a process what can be done from without; the same again changes nothing.

    Raises ProcessError when there is no such node, or it cannot be done now.
    """
    place = control.states().get(id)
    if place is None:
        raise ProcessError(f"there is no node {id}")
    match fault, place.state:
        case (NodeFault.KILL, state) if state != ENDED:
            control.kill(id)
        case NodeFault.RESTART, _:
            control.restart(id)
        case (NodeFault.CUT_OFF, state) if state != PAUSED:
            control.pause(id)
        case NodeFault.HEAL, "paused":
            control.resume(id)
        case NodeFault.HEAL, "ended":
            control.start(id)


def fault_of_state(state: str) -> NodeFault | None:
    """What is wrong with a process that stands so."""
    return {ENDED: NodeFault.KILL, PAUSED: NodeFault.CUT_OFF}.get(state)
