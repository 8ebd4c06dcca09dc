"""The process of the clearing house: its node, the chain, and the sandbox over all the others."""

from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from contracts.deployment import Contracts
from ledger.chain.rpc.backend import Backend, open_backend
from ledger.chain.rpc.errors import RpcError
from ledger.chain.rpc.request import answer, error_response, joined, read, send_together
from ledger.domain.participants import Role
from nodes.bus import Bus
from nodes.business_clock import BusinessClock, clock_file
from nodes.clock import Clock, WallClock
from nodes.engine import EmbeddedEngine, Engine
from nodes.founding import join_consortium
from nodes.keys import Key
from nodes.network import Network
from nodes.node import Node
from nodes.processes.control import ProcessControl
from nodes.processes.faults import ProcessFaults
from nodes.processes.node_process import CHAIN, MESSAGES, desk_key, founded
from nodes.processes.routes import messages_route
from nodes.sandbox.sandbox import CYCLE_SECONDS, Sandbox
from nodes.state_folder import key_file
from nodes.turns import Turns
from nodes.wire.courier import Courier, HttpBus, Sender
from nodes.wire.directory import Directory
from nodes.wire.host import NodeHost
from nodes.wire.http_post import Post
from nodes.wire.listener import Answered, Listener, Route
from nodes.wire.remote_nodes import remote_class
from nodes.wire.signers import Signers


class HouseProcess:
    """The clearing house behind its port. Its ``sandbox`` is started and stopped by who serves it.

    Attributes:
        port: where it answers envelopes, and other nodes reach the chain.
    """

    def __init__(self, state: Path, port: int = 0, cycle_seconds: float = CYCLE_SECONDS) -> None:
        """Raises StateFolderError, OSError when it cannot begin."""
        meta = founded(state, None)
        house = meta.network.sole(Role.CLEARING_HOUSE)
        turns = Turns()
        self._listener = Listener(port)
        self.port = self._listener.port
        self._others = OtherProcesses(state, house, self._listener, turns)
        clock = BusinessClock(clock_file(state))
        consortium = join_consortium(state, clock, self._others)
        self.sandbox = Sandbox(consortium, cycle_seconds, turns)
        self.sandbox.faults = ProcessFaults(consortium, ProcessControl(state))
        node = self.sandbox.consortium.clearing_house
        host = NodeHost(node, self._others.signers, turns, None)
        self._listener.route(MESSAGES, messages_route(host))

    @property
    def contracts(self) -> dict[str, str]:
        """The addresses of the network's contracts, by name."""
        addresses = asdict(self.sandbox.consortium.contracts.addresses)
        return {name: "0x" + address.hex() for name, address in addresses.items()}

    def close(self) -> None:
        """Listens no more."""
        self._listener.close()
        self._others.close()


class OtherProcesses:
    """Everybody but the clearing house, as its process reaches them."""

    signers: Signers
    _courier: Courier

    def __init__(self, state: Path, house: str, listener: Listener, turns: Turns) -> None:
        self._state = state
        self._house = house
        self._listener = listener
        self._turns = turns
        self._clock: Clock = WallClock()
        self._post = Post(self._clock)

    def bus(self, network: Network, contracts: Contracts, engine: Engine) -> Bus:
        """What carries the clearing house's messages to them, who have this process's chain."""
        assert isinstance(engine, EmbeddedEngine), "the chain of processes is the clearing house's"
        backend = open_backend(engine.chain, self._clock.stopwatch_ns, None)
        self._listener.route(CHAIN, chain_route(backend))
        self.signers = Signers(network, contracts)
        self._courier = Courier(Directory(self._state), self.signers, self._post, self._turns)
        return HttpBus(
            self._courier, Sender(self._house, Key.read(key_file(self._state, self._house)))
        )

    def node(self, id: str, role: Role) -> Node:
        """One of them, as its desk sees it."""
        address = self.signers.of(id)
        assert address is not None, "the chain has every participant of the network"
        desk = Sender(id, desk_key(self._state, id))
        return remote_class(role)(desk, address, self.signers.network, self._courier)

    def close(self) -> None:
        """Closes the connections to them."""
        self._post.close()


def chain_route(backend: Backend) -> Route:
    """JSON-RPC for the processes of other nodes."""

    def call(body: bytes) -> Answered:
        try:
            asked = read(body)
        except RpcError as error:
            return HTTPStatus.OK, error_response(None, error)
        if asked.is_batch:
            send_together(backend, asked.entries)
        answers = [answer(backend, entry) for entry in asked.entries]
        responses = [each for each in answers if each is not None]
        return HTTPStatus.OK, joined(responses, is_batch=asked.is_batch) or b""

    return call
