"""Founding a consortium, or opening the one in a folder: only with what it was begun with."""

from pathlib import Path

import msgspec

from ledger.books.database import UnfitDatabaseError
from ledger.chain.errors import StorageError
from ledger.domain.rules import Rules
from nodes.books_place import IN_ONE_PROCESS, StatePlace, books_server, require_files
from nodes.broker import Broker
from nodes.clock import Clock
from nodes.consortium import Consortium, Elsewhere, FoundBroker
from nodes.engine import Engine
from nodes.folder_meta import FORMAT_VERSION, Meta, PinnedPlan, StateFolderError
from nodes.network import Network
from nodes.same_chain import check_same, check_unused
from nodes.state_folder import StateFolder
from nodes.validators import Seating, seats


def open_consortium(
    network: Network,
    rules: Rules,
    clock: Clock,
    at: Path | StatePlace | None,
    engine: Engine | None = None,
    seating: Seating | None = None,
    plan: PinnedPlan | None = None,
    found_broker: FoundBroker = Broker,
) -> Consortium:
    """Founds a consortium, or opens the one in a folder again; in memory when there is none.

    The chain is in the folder (or in memory) when no engine is given; ``seating`` is then how a new
    one is validated. ``plan`` is what a market day is begun with; ``found_broker`` makes the nodes
    of brokers, where something else stands in for them. Raises StateFolderError when the folder was
    begun with anything else or belongs to another chain, EngineError when the engine cannot be
    used, MalformedError for a bad seating.
    """
    if engine is not None:
        engine.require(network.chain_id, rules.cycle_lines_max)
    wanted = seats(network, seating or Seating())
    if at is None:
        if engine is not None:
            check_unused(engine, network)
        return Consortium(network, rules, clock, wanted, None, engine, found_broker)
    place = StatePlace(at) if isinstance(at, Path) else at
    path = place.folder
    folder = StateFolder(path)
    try:
        meta = folder.read_meta()
        books, folder.server = books_server(path, meta, place.database)
        if meta is None:
            new = Meta(FORMAT_VERSION, network, rules, wanted, plan, books=books)
            meta = _found_folder(folder, new, engine)
        differing = meta.differences(network, rules, plan)
        if differing:
            raise StateFolderError(
                f"{path} was begun with something else. What differs: {'; '.join(differing)}."
                " Give the same again, or name another folder with --folder"
            )
        check_same(path, meta.engine, engine)
        if seating and meta.seats != wanted:
            raise StateFolderError(
                f"the chain in {path} has other validators, and keeps them for life: leave"
                " --validators and --executor out, or name another folder with --folder"
            )
        of_chain = meta.seats or wanted
        consortium = Consortium(network, rules, clock, of_chain, folder, engine, found_broker)
        if engine is not None and engine.identity is not None:
            identity = engine.identity.with_contracts(consortium.contracts)
            folder.write_meta(msgspec.structs.replace(meta, engine=identity))
    except BaseException as error:
        folder.close()
        if isinstance(error, StorageError | UnfitDatabaseError):
            raise StateFolderError(str(error)) from error
        raise
    return consortium


def join_consortium(path: Path, clock: Clock, elsewhere: Elsewhere) -> Consortium:
    """The clearing house and the chain of a founded folder, whose other nodes are elsewhere.

    Who has started them all has locked the folder. Raises StateFolderError.
    """
    folder = StateFolder(path, is_locked=False)
    meta = folder.read_meta()
    if meta is None or meta.seats is None:
        raise StateFolderError(f"{path} has no chain of its own: begin one with novate up")
    require_files(path, meta, IN_ONE_PROCESS)
    try:
        return Consortium(meta.network, meta.rules, clock, meta.seats, folder, elsewhere=elsewhere)
    except StorageError as error:
        raise StateFolderError(str(error)) from error


def _found_folder(folder: StateFolder, meta: Meta, engine: Engine | None) -> Meta:
    """Begins a new folder."""
    if engine is not None:
        check_unused(engine, meta.network)
        meta = msgspec.structs.replace(meta, seats=None, engine=engine.identity)
    folder.write_meta(meta)
    return meta
