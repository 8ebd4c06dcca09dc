"""What a state folder says of itself, and whether it is what a command means to go on with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from ledger.domain.rule_texts import rules_with
from ledger.domain.rules import Rules
from nodes.engine import EngineIdentity
from nodes.network import Network
from nodes.validators import Seats

FORMAT_VERSION: Final = 8


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


class BooksPlace(msgspec.Struct, frozen=True):
    """A database that the books of the nodes are in, instead of files of the folder.

    Attributes:
        url: without a password.
        id: of the folder among all that have books there; their schemas are named after it.
    """

    url: str
    id: str


class Meta(msgspec.Struct, frozen=True):
    """What the folder says of itself.

    Attributes:
        seats: who validates the chain in the folder; None when the chain is elsewhere.
        plan: a market day's; a sandbox has none.
        engine: which chain it is, when it is elsewhere.
        books: where the nodes' books are, when they are elsewhere.
    """

    format: int
    network: Network
    rules: Rules
    seats: Seats | None = None
    plan: PinnedPlan | None = None
    engine: EngineIdentity | None = None
    books: BooksPlace | None = None

    def differences(self, network: Network, rules: Rules, plan: PinnedPlan | None) -> list[str]:
        """What of these is not as the folder was begun with, in words; nothing when all is."""
        return [
            *_plan_differences(self.plan, plan),
            *_network_differences(self.network, network),
            *_rule_differences(self.rules, rules),
        ]

    def check_options(self, path: Path, given: Mapping[str, object], rules: Sequence[str]) -> None:
        """Raises StateFolderError when options differ from what a sandbox was begun with.

        An option that is None, and no rules, ask for nothing.
        """
        begun_with = {
            "seed": self.network.seed,
            "cycle-trades": self.rules.cycle_trades_max,
            "dense-sequence": self.network.dense_sequence,
        }
        for option, begun in begun_with.items():
            if given[option] not in (None, begun):
                raise StateFolderError(
                    f"{path} was begun with the {option} {begun!r}, not {given[option]!r}:"
                    f" leave --{option} out, or name another folder with --folder"
                )
        if rules and rules_with(self.rules, rules) != self.rules:
            raise StateFolderError(
                f"{path} was begun with other rules than {' '.join(rules)}:"
                " leave --rule out, or name another folder with --folder"
            )


def read_meta(path: Path) -> Meta | None:
    """What a folder says of itself, whoever has it open; None when it is none or new.

    Raises StateFolderError when it cannot be read.
    """
    file = path / "meta.json"
    if not file.exists():
        return None
    try:
        meta = msgspec.json.decode(file.read_bytes(), type=Meta)
    except msgspec.MsgspecError as error:
        raise StateFolderError(f"{file} is damaged ({error}): restore it from a backup") from error
    if meta.format != FORMAT_VERSION:
        raise StateFolderError(
            f"{file} has format {meta.format}, this version reads format {FORMAT_VERSION}:"
            " use the version that wrote it, or a new folder"
        )
    return meta


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
