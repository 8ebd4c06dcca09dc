"""What a final block did, in the ledger's own words: postings, and what settled."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import groupby

import numpy as np

from ledger.books.keyed import NO_ROWS, rows_by_participant
from ledger.clearing.columns import Column, Mask


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
    MOVED = "moved"
    BOOKED = "booked"
    STAGED = "staged"
    STAGED_BOOKED = "staged booked"
    STAGED_DROPPED = "staged dropped"


@dataclass(frozen=True)
class Posting:
    """Changes of holdings by one event: signed changes of available and held, by holding key.

    Staged lines are in ``available`` as they will be booked; until then their debits are held. What
    becomes of them names the cycle alone.
    """

    register: Register
    kind: PostingKind
    reference: bytes
    keys: Column
    available: Column
    held: Column

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, rows: Column | Mask) -> "Posting":
        """Some of its changes."""
        return Posting(
            self.register,
            self.kind,
            self.reference,
            self.keys[rows],
            self.available[rows],
            self.held[rows],
        )

    def of_participant(self, participant: int) -> "Posting":
        """What it does to the accounts of one participant."""
        return self.take(self._rows_by_participant.get(participant, NO_ROWS))

    @cached_property
    def _rows_by_participant(self) -> dict[int, Column]:
        # Found once, and the same for all nodes of a process.
        return rows_by_participant(self.keys)


class Origin(Enum):
    """What changes positions. Each has references of its own."""

    SECURITIES = "securities"
    CASH = "cash"
    CYCLE = "cycle"
    INSTRUCTION = "instruction"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Cause:
    """One change of positions, by name and content.

    A reference alone proves nothing, since others may use it too. ``digest`` says what was signed:
    the EIP-712 digest of a cycle or set, the hash of an instruction's terms. It is empty for an
    issue or redemption, whose lines the ledger shows.
    """

    origin: Origin
    reference: bytes
    digest: bytes = b""

    @staticmethod
    def in_register(register: Register, reference: bytes) -> "Cause":
        """An issue or a redemption: in a register the two share their references."""
        return Cause(Origin(register.value), reference)


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A final block and its effect on the registers. ``timestamp`` is chain time in seconds.

    ``settled`` are the cycles and instructions, those of sets among them, that settled in it.
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    postings: Sequence[Posting]
    settled: Sequence[Cause]


def join_parts(postings: Iterable[Posting]) -> Iterator[Posting]:
    """The same postings, with those that stage one cycle one after another as a single one."""
    for (kind, register, reference), group in groupby(postings, _kind_and_cycle):
        parts = list(group)
        if kind is not PostingKind.STAGED or len(parts) == 1:
            yield from parts
            continue
        yield Posting(
            register,
            kind,
            reference,
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.available for part in parts]),
            np.concatenate([part.held for part in parts]),
        )


def _kind_and_cycle(posting: Posting) -> tuple[PostingKind, Register, bytes]:
    return posting.kind, posting.register, posting.reference
