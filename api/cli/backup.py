"""``novate backup`` and ``novate restore``: a market into a folder, and back, verified."""

import shutil
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from api.cli.chain_options import FOLDER_NAMES
from api.cli.http_client import DEFAULT_URL, Client, UrlOption
from api.cli.key_choice import folder_of
from api.cli.terminal import EXIT_FAILED, bad_input, counted, file_trouble, messages, output, say
from ledger.books.whole_files import force_to_disk
from nodes.backup.manifest import UNFINISHED, BackupError, Manifest, read_manifest
from nodes.backup.restoring import copy_backup, words_on_votes
from nodes.backup.restoring import restore as bring_back
from nodes.backup.writing import ON_A_SERVER, write_backup
from nodes.books_place import require_files
from nodes.clock import WallClock
from nodes.folder_meta import StateFolderError, read_meta
from nodes.keys import fresh_seed
from nodes.sandbox.sandbox import open_sandbox
from nodes.state_folder import FolderInUseError

_NAME_LENGTH: Final = 16


def backup(
    target: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that is not there yet.")],
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Back up a market with its keys, also while novate up serves it; the market goes on."""
    state = folder_of(url)
    if target.exists():
        bad_input(f"{target} exists: name another folder")
    try:
        meta = read_meta(state)
        require_files(state, meta, ON_A_SERVER)
        if meta is None:
            bad_input(f"{state} is no state folder: name one with --folder")
        manifest = _written(state, url, target)
    except StateFolderError as error:
        bad_input(str(error))
    except BackupError as error:
        _differs(error)
    except OSError as error:
        file_trouble(error)
    output().print(f"OK: {target}: {_words(manifest)}", markup=False, soft_wrap=True)


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What novate backup wrote.")],
    state: Annotated[
        Path, typer.Option(*FOLDER_NAMES, help="A new folder; nothing is written over.")
    ],
) -> None:
    """Bring a backup back into a new folder, and verify it: files, chain, books, state hash.

    Ends with status 1 and names the first difference.
    """
    try:
        restored = bring_back(source, state, lambda what: say(f"verifying {what}"))
    except BackupError as error:
        _differs(error)
    except OSError as error:
        file_trouble(error)
    found, manifest = restored.verified, restored.manifest
    breaks = f"{restored.open_breaks} open breaks, {manifest.open_breaks} when it was backed up"
    cycles = f"{counted(found.cycles, 'cycle')} of {counted(found.trades, 'trade')}"
    lines = [
        f"OK: {state}: {_words(manifest)}",
        f"    verified: {cycles}, {counted(found.balances, 'balance')}; {breaks}",
        words_on_votes(manifest),
    ]
    output().print("\n".join(lines), markup=False, soft_wrap=True)


def _written(state: Path, url: str, target: Path) -> Manifest:
    """By this process when no other has the folder open; else by the one that serves it."""
    try:
        sandbox = open_sandbox(state, None, WallClock().business_time().date())
    except FolderInUseError:
        return _asked_for(state, url, target)
    try:
        return write_backup(sandbox, target)
    finally:
        sandbox.stop()


def _asked_for(state: Path, url: str, target: Path) -> Manifest:
    client = Client(url)
    name = f"backup-{fresh_seed()[:_NAME_LENGTH]}"
    told = client.post("sandbox/backups", {"name": name})
    written = state / "backups" / name
    if not written.exists():
        # It has keys: nobody is to be left without knowing of it.
        bad_input(
            f"{url} serves another folder than {state}, and has backed that up into"
            f" {told['folder']}: name the other server with --url"
        )
    manifest = read_manifest(written)
    _move(written, target, manifest)
    return manifest


def _move(written: Path, target: Path, manifest: Manifest) -> None:
    """To where it was asked for: whole there, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        written.rename(target)
    except OSError:
        # On another disk.
        unfinished = target.with_name(f"{target.name}{UNFINISHED}")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            copy_backup(written, manifest, unfinished)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        unfinished.rename(target)
        shutil.rmtree(written)
    force_to_disk(target.parent)


def _words(manifest: Manifest) -> str:
    files = f"{counted(len(manifest.files), 'file')} of {manifest.size_bytes:,} bytes"
    return f"block {manifest.block}, state hash {manifest.state_hash}, {files}"


def _differs(error: BackupError) -> NoReturn:
    messages().print("error:", error, markup=False)
    raise typer.Exit(EXIT_FAILED)
