"""The home of a sandbox: its folder, which can be begun anew, kept under a name, and restored.

What replaces the market in the folder is written down before anything is removed, so that a process
that is killed in between finishes it when it is started again. All of it is done while the sandbox
is closed.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from ledger.books.whole_files import force_to_disk, write_bytes_whole
from ledger.domain.errors import MalformedError
from nodes.keys import fresh_seed
from nodes.sandbox.sandbox import Sandbox
from nodes.state_folder import MARKET_ENTRIES

SNAPSHOTS_MAX: Final = 100
_SNAPSHOTS: Final = "snapshots"
_DESCRIPTION: Final = "snapshot.json"
_REPLACEMENT: Final = "replacement.json"
_UNFINISHED: Final = ".unfinished"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)

OpenSandbox = Callable[[str | None], Sandbox]
"""Opens the sandbox in the folder; a new one, with this seed, when there is none."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A market as it was kept under a name.

    Attributes:
        business_time: what the business clock showed.
        block: the last final block.
        size_bytes: of its files.
    """

    name: str
    seed: str
    business_time: str
    block: int
    state_hash: str
    size_bytes: int = 0


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """What takes the place of the market in the folder: a snapshot, or a new one of a seed.

    Attributes:
        id: names this replacement among all, so that it is told once.
    """

    id: str = msgspec.field(default_factory=fresh_seed)
    snapshot: str | None = None
    seed: str | None = None


class SandboxHome:
    """The folder of one sandbox. Everything but ``snapshots`` is for when the sandbox is closed."""

    def __init__(self, path: Path, open_sandbox: OpenSandbox) -> None:
        self.path = path
        self._open_sandbox = open_sandbox

    def open(self) -> Sandbox:
        """Opens the sandbox, once what was begun to replace it is finished."""
        file = self.path / _REPLACEMENT
        if not file.exists():
            return self._open_sandbox(None)
        replacement = msgspec.json.decode(file.read_bytes(), type=Replacement)
        self._remove_market()
        if replacement.snapshot is not None:
            _copy(self._folder_of(replacement.snapshot), self.path)
        sandbox = self._open_sandbox(replacement.seed)
        act = "reset" if replacement.snapshot is None else "restored"
        told = {"snapshot": replacement.snapshot} if replacement.snapshot else {}
        sandbox.journal.begin_again(sandbox.consortium, replacement.id, f"sandbox.{act}", told)
        # What was answered in the market that is gone is no answer in the next one.
        sandbox.interface.answers.clear()
        file.unlink()
        # Or it would be back with the power, and all that happens from now on be gone.
        force_to_disk(self.path)
        return sandbox

    def replace(self, replacement: Replacement) -> None:
        """Has another market opened the next time. Raises KeyError for an unknown snapshot."""
        if replacement.snapshot is not None:
            self.find(replacement.snapshot)
        content = msgspec.json.encode(replacement)
        write_bytes_whole(self.path / _REPLACEMENT, content)

    def save(self, snapshot: Snapshot) -> None:
        """Keeps the market as it is: whole under the name, or not at all. Raises OSError."""
        unfinished = self.path / _SNAPSHOTS / f"{snapshot.name}{_UNFINISHED}"
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True, mode=0o700)
            _copy(self.path, unfinished)
            size = sum(file.stat().st_size for file in unfinished.rglob("*") if file.is_file())
            described = msgspec.json.encode(msgspec.structs.replace(snapshot, size_bytes=size))
            write_bytes_whole(unfinished / _DESCRIPTION, described)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        unfinished.rename(self._folder_of(snapshot.name))
        force_to_disk(unfinished.parent)

    def drop(self, name: str) -> None:
        """Forgets a snapshot. Raises KeyError when there is none of this name."""
        self.find(name)
        unfinished = self._folder_of(name).with_suffix(_UNFINISHED)
        self._folder_of(name).rename(unfinished)
        shutil.rmtree(unfinished)

    def snapshots(self) -> list[Snapshot]:
        """Those that are kept, by name."""
        files = sorted((self.path / _SNAPSHOTS).glob(f"*/{_DESCRIPTION}"))
        return [
            msgspec.json.decode(file.read_bytes(), type=Snapshot)
            for file in files
            if file.parent.suffix != _UNFINISHED
        ]

    def find(self, name: str) -> Snapshot:
        """The snapshot of a name. Raises KeyError."""
        return {each.name: each for each in self.snapshots()}[name]

    def _folder_of(self, name: str) -> Path:
        return self.path / _SNAPSHOTS / parse_snapshot_name(name)

    def _remove_market(self) -> None:
        for name in MARKET_ENTRIES:
            entry = self.path / name
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)


def parse_snapshot_name(text: str) -> str:
    """The name of a snapshot, which is that of a folder too. Raises MalformedError."""
    if not _NAME.fullmatch(text):
        expected = "1 to 40 lower-case letters, digits and hyphens, not beginning with a hyphen"
        raise MalformedError(expected, text)
    return text


def _copy(source: Path, target: Path) -> None:
    """Copies a market from folder to folder; it is on disk when this returns."""
    for name in MARKET_ENTRIES:
        entry = source / name
        if entry.is_dir():
            shutil.copytree(entry, target / name, copy_function=_copy_file)
            for folder, _, _ in os.walk(target / name):
                force_to_disk(Path(folder))
        elif entry.exists():
            _copy_file(entry, target / name)
    force_to_disk(target)


def _copy_file(source: str | Path, target: str | Path) -> None:
    shutil.copy2(source, target)
    with Path(target).open("rb") as copied:
        os.fsync(copied.fileno())
