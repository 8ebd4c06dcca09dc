"""Where a story plays: its consortium, who is silent there, what went wrong, what was refused."""

from dataclasses import dataclass, field

from ledger.domain.reasons import Reason, Rejected
from nodes.clearing_house import ClearingHouse
from nodes.consortium import Consortium
from nodes.network import Network
from nodes.scenario.faults import ScenarioFault
from nodes.scenario.played import Played


@dataclass(slots=True)
class Scene:
    """What all events of a story share.

    Attributes:
        is_repeated: the event that is being played was delivered before.
        silent: the participants whose nodes answer nothing.
        faults: of desks, each waiting for its trade.
    """

    played: Played
    is_repeated: bool = False
    silent: set[str] = field(default_factory=set)
    faults: list[ScenarioFault] = field(default_factory=list)

    @property
    def consortium(self) -> Consortium:
        """Everything that moves."""
        return self.played.consortium

    @property
    def network(self) -> Network:
        """Who takes part and what is traded."""
        return self.played.consortium.network

    @property
    def house(self) -> ClearingHouse:
        """The clearing house."""
        return self.played.consortium.clearing_house

    def note(self, name: str, refusal: Rejected | Reason | None) -> None:
        """Keeps a refusal; the same message again is answered as before, and listed once."""
        reason = refusal.reason if isinstance(refusal, Rejected) else refusal
        refusals = self.played.refusals
        if reason is not None and not (self.is_repeated and (name, reason) in refusals):
            refusals.append((name, reason))

    def refuses(self, name: str, accounts: list[str], isin: str) -> bool:
        """Refuses accounts and instruments that the network lacks, and who does not trade."""
        known = self.network.account_ids()
        isins = {instrument.isin for instrument in self.network.instruments}
        if not all(account in known for account in accounts) or (isin and isin not in isins):
            self.note(name, Reason.UNKNOWN)
        elif not all(self.network.trades(account) for account in accounts):
            self.note(name, Reason.INVALID)
        else:
            return False
        return True

    def is_participant(self, id: str) -> bool:
        """Whether there is a participant of this id."""
        return any(participant.id == id for participant in self.network.participants)

    def is_suspended(self, participant: str) -> bool:
        """Whether a participant is suspended, as the chain has it."""
        number = self.network.participant_number(participant)
        return self.consortium.contracts.participants.is_suspended(number)
