"""The process of one node: a broker, a bank, the exchange or the registrar.

It answers envelopes, follows the chain, and reconciles at every final block by itself.
"""

from pathlib import Path
from threading import Event
from typing import Final

from contracts.deployment import Addresses, Contracts
from ledger.books.database import open_database
from ledger.domain.participants import Role
from ledger.logs import logger_of
from nodes import bootstrap
from nodes.books_place import IN_ONE_PROCESS, require_files
from nodes.bus import NO_ANSWER
from nodes.business_clock import clock_file
from nodes.clock import NS
from nodes.consortium import found_node
from nodes.engine import EngineError
from nodes.folder_meta import Meta, StateFolderError, read_meta
from nodes.keys import Key
from nodes.ledger_feed import LedgerFeed
from nodes.node import Node, Surroundings
from nodes.processes.following_clock import FollowingClock
from nodes.processes.house_engine import HouseEngine
from nodes.processes.lifeline import end_with_supervisor, say_ready
from nodes.processes.routes import messages_route
from nodes.state_folder import books_file, key_file
from nodes.stop_signals import on_stop
from nodes.turns import Turns
from nodes.wire.courier import Courier, HttpBus, Sender
from nodes.wire.directory import LOCAL, Directory
from nodes.wire.host import NodeHost
from nodes.wire.http_post import Post
from nodes.wire.listener import Listener
from nodes.wire.signers import Signers

CHAIN: Final = "/chain"
MESSAGES: Final = "/messages"
FOLLOW_SECONDS: Final = 0.2
AWAY_SECONDS: Final = 3.0
"""Who has not looked for so long has stood still, and may have missed something."""
RECONCILE_SECONDS: Final = 2.0
"""How often a node with open breaks compares again without a new block."""

log = logger_of(__name__)


class NodeProcess:
    """One node and everything around it."""

    def __init__(self, state: Path, id: str, port: int) -> None:
        """Raises StateFolderError, EngineError when it cannot begin."""
        meta = founded(state, id)
        self._directory = Directory(state)
        self._listener = Listener(port)
        self.port = self._listener.port
        self._turns = Turns()
        self._engine = self._chain(meta)
        self._clock = FollowingClock(clock_file(state))
        self._post = Post(self._clock)
        self.node, signers = self._found(state, id, meta)
        self.node.resume()
        host = NodeHost(self.node, signers, self._turns, desk_key(state, id).address)
        self._listener.route(MESSAGES, messages_route(host))

    def follow(self, stopping: Event) -> None:
        """Catches up and reconciles, until it is told to stop."""
        waited, seen_ns, was_away = 0.0, self._clock.stopwatch_ns(), True
        while not stopping.wait(FOLLOW_SECONDS):
            waited += FOLLOW_SECONDS
            now_ns = self._clock.stopwatch_ns()
            was_away = was_away or now_ns - seen_ns > AWAY_SECONDS * NS
            try:
                if was_away:
                    # It was started now, or has stood still. It keeps no turn meanwhile: those whom
                    # it tells may be waiting for it themselves.
                    self.node.announce()
                    was_away = False
                with self._turns:
                    is_behind = self._engine.final_height() > self.node.reconciled_block
                    has_breaks = waited >= RECONCILE_SECONDS and bool(
                        self.node.break_book.standing()
                    )
                    if is_behind or has_breaks:
                        waited = 0.0
                        self.node.catch_up()
                        self.node.reconcile()
            except (EngineError, *NO_ANSWER) as error:
                log.warning("node.goes_on_later", node=self.node.id, error=str(error))
            seen_ns = self._clock.stopwatch_ns()

    def close(self) -> None:
        """Finishes what it is doing, then releases everything."""
        self._listener.close()
        with self._turns:
            self._post.close()
            self.node.close()

    def _chain(self, meta: Meta) -> HouseEngine:
        house = meta.network.sole(Role.CLEARING_HOUSE)
        port = self._directory.port_of(house)
        engine = HouseEngine(f"http://{LOCAL}:{port}{CHAIN}")
        engine.require(meta.network.chain_id, meta.rules.cycle_lines_max)
        return engine

    def _found(self, state: Path, id: str, meta: Meta) -> tuple[Node, Signers]:
        listed = self._directory.read().contracts
        addresses = Addresses(**{name: bytes.fromhex(at[2:]) for name, at in listed.items()})
        contracts = Contracts(self._engine.w3, addresses)
        signers = Signers(meta.network, contracts)
        sender = Sender(id, Key.read(key_file(state, id)))
        courier = Courier(self._directory, signers, self._post, self._turns)
        around = Surroundings(
            network=meta.network,
            bus=HttpBus(courier, sender),
            engine=self._engine,
            contracts=contracts,
            feed=LedgerFeed(self._engine, contracts),
            clock=self._clock,
            rules=meta.rules,
        )
        node = found_node(id, sender.key, open_database(books_file(state, id)), around)
        return node, signers


def serve(state: Path, id: str, port: int) -> None:
    """Runs one node until it is told to stop, or its supervisor is gone.

    Raises StateFolderError, EngineError, OSError when it cannot begin.
    """
    stopping = Event()
    on_stop(stopping.set)
    end_with_supervisor(stopping.set)
    process = NodeProcess(state, id, port)
    say_ready(process.port)
    process.follow(stopping)
    process.close()


def founded(state: Path, id: str | None) -> Meta:
    """What a folder says of itself. Raises StateFolderError when it has no such node, or is new."""
    meta = read_meta(state)
    if meta is None:
        raise StateFolderError(f"{state} is no state folder: begin one with novate up --processes")
    require_files(state, meta, IN_ONE_PROCESS)
    if id is not None and id not in [each.id for each in meta.network.participants]:
        raise StateFolderError(f"{id} is no participant of the network in {state}")
    return meta


def desk_key(state: Path, id: str) -> Key:
    """The key of a node's own desk: what it signs its calls with; another than the node's."""
    return Key.read(key_file(state, f"{id}.desk"))


def found_desks(state: Path, meta: Meta) -> None:
    """Gives every desk its key, once; the clearing house's is in the process of its node."""
    house = meta.network.sole(Role.CLEARING_HOUSE)
    for participant in meta.network.participants:
        if participant.id == house:
            continue
        name = f"{participant.id}.desk"
        file = key_file(state, name)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            bootstrap.key_of(meta.network, name).write(file)
