"""A consortium whose nodes speak over real sockets, each behind a port, in one process."""

from contextlib import ExitStack, contextmanager

from ledger.books.database import open_database
from ledger.domain.participants import Role
from nodes import bootstrap
from nodes.clock import WallClock
from nodes.consortium import Consortium, found_node
from nodes.engine import EmbeddedEngine
from nodes.keys import Key
from nodes.ledger_feed import LedgerFeed
from nodes.node import Surroundings
from nodes.processes.routes import messages_route
from nodes.turns import Turns
from nodes.validators import ALONE, seats
from nodes.wire.courier import Courier, HttpBus, Sender
from nodes.wire.directory import Directory, Listing, Place
from nodes.wire.host import NodeHost
from nodes.wire.http_post import Post
from nodes.wire.listener import Listener
from nodes.wire.remote_nodes import remote_class
from nodes.wire.signers import Signers


class TwicePost(Post):
    """Sends everything twice, and says how often the two answers differed."""

    differed = 0

    def send(self, port, path, content):
        first = super().send(port, path, content)
        second = super().send(port, path, content)
        self.differed += first != second
        return second


def desk_key(id):
    return Key.of_seed("desks", id)


class Wired:
    """Nodes behind ports. ``turns`` are those of the clearing house."""

    def __init__(self, folder, post):
        self._stack = ExitStack()
        self.directory = Directory(folder)
        self.turns = Turns()
        self.post = post
        self.hosts, self.nodes, self.ports = {}, {}, {}
        self._stack.callback(post.close)

    def found(self, network, rules, clock):
        self._clock, self._rules = clock, rules
        self.consortium = Consortium(network, rules, clock, seats(network, ALONE), elsewhere=self)
        house = self.consortium.clearing_house
        self._serve(house, self.turns)
        self._stack.callback(self.consortium.close)
        return self.consortium

    def bus(self, network, contracts, engine):
        assert isinstance(engine, EmbeddedEngine)
        self.network, self.contracts, self.engine = network, contracts, engine
        self.signers = Signers(network, contracts)
        self.courier, bus = self._courier(network.sole(Role.CLEARING_HOUSE), self.turns)
        return bus

    def node(self, id, role):
        turns = Turns()
        _, bus = self._courier(id, turns)
        around = Surroundings(
            network=self.network,
            bus=bus,
            engine=self.engine,
            contracts=self.contracts,
            feed=LedgerFeed(self.engine, self.contracts),
            clock=self._clock,
            rules=self._rules,
        )
        node = found_node(id, self._key(id), open_database(None), around)
        self._stack.callback(node.close)
        self._serve(node, turns)
        if role is Role.REGISTRAR:
            self._register_instruments(node)
        desk = Sender(id, desk_key(id))
        return remote_class(role)(desk, node.address, self.network, self.courier)

    def close(self):
        self._stack.close()

    def _serve(self, node, turns):
        host = NodeHost(node, self.signers, turns, desk_key(node.id).address)
        listener = Listener()
        listener.route("/messages", messages_route(host))
        self._stack.callback(listener.close)
        self.hosts[node.id], self.nodes[node.id] = host, node
        self.ports[node.id] = listener.port
        places = {id: Place(pid=1, port=port) for id, port in self.ports.items()}
        self.directory.write(Listing(contracts={}, nodes=places))

    def _courier(self, id, turns):
        courier = Courier(self.directory, self.signers, self.post, turns)
        return courier, HttpBus(courier, Sender(id, self._key(id)))

    def _key(self, id):
        return Key.of_seed(self.network.seed, id)

    def _register_instruments(self, registrar):
        bootstrap.register_instruments(self.network, self.contracts, registrar.outbox)


@contextmanager
def wired(folder, network, rules, clock, post=None):
    """A consortium whose nodes are behind ports until the end of the block."""
    nodes = Wired(folder, post or Post(WallClock()))
    try:
        nodes.found(network, rules, clock)
        yield nodes
    finally:
        nodes.close()
