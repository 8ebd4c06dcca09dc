"""A running consortium: the chain and all nodes, in one process, on disk or in memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from contracts.deployment import Contracts
from ledger.books.database import Database, open_database
from ledger.books.postgresql import BooksServer
from ledger.books.postings import Register
from ledger.books.segments import SegmentStore
from ledger.chain.chain import Chain
from ledger.domain.identifiers import owner_of
from ledger.domain.participants import Role
from ledger.domain.rules import Rules
from nodes import bootstrap
from nodes.away import away
from nodes.bank import Bank
from nodes.broker import Broker
from nodes.bus import NO_ANSWER, Bus, InProcessBus, UnreachableError
from nodes.clearing_house import ClearingHouse
from nodes.clock import Clock
from nodes.engine import EmbeddedEngine, Engine
from nodes.exchange import Exchange
from nodes.keys import Key
from nodes.ledger_feed import LedgerFeed
from nodes.network import Network
from nodes.node import Node, Surroundings
from nodes.outbox import Outbox
from nodes.proofs import ProofDesk
from nodes.registrar import Registrar
from nodes.same_chain import check_books
from nodes.segment_keeper import SegmentKeeper
from nodes.state_folder import StateFolder, chain_file, segments_folder
from nodes.trader import Trader
from nodes.validators import DEPLOYER, Seats, open_chain

FoundBroker = Callable[[str, Key, Database, Surroundings], Trader]
"""Makes the node of a broker; a ``Broker`` is one."""

KeepsAccounts: TypeAlias = Bank | Registrar
"""Who keeps accounts for others, and issues and redeems in them."""


class Elsewhere(Protocol):
    """Nodes that are processes of their own, as the clearing house's process reaches them."""

    def bus(self, network: Network, contracts: Contracts, engine: Engine) -> Bus:
        """What carries the clearing house's messages to them; they may have the engine's chain."""

    def node(self, id: str, role: Role) -> Node:
        """One of them, as its desk sees it. The bus is there already."""


class Consortium:
    """The chain, the nodes, and what makes them move together.

    Attributes:
        nodes: by participant; a node that is away raises UnreachableError whatever it is asked.
        reported_to: up to which place of the capture each desk has told its node, where known.
    """

    def __init__(
        self,
        network: Network,
        rules: Rules,
        clock: Clock,
        seats: Seats,
        folder: StateFolder | None = None,
        engine: Engine | None = None,
        found_broker: FoundBroker = Broker,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.network = network
        self.rules = rules
        self.clock = clock
        self._folder = folder
        self._found_broker = found_broker
        self._elsewhere = elsewhere
        self._kept_in_memory: dict[str, Database] = {}
        self.bus = InProcessBus()
        self.engine = engine or EmbeddedEngine(
            open_chain(network, seats, clock, self._key, self._chain_file), clock
        )
        self._deployer_database = self._open_database(DEPLOYER)
        self.contracts = self._deploy()
        self.feed = LedgerFeed(self.engine, self.contracts)
        bus = elsewhere.bus(network, self.contracts, self.engine) if elsewhere else self.bus
        around = Surroundings(network, bus, self.engine, self.contracts, self.feed, clock, rules)
        self._around = around
        self._isolated: dict[str, Node] = {}
        self.reported_to: dict[str, int] = {}
        self.nodes = {p.id: self._found(p.id, p.role, around) for p in network.participants}
        check_books(self.engine, [node.projection for node in self._own_nodes()])
        if elsewhere is None:
            bootstrap.register_instruments(network, self.contracts, self.registrar.outbox)
        bootstrap.check_numbers(network, self.contracts)
        self.clearing_house.resume()
        self.proofs = ProofDesk(self.clearing_house)
        self._segments = self._segment_keeper()
        self.catch_up()

    @property
    def chain(self) -> Chain:
        """The chain in this process. Raises LookupError when it is in another."""
        chain = self.own_chain
        if chain is None:
            raise LookupError("the chain of this consortium is in another process")
        return chain

    @property
    def own_chain(self) -> Chain | None:
        """The chain in this process; None when it is in another."""
        return self.engine.chain if isinstance(self.engine, EmbeddedEngine) else None

    @property
    def path(self) -> Path | None:
        """The state folder; None in memory."""
        return self._folder.path if self._folder else None

    @property
    def books_server(self) -> BooksServer | None:
        """What has the nodes' books, when they are not files."""
        return self._folder.server if self._folder else None

    @property
    def exchange(self) -> Exchange:
        """The exchange."""
        node = self.nodes[self.network.sole(Role.EXCHANGE)]
        assert isinstance(node, Exchange)
        return node

    @property
    def clearing_house(self) -> ClearingHouse:
        """The clearing house."""
        node = self.nodes[self.network.sole(Role.CLEARING_HOUSE)]
        assert isinstance(node, ClearingHouse)
        return node

    @property
    def registrar(self) -> Registrar:
        """The registrar."""
        node = self.nodes[self.network.sole(Role.REGISTRAR)]
        assert isinstance(node, Registrar)
        return node

    def trader(self, participant: str) -> Trader:
        """A broker or bank. Raises KeyError when there is none of this id."""
        node = self.nodes[participant]
        if not isinstance(node, Trader):
            raise KeyError(f"{participant} does not trade")
        return node

    def bank(self, participant: str) -> Bank:
        """A bank. Raises KeyError when there is none of this id."""
        node = self.nodes[participant]
        if not isinstance(node, Bank):
            raise KeyError(f"{participant} is not a bank")
        return node

    def bank_of_account(self, account: str) -> Bank:
        """The settlement bank of the participant that an account belongs to."""
        owner = owner_of(account)
        return self.bank(self.network.participant(owner).settlement_bank or owner)

    def keeper(self, register: Register, account: str) -> KeepsAccounts:
        """Who keeps an account in a register."""
        if register is Register.SECURITIES:
            return self.registrar
        return self.bank_of_account(account)

    def traders(self) -> Sequence[Trader]:
        """All brokers and banks."""
        return [node for node in self.nodes.values() if isinstance(node, Trader)]

    def catch_up(self) -> None:
        """Lets every node project the final blocks that are new to it; who is away will later."""
        for node in self.nodes.values():
            with self._lets_go(node):
                node.catch_up()
        if self._segments:
            self._segments.keep_settled()

    def stop_node(self, id: str) -> None:
        """Ends a node as if its process had been killed: what is not on its disk is lost.

        Another participant's node, that is: the clearing house is what this process is for.
        """
        node = self._isolated.pop(id, self.nodes[id])
        self.bus.remove(id)
        self.nodes[id] = away(node)
        self.reported_to.pop(id, None)
        if self._folder:
            node.close()

    def start_node(self, id: str) -> None:
        """Begins a node again from what is on its disk; it finishes what was cut off."""
        node = self._found(id, self.network.participant(id).role, self._around)
        check_books(self.engine, [node.projection])
        self.nodes[id] = node
        node.catch_up()
        node.resume()
        node.announce()

    def isolate_node(self, id: str) -> None:
        """Puts a node where nobody reaches it and it reaches nobody; it lives on."""
        self._isolated[id] = self.nodes[id]
        self.nodes[id] = away(self.nodes[id])
        self.reported_to.pop(id, None)

    def rejoin_node(self, id: str) -> None:
        """Brings a node back as it is; it catches up."""
        node = self.nodes[id] = self._isolated.pop(id)
        node.catch_up()
        node.announce()

    def is_isolated(self, id: str) -> bool:
        """Whether a node is one that lives on by itself."""
        return id in self._isolated

    def redeliver(self) -> int:
        """Tells those who are back what they have missed; returns how many notices they took."""
        return self.clearing_house.notices.work()

    def affirm_late(self) -> int:
        """Has trades affirmed that desks have reported late; returns the notices taken."""
        taken = 0
        for trader in self.traders():
            with suppress(UnreachableError):
                taken += trader.tell_late()
        return taken

    def reconcile(self) -> int:
        """Lets every node reconcile that is not away; returns the number of open breaks."""
        self.redeliver()
        self.catch_up()
        breaks = 0
        for node in self.nodes.values():
            with self._lets_go(node):
                breaks += node.reconcile()
        return breaks

    def close(self) -> None:
        """Waits until every settled cycle is kept, then releases files and locks."""
        try:
            if self._segments:
                self._segments.close()
        finally:
            self._release()

    def let_go(self) -> None:
        """Releases files and threads until they are needed again: the process may be forked then.

        Of a consortium on disk with its own chain, all of whose nodes are here.
        """
        assert self._folder is not None, "what is in memory goes with its connection"
        for node in self.nodes.values():
            node.database.close()
        self._deployer_database.close()
        self.chain.let_go()

    def _release(self) -> None:
        for node in (*self.nodes.values(), *self._isolated.values()):
            node.close()
        for database in (self._deployer_database, *self._kept_in_memory.values()):
            database.close()
        self.engine.close()
        if self._folder:
            self._folder.close()

    def _deploy(self) -> Contracts:
        key = self._key(DEPLOYER)
        outbox = Outbox(key, self.engine, self._deployer_database)
        return bootstrap.deploy(self.network, self.engine.w3, outbox, self._key)

    def _found(self, id: str, role: Role, around: Surroundings) -> Node:
        if self._elsewhere and role is not Role.CLEARING_HOUSE:
            return self._elsewhere.node(id, role)
        return found_node(id, self._key(id), self._open_database(id), around, self._found_broker)

    def _own_nodes(self) -> Iterator[Node]:
        """The nodes of this process."""
        for node in self.nodes.values():
            if self._elsewhere is None or node is self.clearing_house:
                yield node

    def _lets_go(self, node: Node) -> AbstractContextManager[None]:
        """Whatever keeps a node of another process from acting, the others go on."""
        is_elsewhere = self._elsewhere and node is not self.clearing_house
        return suppress(*(NO_ANSWER if is_elsewhere else (UnreachableError,)))

    def _segment_keeper(self) -> SegmentKeeper | None:
        if self._folder is None:
            return None
        return SegmentKeeper(self.clearing_house, SegmentStore(segments_folder(self._folder.path)))

    def _open_database(self, name: str) -> Database:
        if self._folder:
            return open_database(self._folder.books_of(name))
        # It stands for a disk: a node that is begun again finds there what it had committed.
        if name not in self._kept_in_memory:
            self._kept_in_memory[name] = open_database(None)
        return self._kept_in_memory[name]

    def _chain_file(self, name: str) -> Path | None:
        if self._folder is None:
            return None
        self._folder.node_folder(name)
        return chain_file(self._folder.path, name)

    def _key(self, name: str) -> Key:
        """A node's key: from its file if there is one, so it can be another than the seed's."""
        if self._folder is None:
            return bootstrap.key_of(self.network, name)
        file = self._folder.node_folder(name) / "key"
        if not file.exists():
            bootstrap.key_of(self.network, name).write(file)
        return Key.read(file)


def found_node(
    id: str,
    key: Key,
    database: Database,
    around: Surroundings,
    found_broker: FoundBroker = Broker,
) -> Node:
    """A node of the role that its participant has in the network."""
    match around.network.participant(id).role:
        case Role.EXCHANGE:
            return Exchange(id, key, database, around, is_signed=around.rules.signed_trades)
        case Role.BROKER:
            return found_broker(id, key, database, around)
        case Role.BANK:
            return Bank(id, key, database, around)
        case Role.CLEARING_HOUSE:
            return ClearingHouse(id, key, database, around, around.rules)
        case Role.REGISTRAR:
            return Registrar(id, key, database, around)
        case Role.REGULATOR:
            return Node(id, key, database, around)
