"""Nodes that are away: in their place stands something that answers nothing.

It is of the class that the node had, so that whoever looks for an exchange finds one, and learns of
its absence when it asks for something.
"""

from typing import NoReturn

from nodes.bus import UnreachableError
from nodes.network import Network
from nodes.node import Node


class AwayNode(Node):
    """In the place of a node that was killed or is cut off."""

    def __init__(self, id: str, network: Network, address: bytes, reconciled_block: int) -> None:
        # Not the node's own construction: it has nothing.
        self.id = id
        self.number = network.participant_number(id)
        # As it was last heard of.
        self.reconciled_block = reconciled_block
        self._network = network
        self._address = address

    @property
    def network(self) -> Network:
        """The network this node is part of."""
        return self._network

    @property
    def address(self) -> bytes:
        """The address of its key, which others know."""
        return self._address

    def close(self) -> None:
        """It has nothing to release."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnreachableError(f"{self.id} does not answer")


def away(node: Node) -> Node:
    """What stands in the place of a node."""
    return _away_class(type(node))(node.id, node.network, node.address, node.reconciled_block)


def _away_class(kind: type[Node]) -> type[AwayNode]:
    made: type[AwayNode] = type(f"Away{kind.__name__}", (AwayNode, kind), {})
    return made
