"""Bringing a backup back: every file compared with the manifest, then the market itself.

It is opened as by any start: the chain is executed again from its first block, the books catch up,
everybody reconciles, and every root, net line and balance is derived once more. Only then has the
folder its name. The backup stays as it is.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ledger.books.segment_index import RunError
from ledger.books.whole_files import force_to_disk, write_whole
from ledger.chain.errors import StorageError
from ledger.chain.executors import DEFAULT_EXECUTOR
from ledger.chain.verification import verify
from nodes.backup.manifest import (
    DATA,
    UNFINISHED,
    BackupError,
    KeptFile,
    Manifest,
    check_file,
    check_names,
    pieces_of,
    read_manifest,
    write_manifest,
)
from nodes.backup.pinning import PRIVATE, PRIVATE_FOLDER
from nodes.backup.writing import open_breaks
from nodes.clock import WallClock
from nodes.day_verification import Verified, verify_day
from nodes.derived_cycles import DifferenceError
from nodes.explorer.folder import open_replica
from nodes.folder_meta import StateFolderError
from nodes.invariants import violations
from nodes.sandbox.sandbox import open_sandbox
from nodes.state_hash import state_hash

ALONE: Final = 1

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found right, and what stands open as it did before."""

    manifest: Manifest
    verified: Verified
    open_breaks: int


def restore(backup: Path, folder: Path, say: Say = lambda _: None) -> Restored:
    """Brings a backup back into a new folder. ``say`` is told what is being verified.

    Raises BackupError with the first difference, or when the folder is there already; OSError when
    the disk does not take it. Then nothing of it stays.
    """
    manifest = read_manifest(backup)
    if folder.exists() and not _is_empty(folder):
        raise BackupError(f"{folder} exists and is not empty: nothing is ever written over")
    unfinished = folder.absolute().with_name(f"{folder.name}{UNFINISHED}")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        say(f"{len(manifest.files)} files, {manifest.size_bytes:,} bytes")
        copy_files(backup, manifest, unfinished)
        restored = _verified(unfinished, manifest, say)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    unfinished.rename(folder)
    force_to_disk(folder.absolute().parent)
    return restored


def copy_files(backup: Path, manifest: Manifest, target: Path) -> None:
    """Copies the files of a backup, each compared with the manifest as it is read.

    Raises BackupError with the first that is not what was kept.
    """
    check_names(backup, manifest)
    # There are keys among them, from the first moment on.
    target.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    for kept in manifest.files:
        _copy(kept, backup / DATA / kept.path, target / kept.path)


def copy_backup(backup: Path, manifest: Manifest, target: Path) -> None:
    """Copies a backup as one, to another disk. Raises BackupError, OSError."""
    target.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    copy_files(backup, manifest, target / DATA)
    write_manifest(target, manifest)


def words_on_votes(manifest: Manifest) -> str:
    """What whoever brings it back must know where others may have voted since; empty: nobody."""
    names = ", ".join(manifest.validators)
    if len(manifest.validators) == ALONE:
        return (
            f"{names} has proposed blocks since this backup if it ran on after block"
            f" {manifest.block}. Run one of the two only: both would seal other blocks of the same"
            " heights."
        )
    return (
        f"This folder has the keys of the validators {names} and their votes up to block"
        f" {manifest.block}. A validator that has voted on later blocks and is brought back from"
        " here can vote twice on one height. Start this folder only when the one it was taken from"
        " will never run again, and nobody acts on what it has made final since."
    )


def _copy(kept: KeptFile, source: Path, target: Path) -> None:
    digest, size = hashlib.sha256(), 0

    def copy(stream: BinaryIO) -> None:
        nonlocal size
        for piece in pieces_of(source):
            digest.update(piece)
            size += stream.write(piece)

    write_whole(target, copy)
    target.chmod(PRIVATE)
    check_file(kept, size, digest.hexdigest())


def _verified(path: Path, manifest: Manifest, say: Say) -> Restored:
    try:
        say(f"the chain, executed again from its first block to {manifest.block}")
        with open_replica(path, None) as (store, config):
            for _ in verify(store, config, DEFAULT_EXECUTOR):
                pass
        say("books, reconciliation and state hash")
        breaks = _opened(path, manifest)
        say("every root, net line and balance of the settled cycles")
        [*_, verified] = verify_day(path)
    except (StateFolderError, StorageError, RunError, DifferenceError) as error:
        raise BackupError(str(error)) from error
    return Restored(manifest, verified, breaks)


def _opened(path: Path, manifest: Manifest) -> int:
    """Opens the market, has everybody reconcile, and compares it with the manifest."""
    sandbox = open_sandbox(path, None, WallClock().business_time().date())
    try:
        consortium = sandbox.consortium
        consortium.reconcile()
        for violation in violations(consortium):
            raise BackupError(f"invariant {violation.invariant}: {violation.detail}")
        for what, expected, found in (
            ("last final block", manifest.block, consortium.clearing_house.projection.height),
            ("state hash", manifest.state_hash, state_hash(consortium)),
        ):
            if expected != found:
                raise BackupError(f"{what}: expected {expected}, found {found}")
        return open_breaks(consortium)
    finally:
        sandbox.stop()


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
