"""What a final block did, in the ledger's own words: postings, and what settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]


class Register(Enum):
    """Which register an asset is kept in."""

    SECURITIES = "securities"
    CASH = "cash"


class PostingKind(Enum):
    """Why holdings changed."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    HELD = "held"
    RELEASED = "released"
    TRANSFERRED = "transferred"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Posting:
    """Changes of holdings by one event: signed changes of available and held, by holding key."""

    register: Register
    kind: PostingKind
    reference: bytes
    keys: Column
    available: Column
    held: Column


@dataclass(frozen=True, slots=True)
class Settled:
    """A cycle (with its root) or an instruction (root empty) that settled."""

    reference: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A final block and its effect on the registers. ``timestamp`` is chain time in seconds."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    postings: Sequence[Posting]
    settled: Sequence[Settled]
