"""The state folder: everything a consortium keeps, and who may have it open.

meta.json                  format version, network, rules, validators' seats, a day's plan
lock                       held by the one process that has the folder open
nodes/ID/books.sqlite      a node's books
nodes/ID/key               its key, mode 0600
nodes/ID/chain.sqlite      its replica of the chain: the clearing house's, and each validator's
nodes/ID.validator/key     the key of a validator's votes, mode 0600
"""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from ledger.domain.rules import Rules
from nodes.network import Network
from nodes.validators import Seats

FORMAT_VERSION: Final = 2


class StateFolderError(Exception):
    """The folder cannot be used as it is; the message says why and what to do."""


class PinnedPlan(msgspec.Struct, frozen=True):
    """What a market day was begun with, and must be given again to go on.

    Attributes:
        trades: SHA-256 of the content of the trade file, in hex.
        opening: SHA-256 of the opening positions before any shortage, in hex.
        faults: as they were given, in order.
    """

    trades: str
    opening: str
    faults: tuple[str, ...] = ()


class Meta(msgspec.Struct, frozen=True):
    """What the folder says of itself. ``plan`` is a market day's; a sandbox has none."""

    format: int
    network: Network
    rules: Rules
    seats: Seats
    plan: PinnedPlan | None = None

    def differences(self, network: Network, rules: Rules, plan: PinnedPlan | None) -> list[str]:
        """What of these is not as the folder was begun with, in words; nothing when all is."""
        return [
            *_plan_differences(self.plan, plan),
            *_network_differences(self.network, network),
            *_rule_differences(self.rules, rules),
        ]


class StateFolder:
    """One consortium's folder, open in this process alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateFolderError(
                f"{path} cannot be a state folder ({error.strerror}): name another with --state"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StateFolderError(
                f"{path} is in use by another process: stop it, or name another folder with --state"
            ) from error

    def read_meta(self) -> Meta | None:
        """What the folder says of itself; None when it is new. Raises StateFolderError."""
        file = self.path / "meta.json"
        if not file.exists():
            return None
        try:
            meta = msgspec.json.decode(file.read_bytes(), type=Meta)
        except msgspec.MsgspecError as error:
            raise StateFolderError(
                f"{file} is damaged ({error}): restore it from a backup"
            ) from error
        if meta.format != FORMAT_VERSION:
            raise StateFolderError(
                f"{file} has format {meta.format}, this version reads format {FORMAT_VERSION}:"
                " use the version that wrote it, or a new folder"
            )
        return meta

    def write_meta(
        self, network: Network, rules: Rules, seats: Seats, plan: PinnedPlan | None = None
    ) -> None:
        """Founds the folder: whole on disk, or not at all."""
        file = self.path / "meta.json"
        temporary = file.with_suffix(".new")
        with temporary.open("wb") as stream:
            stream.write(
                msgspec.json.format(
                    msgspec.json.encode(Meta(FORMAT_VERSION, network, rules, seats, plan))
                )
            )
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(file)
        folder = os.open(self.path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def node_folder(self, node: str) -> Path:
        """The folder of one node; made when it is missing."""
        folder = self.path / "nodes" / node
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        """Lets others have the folder."""
        os.close(self._lock)


def _plan_differences(begun: PinnedPlan | None, given: PinnedPlan | None) -> Iterator[str]:
    if begun is None and given is None:
        return
    if begun is None or given is None:
        kinds = ("a sandbox", "a market day")
        yield f"it holds {kinds[begun is not None]}, not {kinds[given is not None]}"
        return
    if begun.trades != given.trades:
        yield f"the trade file (content {given.trades[:12]}…, begun with {begun.trades[:12]}…)"
    elif begun.opening != given.opening:
        # Without --opening the positions follow from the trade file.
        yield "the opening positions (--opening)"
    if begun.faults != given.faults:
        yield f"the faults ({_listed(given.faults)}, begun with {_listed(begun.faults)})"


def _network_differences(begun: Network, given: Network) -> Iterator[str]:
    if begun.seed != given.seed:
        yield f"the seed ({given.seed!r}, begun with {begun.seed!r})"
    if begun.business_date != given.business_date:
        yield f"the business date ({given.business_date}, begun with {begun.business_date})"
    if msgspec.structs.replace(begun, seed="", business_date=date.min) != msgspec.structs.replace(
        given, seed="", business_date=date.min
    ):
        yield "the network (participants, accounts, instruments or currency)"


def _rule_differences(begun: Rules, given: Rules) -> Iterator[str]:
    for each in fields(Rules):
        old, new = getattr(begun, each.name), getattr(given, each.name)
        if old != new:
            option = "--cycle-trades" if each.name == "cycle_trades_max" else each.name
            yield f"the rules ({option} {new}, begun with {old})"


def _listed(faults: tuple[str, ...]) -> str:
    return ", ".join(faults) or "none"
