"""Nodes of other processes, as their desks see them: what is for the desk is a signed call.

A remote node is of the class that it has in its own process, so whoever uses it need not know where
it runs. What is not for the desk is not there: its books are its own. A node that is away raises
UnreachableError.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, NoReturn

from ledger.domain.participants import Role
from nodes.bank import Bank
from nodes.broker import Broker
from nodes.bus import UnreachableError
from nodes.clearing_house import ClearingHouse
from nodes.exchange import Exchange
from nodes.for_desk import is_for_desk
from nodes.network import Network
from nodes.node import Node, NodeStanding
from nodes.registrar import Registrar
from nodes.trades_by_party import TradesByParty
from nodes.wire.contents import Method
from nodes.wire.courier import Courier, Sender

ROLES: dict[Role, type[Node]] = {
    Role.EXCHANGE: Exchange,
    Role.BROKER: Broker,
    Role.BANK: Bank,
    Role.CLEARING_HOUSE: ClearingHouse,
    Role.REGISTRAR: Registrar,
    Role.REGULATOR: Node,
}


class RemoteNode(Node):
    """What all of them have: what is known here without asking, and the way to ask."""

    def __init__(self, desk: Sender, address: bytes, network: Network, courier: Courier) -> None:
        # Not the node's own construction: it has books, and is somewhere else.
        self.id = desk.id
        self.number = network.participant_number(desk.id)
        self._desk = desk
        self._address = address
        self._network = network
        self._courier = courier
        self._last_standing = NodeStanding(-1, -1, 0)

    @property
    def network(self) -> Network:
        """The network this node is part of."""
        return self._network

    @property
    def address(self) -> bytes:
        """The address of its key, by the chain."""
        return self._address

    @property
    def reconciled_block(self) -> int:
        """The block of its last comparison; as it was last heard of, when it is away."""
        try:
            return self.standing().reconciled_block
        except UnreachableError:
            return self._last_standing.reconciled_block

    @reconciled_block.setter
    def reconciled_block(self, _: int) -> NoReturn:
        raise TypeError(f"{self.id} reconciles in its own process")

    def close(self) -> None:
        """Its own process closes what it has."""

    def ask(self, method: Method, args: tuple[Any, ...], named: dict[str, Any]) -> Any:  # noqa: ANN401 # each method fixes its answer
        """Calls a method for the desk. Raises UnreachableError, PermissionError, StorageError."""
        result = self._courier.call(self._desk, method, args, named)
        if isinstance(result, NodeStanding):
            self._last_standing = result
        return result

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise TypeError(f"{name} of {self.id} is in another process: it is not for the desk")


class RemoteExchange(RemoteNode, Exchange):
    """The exchange."""

    def pass_on(
        self,
        first_position: int,
        end: int,
        trades: TradesByParty | None = None,
        behind: frozenset[str] = frozenset(),
    ) -> None:
        """Has trades affirmed and handed over; it sorts them by itself."""
        del trades
        self.pass_on_captured(first_position, end, behind)


@cache
def remote_class(role: Role) -> type[RemoteNode]:
    """The class of the remote nodes of a role."""
    kind = ROLES[role]
    base = (RemoteExchange,) if kind is Exchange else (RemoteNode, kind)
    methods = {
        name: _asking(method)
        for name, method in vars_of(kind).items()
        if callable(method) and is_for_desk(method)
    }
    remote: type[RemoteNode] = type(f"Remote{kind.__name__}", base, methods)
    return remote


def vars_of(kind: type) -> dict[str, object]:
    """What a class and those that it comes from define."""
    return {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}


def _asking(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def ask(self: RemoteNode, *args: Any, **named: Any) -> Any:  # noqa: ANN401 # the method's own
        return self.ask(method, args, named)

    return ask
