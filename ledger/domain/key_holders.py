"""Who holds a key to the interface, and whose affairs it may therefore see and act in."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class KeyRole(Enum):
    """In what capacity a holder calls: the role of its participant, or for the whole sandbox."""

    EXCHANGE = "exchange"
    BROKER = "broker"
    BANK = "bank"
    CLEARING_HOUSE = "clearing_house"
    REGISTRAR = "registrar"
    REGULATOR = "regulator"
    OPERATOR = "operator"
    """Of the sandbox: it speaks for everybody, which nobody in a real market does."""


_SEE_EVERYTHING: Final = frozenset({KeyRole.CLEARING_HOUSE, KeyRole.REGULATOR, KeyRole.OPERATOR})


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The holder of a key. ``participant`` is None of a holder that is no institution here."""

    name: str
    role: KeyRole
    participant: str | None

    @property
    def sees_everything(self) -> bool:
        """Whether nothing of anybody is hidden from it."""
        return self.role in _SEE_EVERYTHING

    @property
    def sees_every_trade(self) -> bool:
        """The exchange reported them all."""
        return self.sees_everything or self.role is KeyRole.EXCHANGE

    def may_see(self, *concerned: str) -> bool:
        """Whether it may see what concerns these participants."""
        return self.sees_everything or self.participant in concerned

    def acts_for(self, participant: str) -> bool:
        """Whether it may ask for something in the name of a participant."""
        if self.role is KeyRole.OPERATOR:
            return True
        return self.role is not KeyRole.REGULATOR and participant == self.participant
