"""Faults of nodes that are processes: their supervisor ends, starts and pauses them.

A node that is cut off is paused: it is there, and neither sends nor receives. How slowly it
answers, and that it hears everything twice, is asked of the node itself, until it begins again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, assert_never

from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UNDISTURBED, Disturbance, UnreachableError
from nodes.consortium import Consortium
from nodes.faults.node_faults import MILLISECONDS_MAX, NodeFault, StandingFault
from nodes.processes.supervisor import ENDED, PAUSED, RUNNING, ProcessError
from nodes.wire.directory import Place


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

    def inject(
        self, fault: NodeFault, participant: str, *, milliseconds: int = 0
    ) -> Rejected | None:
        """Does something to a node; the same again changes nothing.

        Refuses participants that there are not (UNKNOWN), what cannot be done (INVALID), and what
        the supervisor or the node does not do now (UNAVAILABLE).
        """
        if participant not in self._consortium.nodes:
            return Rejected(Reason.UNKNOWN, f"there is no participant {participant}")
        if fault is NodeFault.SLOW and not 0 < milliseconds <= MILLISECONDS_MAX:
            expected = f"milliseconds: expected from 1 to {MILLISECONDS_MAX}"
            return Rejected(Reason.INVALID, f"{expected}, found {milliseconds}")
        try:
            self._do(fault, participant, milliseconds)
        except (ProcessError, UnreachableError) as error:
            return Rejected(Reason.UNAVAILABLE, str(error))
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
        if state == ENDED:
            yield StandingFault(id, NodeFault.KILL)
        if state == PAUSED:
            yield StandingFault(id, NodeFault.CUT_OFF)
        if wrong.milliseconds:
            yield StandingFault(id, NodeFault.SLOW, wrong.milliseconds)
        if wrong.is_duplicated:
            yield StandingFault(id, NodeFault.DUPLICATE)

    def _do(self, fault: NodeFault, id: str, milliseconds: int) -> None:
        wrong, state = self._disturbances.get(id, UNDISTURBED), self._control.states()[id].state
        match fault:
            case NodeFault.KILL:
                if state != ENDED:
                    self._control.kill(id)
                self._disturbances.pop(id, None)
            case NodeFault.RESTART:
                self._control.restart(id)
                self._disturbances.pop(id, None)
            case NodeFault.CUT_OFF:
                if state != PAUSED:
                    self._control.pause(id)
            case NodeFault.SLOW:
                self._disturb(id, replace(wrong, milliseconds=milliseconds))
            case NodeFault.DUPLICATE:
                self._disturb(id, replace(wrong, is_duplicated=True))
            case NodeFault.HEAL:
                self._heal(id, state)
            case _:
                assert_never(fault)

    def _heal(self, id: str, state: str) -> None:
        if state == PAUSED:
            self._control.resume(id)
        elif state == ENDED:
            self._control.start(id)
        # Who runs may be disturbed since before this process began.
        if state == RUNNING or id in self._disturbances:
            self._disturb(id, UNDISTURBED)

    def _disturb(self, id: str, disturbance: Disturbance) -> None:
        self._consortium.nodes[id].disturb(disturbance)
        self._disturbances[id] = disturbance
