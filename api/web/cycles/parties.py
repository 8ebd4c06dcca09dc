"""Who had to sign a cycle, who has signed, and who has not: as it happens, and afterwards.

That somebody has signed is on the chain once the cycle has settled. Who kept silent or objected on
the way is shown to those concerned, and to whoever sees everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.clearing_house.cycle_watch import WatchedCycle
from nodes.network import Network

SIGNED: Final = "signed"
ASKED: Final = "asked"
SILENT: Final = "silent"
OBJECTS: Final = "objects"


@dataclass(frozen=True, slots=True)
class Party:
    """A party to a cycle. ``after_ms``: how long after the strike it answered, where known."""

    id: str
    standing: str
    after_ms: int | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Parties:
    """Those in a cycle, and those that were cut out of it since they had not signed."""

    staying: list[Party]
    cut_out: list[Party]

    @property
    def signed(self) -> int:
        """How many have signed."""
        return sum(each.standing == SIGNED for each in self.staying)


def signed_parties(
    network: Network, holder: KeyHolder, signers: Sequence[int], watched: WatchedCycle | None
) -> Parties:
    """The parties to a cycle that has settled, all of which have signed.

    How soon somebody did is not on the chain: it is its own affair.
    """
    staying = [
        _party(network, watched, number)
        if watched and number in watched.answers and holder.may_see(network.participant_id(number))
        else Party(network.participant_id(number), SIGNED)
        for number in signers
    ]
    gone = set(watched.unsigned) - set(signers) if watched else set[int]()
    return Parties(staying, _visible(network, holder, watched, sorted(gone)))


def asked_parties(network: Network, holder: KeyHolder, watched: WatchedCycle) -> Parties:
    """The parties to a cycle that is under way, or that came to nothing: of one's own."""
    gone = set(watched.unsigned) - set(watched.parties)
    return Parties(
        staying=_visible(network, holder, watched, watched.parties),
        cut_out=_visible(network, holder, watched, sorted(gone)),
    )


def _visible(
    network: Network, holder: KeyHolder, watched: WatchedCycle | None, numbers: Sequence[int]
) -> list[Party]:
    if watched is None:
        return []
    parties = [_party(network, watched, number) for number in numbers]
    return [each for each in parties if holder.may_see(each.id)]


def _party(network: Network, watched: WatchedCycle, number: int) -> Party:
    id, answer = network.participant_id(number), watched.answers.get(number)
    if answer is None:
        return Party(id, ASKED)
    if answer.reason is None:
        return Party(id, SIGNED, answer.after_ms, answer.attempt)
    standing = SILENT if answer.reason is Reason.SILENT else OBJECTS
    return Party(id, standing, answer.after_ms, answer.attempt)
