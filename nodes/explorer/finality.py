"""How final a block is, as people are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

SEALED: Final = "sealed"
FINAL: Final = "final"


@dataclass(frozen=True, slots=True)
class FinalityView:
    """The finality of a block.

    Attributes:
        state: ``SEALED`` until a quorum has signed, then ``FINAL``.
        quorum: how many validators must sign.
        signers: the validators that have signed; empty where no certificates are made.
    """

    state: str
    quorum: int
    signers: tuple[str, ...] = ()


FinalityOf: TypeAlias = Callable[[int], FinalityView]
"""The finality of the block of a number."""


def one_replica(_number: int) -> FinalityView:
    """Where the chain is one replica, a sealed block is final and nobody else signs."""
    return FinalityView(FINAL, 1)
