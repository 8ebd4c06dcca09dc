"""A running consortium: the chain and all nodes, in one process, on disk or in memory."""

from collections.abc import Sequence
from pathlib import Path

from contracts.deployment import Contracts
from ledger.books.database import Database, open_database
from ledger.books.postings import Register
from ledger.chain.provider import web3_of
from ledger.domain.identifiers import owner_of
from ledger.domain.participants import Role
from ledger.domain.rules import Rules
from nodes import bootstrap
from nodes.bank import Bank
from nodes.broker import Broker
from nodes.bus import InProcessBus
from nodes.clearing_house import ClearingHouse
from nodes.clock import Clock
from nodes.exchange import Exchange
from nodes.keeper import Keeper
from nodes.keys import Key
from nodes.ledger_feed import LedgerFeed
from nodes.network import Network
from nodes.node import TRANSACTION_GAS, Node, Surroundings
from nodes.outbox import Outbox
from nodes.registrar import Registrar
from nodes.state_folder import StateFolder, StateFolderError
from nodes.trader import Trader
from nodes.validators import DEPLOYER, VALIDATORS, Seats, open_chain, seats


class Consortium:
    """The chain, the nodes, and what makes them move together."""

    def __init__(
        self,
        network: Network,
        rules: Rules,
        clock: Clock,
        seats: Seats,
        folder: StateFolder | None = None,
    ) -> None:
        self.network = network
        self.rules = rules
        self.clock = clock
        self._folder = folder
        self.bus = InProcessBus()
        self.chain = open_chain(network, seats, clock, self._key, self._chain_file)
        self.w3 = web3_of(self.chain)
        self._deployer_database = self._open_database(DEPLOYER)
        self.contracts = self._deploy()
        self.feed = LedgerFeed(self.w3, self.contracts)
        around = Surroundings(network, self.bus, self.w3, self.contracts, self.feed, clock)
        self.nodes = {p.id: self._found(p.id, p.role, around) for p in network.participants}
        bootstrap.register_instruments(network, self.contracts, self.registrar.outbox)
        bootstrap.check_numbers(network, self.contracts)
        self.clearing_house.resume()
        self.catch_up()

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

    def keeper(self, register: Register, account: str) -> Keeper:
        """Who keeps an account in a register."""
        if register is Register.SECURITIES:
            return self.registrar.keeper
        return self.bank_of_account(account).keeper

    def traders(self) -> Sequence[Trader]:
        """All brokers and banks."""
        return [node for node in self.nodes.values() if isinstance(node, Trader)]

    def catch_up(self) -> None:
        """Lets every node project the final blocks that are new to it."""
        for node in self.nodes.values():
            node.catch_up()

    def reconcile(self) -> int:
        """Lets every node reconcile; returns the number of open breaks."""
        self.catch_up()
        return sum(node.reconcile() for node in self.nodes.values())

    def close(self) -> None:
        """Releases files and locks."""
        for node in self.nodes.values():
            node.close()
        self._deployer_database.close()
        self.chain.close()
        if self._folder:
            self._folder.close()

    def _deploy(self) -> Contracts:
        key = self._key(DEPLOYER)
        outbox = Outbox(
            key, self.w3, self._deployer_database, self.network.chain_id, TRANSACTION_GAS
        )
        return bootstrap.deploy(self.network, self.w3, outbox, self._key)

    def _found(self, id: str, role: Role, around: Surroundings) -> Node:
        key, database = self._key(id), self._open_database(id)
        match role:
            case Role.EXCHANGE:
                return Exchange(id, key, database, around)
            case Role.BROKER:
                return Broker(id, key, database, around)
            case Role.BANK:
                return Bank(id, key, database, around)
            case Role.CLEARING_HOUSE:
                return ClearingHouse(id, key, database, around, self.rules)
            case Role.REGISTRAR:
                return Registrar(id, key, database, around)
            case Role.REGULATOR:
                return Node(id, key, database, around)

    def _open_database(self, name: str) -> Database:
        path = self._folder.node_folder(name) / "books.sqlite" if self._folder else None
        return open_database(path)

    def _chain_file(self, name: str) -> Path | None:
        return self._folder.node_folder(name) / "chain.sqlite" if self._folder else None

    def _key(self, name: str) -> Key:
        """A node's key: from its file if there is one, so it can be another than the seed's."""
        if self._folder is None:
            return bootstrap.key_of(self.network, name)
        file = self._folder.node_folder(name) / "key"
        if not file.exists():
            bootstrap.key_of(self.network, name).write(file)
        return Key.read(file)


def open_consortium(
    network: Network,
    rules: Rules,
    clock: Clock,
    path: Path | None,
    validators: int | None = None,
    executors: tuple[str, ...] = ("revm",),
) -> Consortium:
    """Founds a consortium, or opens the one in a folder again; in memory when there is no path.

    ``validators`` is how many a new chain has (four), and must fit the one in a folder.

    Raises StateFolderError when the folder holds another network.
    """
    wanted = seats(network, validators or VALIDATORS, executors)
    if path is None:
        return Consortium(network, rules, clock, wanted)
    folder = StateFolder(path)
    meta = folder.read_meta()
    if meta is None:
        folder.write_meta(network, rules, wanted)
    elif meta.network != network:
        folder.close()
        raise StateFolderError(
            f"{path} holds another network (seed, participants or instruments differ):"
            " name another folder with --state"
        )
    elif meta.rules != rules:
        folder.close()
        raise StateFolderError(
            f"{path} was begun under other rules: give the same ones, or name another folder"
        )
    elif validators and meta.seats != wanted:
        folder.close()
        raise StateFolderError(
            f"the chain in {path} has {len(meta.seats.validators)} validators, which is for life:"
            " leave --validators out, or name another folder with --state"
        )
    return Consortium(network, rules, clock, meta.seats if meta else wanted, folder)
