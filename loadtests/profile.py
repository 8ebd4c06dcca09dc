"""Profiles: all numbers of a load run in one file, ``loadtests/profiles/NAME.toml``."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from loadtests.arrival import SPACINGS, Spacing
from loadtests.shapes import Shape, shape_of

FOLDER: Final = Path(__file__).parent / "profiles"
MESSAGES_MAX: Final = 5_000_000
DESKS_MAX: Final = 1_000
BATCH_TRADES_MAX: Final = 10_000
READS_A_SECOND_MAX: Final = 100
HASH_DIGITS: Final = 12

T = TypeVar("T")


class ProfileError(ValueError):
    """A profile that cannot be run, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Which share of the trades comes in batches, of how many, and which of them as Arrow."""

    share: float = 0.5
    trades: int = 200
    arrow: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Which shares of the messages were sent before, and which must be refused."""

    duplicate: float = 0.02
    bad: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """Which share of the trades has the hot participant as a side, and the hot instrument."""

    participant: float = 0.5
    instrument: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Requests a second of those who read."""

    broker: float = 1
    bank: float = 1
    clerk: float = 1
    watcher: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The sandbox that a run starts. ``rate`` is what one key may ask a second; 0: any."""

    validators: int = 1
    cycle_seconds: float = 0.5
    rate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A load run.

    Attributes:
        shape: trades a second over time, single ones and those in batches together.
        arrival: how messages are spaced at a given rate.
        desks: messages that can be under way at once.
        warmup_seconds: left out of the figures, not of the counting.
    """

    name: str
    shape: Mapping[str, Any]
    seed: int = 42
    arrival: Spacing = "random"
    desks: int = 48
    warmup_seconds: float = 2
    batches: Batches = field(default_factory=Batches)
    mix: Mix = field(default_factory=Mix)
    skew: Skew = field(default_factory=Skew)
    readers: Readers = field(default_factory=Readers)
    server: Server = field(default_factory=Server)

    def __post_init__(self) -> None:
        """Raises ProfileError for what cannot be, or is too much."""
        shares = asdict(self.batches) | asdict(self.mix) | asdict(self.skew)
        del shares["trades"]
        for name, value in shares.items():
            _expect(0 <= value <= 1, f"{name}: expected a share from 0 to 1, found {value}")
        _expect(self.mix.duplicate + self.mix.bad < 1, "mix: expected some good messages")
        _expect(0 < self.desks <= DESKS_MAX, f"desks: expected 1 to {DESKS_MAX}")
        size = self.batches.trades
        _expect(0 < size <= BATCH_TRADES_MAX, f"batches.trades: expected 1 to {BATCH_TRADES_MAX}")
        _expect(self.arrival in SPACINGS, f"arrival: expected one of {', '.join(SPACINGS)}")
        reads = max(asdict(self.readers).values())
        _expect(reads <= READS_A_SECOND_MAX, f"readers: expected at most {READS_A_SECOND_MAX}")
        count = self.load.count
        _expect(0 < count <= MESSAGES_MAX, f"shape: {count:,.0f} trades; at most {MESSAGES_MAX:,}")
        _expect(self.warmup_seconds < self.load.seconds, "warmup_seconds: the run is shorter")

    @property
    def load(self) -> Shape:
        """Its shape. Raises ProfileError."""
        try:
            return shape_of(self.shape)
        except (TypeError, ValueError) as error:
            raise ProfileError(f"shape: {error}") from error

    @property
    def hash(self) -> str:
        """Names its content: runs with the same hash and seed were asked to do the same."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def names() -> list[str]:
    """The profiles that come with the kit."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_profile(name: str) -> Profile:
    """A profile by its name, or by the path of its file. Raises ProfileError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ProfileError(f"no profile {name}: expected {', '.join(names())}, or a file") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: {error}") from error
    return profile_of({"name": path.stem} | table)


def profile_of(table: Mapping[str, Any]) -> Profile:
    """The profile that a table describes. Raises ProfileError."""
    parts: dict[str, type[Any]] = {
        "batches": Batches,
        "mix": Mix,
        "skew": Skew,
        "readers": Readers,
        "server": Server,
    }
    made: dict[str, Any] = {
        name: _made(kind, table.get(name, {}), name) for name, kind in parts.items()
    }
    return _made(Profile, dict(table) | made, "the profile")


def _made(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    known = {each.name for each in fields(cast("Any", kind))}
    if unknown := sorted(set(table) - known):
        raise ProfileError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(known)}")
    try:
        return kind(**table)
    except TypeError as error:
        raise ProfileError(f"{where}: {error}") from error


def _expect(holds: bool, message: str) -> None:  # noqa: FBT001 # the condition of an expectation
    if not holds:
        raise ProfileError(message)
