"""One process that makes load: what it shares between its users."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from gevent.event import Event

from loadtests.counting import Register, Tally
from loadtests.messages import MessageMaker
from loadtests.profile import Profile, read_profile
from loadtests.stream import Stream
from loadtests.trades import TradeMaker

PROFILE: Final = "NOVATE_LOAD_PROFILE"
"""The profile's name or file; ``steady`` when it is not set."""
KEYS: Final = "NOVATE_API_KEYS"
"""The file of keys that a sandbox writes; or ``NOVATE_API_KEY`` is the operator's."""
KEY: Final = "NOVATE_API_KEY"
RECORD: Final = "NOVATE_LOAD_RECORD"
"""The file to which figures are written; none when it is not set."""
OPERATOR: Final = "OPERATOR"
SHED: Final = frozenset({429, 503})
_BASE: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class Generator:
    """What users share. The stream is there once ``begun`` is set; moments are since 1970."""

    profile: Profile
    keys: Mapping[str, str]
    tally: Tally = field(default_factory=Tally)
    register: Register = field(default_factory=lambda: Register(""))
    begun: Event = field(default_factory=Event)
    begin_at: float = 0.0
    _stream: Stream | None = None

    def begin(self, begin_at: float, worker: int, workers: int, trade_date: date) -> None:
        """Begins a run, of which this is one of some workers, by number from 0."""
        prefix = prefix_of(begin_at, worker)
        self.tally, self.register = Tally(), Register(prefix)
        made = TradeMaker(prefix, self.profile.seed, self.profile.skew)
        maker = MessageMaker(
            made, self.register, self.profile.mix, self.profile.batches, trade_date
        )
        self.begin_at = begin_at
        self._stream = Stream(self.profile, maker, begin_at, 1 / workers)
        self.begun.set()

    @property
    def stream(self) -> Stream:
        """What is to be sent. Wait for ``begun`` before."""
        assert self._stream is not None, "the run has begun"
        return self._stream

    def headers(self, who: str = OPERATOR) -> dict[str, str]:
        """What shows who asks."""
        key = self.keys.get(who) or self.keys.get(OPERATOR, "")
        return {"Authorization": f"Bearer {key}"}

    def note_error(self, name: str, status: int, retry_after: str | None, second: int) -> None:
        """An answer that nobody wants: too much, a fault, or none at all."""
        self.tally.errors[f"{name} {status}"] += 1
        self.tally.errors_by_second[second] += 1
        if status in SHED and retry_after is None:
            self.tally.no_retry_after += 1


def prefix_of(begin_at: float, worker: int) -> str:
    """The first characters of a worker's trades: not those of another run of the same minutes."""
    run = int(begin_at) % len(_BASE) ** 2
    return f"L{_BASE[run // len(_BASE)]}{_BASE[run % len(_BASE)]}{_BASE[worker % len(_BASE)]}"


def generator_from_environment() -> Generator:
    """The generator that the environment variables describe. Raises ProfileError, OSError."""
    profile = read_profile(os.environ.get(PROFILE, "steady"))
    file = os.environ.get(KEYS)
    keys = json.loads(Path(file).read_text(encoding="utf-8")) if file else {}
    return Generator(profile, keys or {OPERATOR: os.environ.get(KEY, "")})
