"""How final a block is, as people are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ledger.chain.chain import Chain
from ledger.chain.finality import quorum_of, voters
from nodes.engine import EmbeddedEngine, Engine

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


def finality_of(engine: Engine) -> FinalityOf:
    """The finality of an engine's blocks: by certificates where they are ours."""
    if isinstance(engine, EmbeddedEngine):
        return certified(engine.chain)

    def view(number: int) -> FinalityView:
        return FinalityView(FINAL if number <= engine.final_height() else SEALED, quorum=1)

    return view


def certified(chain: Chain) -> FinalityOf:
    """The finality of a chain of ours, with the names of those who signed."""
    quorum = quorum_of(len(chain.config.validators))

    def view(number: int) -> FinalityView:
        certificate = chain.certificate(number)
        signers = tuple(voters(certificate)) if certificate else ()
        return FinalityView(FINAL if number <= chain.final.number else SEALED, quorum, signers)

    return view


def one_replica(_number: int) -> FinalityView:
    """Where the chain is one replica, a sealed block is final and nobody else signs."""
    return FinalityView(FINAL, 1)
