"""Faults of nodes that are processes of their own: the supervisor ends, stops and starts them.

A node that is cut off stands still. What makes messages late or come twice is done where the
clearing house sends them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UNDISTURBED
from nodes.faults.node_faults import MILLISECONDS_MAX, NodeFault, StandingFault
from nodes.network import Network
from nodes.processes.control import ProcessControl
from nodes.processes.supervisor import ENDED, PAUSED, ProcessError
from nodes.wire.courier import Courier


class ProcessFaults:
    """Faults of the processes of one network, as the clearing house's process brings them about."""

    def __init__(self, network: Network, control: ProcessControl, courier: Courier) -> None:
        self._ids = [each.id for each in network.participants]
        self._house = network.sole(Role.CLEARING_HOUSE)
        self._control = control
        self._courier = courier

    def inject(
        self, fault: NodeFault, participant: str, *, milliseconds: int = 0
    ) -> Rejected | None:
        """Does something to a node; the same again changes nothing.

        Refuses participants that there are not (UNKNOWN), and what cannot be done here (INVALID).
        """
        refusal = self._refusal_of(fault, participant, milliseconds)
        if refusal is not None:
            return refusal
        try:
            self._do(fault, participant, milliseconds)
        except ProcessError as error:
            return Rejected(Reason.UNAVAILABLE, str(error))
        return None

    def heal(self, participant: str) -> Rejected | None:
        """Takes everything away that is wrong with a node. Refuses as ``inject`` does."""
        return self.inject(NodeFault.HEAL, participant)

    def standing(self) -> Sequence[StandingFault]:
        """What is wrong now, by participant."""
        try:
            states = {id: place.state for id, place in self._control.states().items()}
        except ProcessError:
            states = {}
        return [fault for id in self._ids for fault in self._standing_of(id, states.get(id, ""))]

    def _standing_of(self, id: str, state: str) -> Iterator[StandingFault]:
        wrong = self._courier.disturbances.get(id, UNDISTURBED)
        if state == ENDED:
            yield StandingFault(id, NodeFault.KILL)
        if state == PAUSED:
            yield StandingFault(id, NodeFault.CUT_OFF)
        if wrong.milliseconds:
            yield StandingFault(id, NodeFault.SLOW, wrong.milliseconds)
        if wrong.is_duplicated:
            yield StandingFault(id, NodeFault.DUPLICATE)

    def _do(self, fault: NodeFault, id: str, milliseconds: int) -> None:
        disturbances = self._courier.disturbances
        wrong, state = disturbances.get(id, UNDISTURBED), self._control.states()[id].state
        match fault:
            case NodeFault.KILL:
                if state != ENDED:
                    self._control.kill(id)
            case NodeFault.RESTART:
                self._control.restart(id)
            case NodeFault.CUT_OFF:
                if state not in (ENDED, PAUSED):
                    self._control.pause(id)
            case NodeFault.SLOW:
                disturbances[id] = replace(wrong, milliseconds=milliseconds)
            case NodeFault.DUPLICATE:
                disturbances[id] = replace(wrong, is_duplicated=True)
            case NodeFault.HEAL:
                disturbances.pop(id, None)
                if state == PAUSED:
                    self._control.resume(id)
                if state == ENDED:
                    self._control.start(id)
            case _:
                assert_never(fault)

    def _refusal_of(self, fault: NodeFault, id: str, milliseconds: int) -> Rejected | None:
        if id not in self._ids:
            return Rejected(Reason.UNKNOWN, f"there is no participant {id}")
        if id == self._house:
            detail = f"{fault.value}: {id} serves this: say novate processes kill {id}, or start"
            return Rejected(Reason.INVALID, detail)
        if fault is NodeFault.SLOW and not 0 < milliseconds <= MILLISECONDS_MAX:
            expected = f"milliseconds: expected from 1 to {MILLISECONDS_MAX}"
            return Rejected(Reason.INVALID, f"{expected}, found {milliseconds}")
        return None
