"""Faults of nodes that share one process.

A node that is killed leaves its database and nothing else; another one is founded on it. The
clearing house is what the process is for: it can be slowed and spoken to twice, no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, assert_never

from ledger.domain.participants import Role
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UNDISTURBED, Disturbance
from nodes.consortium import Consortium
from nodes.faults.node_faults import NodeFault, StandingFault, refusal_of

_OF_THE_PROCESS: Final = frozenset({NodeFault.KILL, NodeFault.RESTART, NodeFault.CUT_OFF})


class InProcessFaults:
    """Faults of one consortium."""

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium
        self._bus = consortium.bus
        self._killed: set[str] = set()

    def inject(
        self, fault: NodeFault, participant: str, *, milliseconds: int = 0
    ) -> Rejected | None:
        """Does something to a node; the same again changes nothing.

        Refuses participants that there are not (UNKNOWN), and what cannot be done here (INVALID).
        """
        refusal = self._refusal_of(fault, participant, milliseconds)
        if refusal is None:
            self._do(fault, participant, milliseconds)
        return refusal

    def heal(self, participant: str) -> Rejected | None:
        """Takes everything away that is wrong with a node. Refuses as ``inject`` does."""
        return self.inject(NodeFault.HEAL, participant)

    def standing(self) -> Sequence[StandingFault]:
        """What is wrong now, by participant."""
        return [fault for id in self._consortium.nodes for fault in self._standing_of(id)]

    def _standing_of(self, id: str) -> Iterator[StandingFault]:
        wrong = self._bus.disturbance(id)
        if id in self._killed:
            yield StandingFault(id, NodeFault.KILL)
        if wrong.is_cut_off:
            yield StandingFault(id, NodeFault.CUT_OFF)
        if wrong.milliseconds:
            yield StandingFault(id, NodeFault.SLOW, wrong.milliseconds)
        if wrong.is_duplicated:
            yield StandingFault(id, NodeFault.DUPLICATE)

    def _do(self, fault: NodeFault, id: str, milliseconds: int) -> None:
        match fault:
            case NodeFault.KILL:
                self._kill(id)
            case NodeFault.RESTART:
                self._kill(id)
                self._start(id)
            case NodeFault.CUT_OFF:
                self._cut_off(id)
            case NodeFault.SLOW:
                self._disturb(id, replace(self._bus.disturbance(id), milliseconds=milliseconds))
            case NodeFault.DUPLICATE:
                self._disturb(id, replace(self._bus.disturbance(id), is_duplicated=True))
            case NodeFault.HEAL:
                self._heal(id)
            case _:
                assert_never(fault)

    def _kill(self, id: str) -> None:
        if id not in self._killed:
            self._consortium.stop_node(id)
            self._killed.add(id)

    def _start(self, id: str) -> None:
        self._killed.discard(id)
        self._consortium.start_node(id)
        # Behind a cut it may be begun again, but nobody reaches it all the same.
        if self._bus.disturbance(id).is_cut_off:
            self._consortium.isolate_node(id)

    def _cut_off(self, id: str) -> None:
        if self._bus.disturbance(id).is_cut_off:
            return
        self._disturb(id, replace(self._bus.disturbance(id), is_cut_off=True))
        if id not in self._killed:
            self._consortium.isolate_node(id)

    def _heal(self, id: str) -> None:
        self._disturb(id, UNDISTURBED)
        if id in self._killed:
            self._start(id)
        elif self._consortium.is_isolated(id):
            self._consortium.rejoin_node(id)

    def _disturb(self, id: str, disturbance: Disturbance) -> None:
        self._bus.disturb(id, disturbance)

    def _refusal_of(self, fault: NodeFault, id: str, milliseconds: int) -> Rejected | None:
        if fault in _OF_THE_PROCESS and id == self._consortium.network.sole(Role.CLEARING_HOUSE):
            detail = (
                f"{fault.value}: {id} is in this process together with all others: expected"
                " another participant, or a sandbox whose nodes are processes of their own"
            )
            return Rejected(Reason.INVALID, detail)
        return refusal_of(self._consortium.nodes, fault, id, milliseconds)
