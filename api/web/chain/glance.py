"""The chain at a glance: how far it is final, and how its validators keep up."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.chain.finality import quorum_of
from nodes.consortium import Consortium
from nodes.explorer.explorer import BlockSummary


@dataclass(frozen=True, slots=True)
class ValidatorView:
    """A validator: of the last blocks, how many bear its signature.

    ``word`` is what it last answered, in English; ``is_participant``: it has a page of its own.
    """

    name: str
    address: str
    signed: int
    word: str
    is_participant: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """The chain as a whole. ``blocks`` is how many of the last ones were looked at."""

    sealed: int
    final: int
    quorum: int
    blocks: int
    waiting: int
    validators: list[ValidatorView]

    @property
    def is_halted(self) -> bool:
        """Whether a sealed block waits for its quorum."""
        return self.final < self.sealed


def glance_of(consortium: Consortium, last: Sequence[BlockSummary]) -> Glance | None:
    """The chain of this process, with some of its last blocks; None where it is elsewhere."""
    chain = consortium.own_chain
    if chain is None:
        return None
    state = chain.finality()
    looked_at = [block for block in last if block.finality.signers]
    return Glance(
        sealed=state.sealed,
        final=state.final,
        quorum=quorum_of(len(chain.config.validators)),
        blocks=len(looked_at),
        waiting=chain.pending_count,
        validators=[
            ValidatorView(
                name=each.name,
                address="0x" + each.address.hex(),
                signed=sum(each.name in block.finality.signers for block in looked_at),
                word=state.words.get(each.name, ""),
                is_participant=each.name in consortium.nodes,
            )
            for each in chain.config.validators
        ],
    )
