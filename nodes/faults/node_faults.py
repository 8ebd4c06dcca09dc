"""What can be made to go wrong with a node: names, what each does, and who brings it about.

The same faults are there whether the nodes are in one process or each in its own.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from ledger.domain.reasons import Reason, Rejected

MILLISECONDS_MAX: Final = 60_000


class NodeFault(Enum):
    """What is done to a node."""

    KILL = "kill"
    RESTART = "restart"
    SLOW = "slow"
    CUT_OFF = "cut-off"
    DUPLICATE = "duplicate"
    HEAL = "heal"


@dataclass(frozen=True, slots=True)
class FaultForm:
    """What a fault does, in English and Chinese."""

    what: str
    what_zh: str
    takes_milliseconds: bool = False


NODE_FAULTS: Final[Mapping[NodeFault, FaultForm]] = {
    NodeFault.KILL: FaultForm(
        "the node is gone; what is not on its disk is lost", "节点被终止，未落盘的内容全部丢失"
    ),
    NodeFault.RESTART: FaultForm(
        "the node begins again from its disk and catches up", "节点从磁盘重新启动并补齐缺失内容"
    ),
    NodeFault.SLOW: FaultForm(
        "the node answers every message so many milliseconds late",
        "节点的每次应答都延迟若干毫秒",
        takes_milliseconds=True,
    ),
    NodeFault.CUT_OFF: FaultForm(
        "the node lives on, but neither sends nor receives", "节点仍在运行，但无法收发任何消息"
    ),
    NodeFault.DUPLICATE: FaultForm(
        "every message to the node is delivered twice", "发往节点的每条消息都投递两次"
    ),
    NodeFault.HEAL: FaultForm(
        "nothing is wrong with the node any more; it catches up", "节点恢复正常并补齐缺失内容"
    ),
}
"""Every fault of a node."""


@dataclass(frozen=True, slots=True)
class StandingFault:
    """Something that is wrong with a node or its desk now. ``milliseconds``: how slow it is."""

    participant: str
    fault: Enum
    milliseconds: int = 0


def refusal_of(
    known: Container[str], fault: NodeFault, participant: str, milliseconds: int
) -> Rejected | None:
    """Why a fault is none of these participants' nodes (UNKNOWN), or makes no sense (INVALID)."""
    if participant not in known:
        return Rejected(Reason.UNKNOWN, f"there is no participant {participant}")
    if fault is NodeFault.SLOW and not 0 < milliseconds <= MILLISECONDS_MAX:
        expected = f"milliseconds: expected from 1 to {MILLISECONDS_MAX}"
        return Rejected(Reason.INVALID, f"{expected}, found {milliseconds}")
    return None


class NodeFaults(Protocol):
    """Brings faults about, and takes them away."""

    def inject(
        self, fault: NodeFault, participant: str, *, milliseconds: int = 0
    ) -> Rejected | None:
        """Does something to a node; the same again changes nothing.

        Refuses participants that there are not (UNKNOWN), and what cannot be done here (INVALID).
        """

    def heal(self, participant: str) -> Rejected | None:
        """Takes everything away that is wrong with a node. Refuses as ``inject`` does."""

    def standing(self) -> Sequence[StandingFault]:
        """What is wrong now, by participant."""
