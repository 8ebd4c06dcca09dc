"""Who signs for whom, by the chain: the addresses that the contract of participants has."""

from contracts.deployment import Contracts
from contracts.typed_data import Domain
from nodes.network import Network
from nodes.wire.envelope import Seal


class Signers:
    """The addresses of a network's participants, read from its chain once."""

    def __init__(self, network: Network, contracts: Contracts) -> None:
        self.network = network
        self._contracts = contracts
        self._by_participant: dict[str, bytes] = {}

    def seal(self) -> Seal:
        """How envelopes are signed in this network, and in no other."""
        return Seal(Domain(self.network.chain_id, self._contracts.addresses.participants))

    def of(self, participant: str) -> bytes | None:
        """The address that a participant signs with; None when there is no such participant."""
        if not self._by_participant:
            numbers = range(1, len(self.network.participants) + 1)
            signers = self._contracts.participants.signers_of(numbers)
            ids = [each.id for each in self.network.participants]
            self._by_participant = dict(zip(ids, signers, strict=True))
        return self._by_participant.get(participant)
