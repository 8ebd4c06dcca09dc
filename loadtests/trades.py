"""Made trades: each follows from the seed and its number, so that any can be sent again.

Some share of them has the hot participant as a side, and some the hot instrument; who sells and who
buys is even, so that nobody runs out of what the sandbox has funded.
"""

import random
from dataclasses import dataclass
from typing import Final

from loadtests.profile import Skew

BROKERS: Final = ("BRK-A", "BRK-B", "BRK-C")
INSTRUMENTS: Final = ("NOVA1", "NOVA2", "NOVA3", "NOVA4", "NOVA5", "NOVA6")
DIGITS: Final = 7
PREFIX_LENGTH: Final = 4

NewTrade = dict[str, str]
"""The body of a request that captures a trade."""


@dataclass(frozen=True, slots=True)
class TradeMaker:
    """Trades of one generator. Those with different prefixes never make the same number."""

    prefix: str
    seed: int
    skew: Skew

    def number(self, sequence: int) -> str:
        """The venue's number of a trade, by its place from 0."""
        return f"{self.prefix}{sequence:0{DIGITS}d}"

    def trade(self, sequence: int) -> NewTrade:
        """A trade, by its place from 0; the same whenever it is asked for."""
        chance = random.Random(f"{self.seed}|{self.prefix}|{sequence}")
        seller, buyer = self._sides(chance)
        is_hot = chance.random() < self.skew.instrument
        cents = chance.randrange(900, 1_100)
        return {
            "number": self.number(sequence),
            "instrument": INSTRUMENTS[0] if is_hot else chance.choice(INSTRUMENTS[1:]),
            "quantity": str(100 * chance.randrange(1, 20)),
            "price": f"{cents // 100}.{cents % 100:02d}",
            "seller": seller,
            "buyer": buyer,
        }

    def _sides(self, chance: random.Random) -> tuple[str, str]:
        if chance.random() >= self.skew.participant:
            seller, buyer = chance.sample(BROKERS[1:], 2)
            return seller, buyer
        other = chance.choice(BROKERS[1:])
        return (BROKERS[0], other) if chance.random() < 0.5 else (other, BROKERS[0])
