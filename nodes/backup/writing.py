"""Writing a backup of an open market: whole under its name, or not at all."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ledger.books.whole_files import force_to_disk
from ledger.domain.participants import Role
from ledger.logs import logger_of
from nodes.backup.manifest import DATA, UNFINISHED, BackupError, Manifest, write_manifest
from nodes.backup.pinning import PRIVATE_FOLDER, Pinned
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.folder_meta import read_meta
from nodes.sandbox.sandbox import Sandbox
from nodes.state_hash import state_hash

ON_A_SERVER: Final = "back up that database and the folder together while nothing runs"

log = logger_of(__name__)


def write_backup(sandbox: Sandbox, folder: Path) -> Manifest:
    """Backs up the market of a sandbox, which may go on meanwhile.

    Raises BackupError when its chain or its books are elsewhere or the folder is there already,
    OSError when the disk does not take it: then nothing of it stays.
    """
    path = sandbox.consortium.path
    if path is None or sandbox.consortium.own_chain is None:
        raise BackupError(
            "its chain is not in its folder: back it up with its node's own means, and the folder"
            " by copying it while nothing runs"
        )
    if sandbox.consortium.books_server is not None:
        raise BackupError(
            f"its books are at {sandbox.consortium.books_server.shown}: {ON_A_SERVER}"
        )
    if folder.exists():
        raise BackupError(f"{folder} exists: name another")
    unfinished = folder.with_name(f"{folder.name}{UNFINISHED}")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True, mode=PRIVATE_FOLDER)
        manifest = _write(sandbox, path, unfinished)
    except BaseException:
        # Whatever it was: what was written has keys.
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    unfinished.rename(folder)
    force_to_disk(folder.parent)
    log.info("backup.written", block=manifest.block, bytes=manifest.size_bytes)
    return manifest


def _write(sandbox: Sandbox, path: Path, folder: Path) -> Manifest:
    proposer = sandbox.consortium.network.sole(Role.CLEARING_HOUSE)
    with sandbox.captures.paused(), sandbox.lock:
        described = _described(sandbox.consortium, path)
        pinned = Pinned(path, proposer)
    with pinned:
        files = tuple(pinned.write_to(folder / DATA))
    manifest = msgspec.structs.replace(described, files=files)
    write_manifest(folder, manifest)
    return manifest


def _described(consortium: Consortium, path: Path) -> Manifest:
    """Where the market stands. Whoever calls holds its lock."""
    consortium.catch_up()
    meta = read_meta(path)
    assert meta is not None, "an open market has a founded folder"
    assert meta.seats is not None, "its chain is in the folder"
    now = consortium.clock.business_time().replace(tzinfo=None)
    return Manifest(
        venue=consortium.network.venue,
        business_time=now.isoformat(timespec="seconds"),
        block=consortium.clearing_house.projection.height,
        state_hash=state_hash(consortium),
        open_breaks=open_breaks(consortium),
        validators=meta.seats.validators,
    )


def open_breaks(consortium: Consortium) -> int:
    """Of all nodes that answer."""
    count = 0
    for node in consortium.nodes.values():
        with suppress(UnreachableError):
            count += node.standing().open_breaks
    return count
