"""Made trades for load: seeded, skewed to a hot instrument and broker, never the same twice."""

import random
from dataclasses import dataclass, field
from typing import Final

BROKERS: Final = ("BRK-A", "BRK-B", "BRK-C")
INSTRUMENTS: Final = ("NOVA1", "NOVA2", "NOVA3", "NOVA4", "NOVA5", "NOVA6")


@dataclass(slots=True)
class TradeMaker:
    """Makes trades for one user. Users with different prefixes never make the same trade."""

    prefix: str
    seed: int
    made: int = 0
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}|{self.prefix}")

    def batch(self, count: int) -> list[dict[str, str]]:
        """So many new trades."""
        return [self.next() for _ in range(count)]

    def next(self) -> dict[str, str]:
        """The body of a request that captures a new trade."""
        self.made += 1
        seller, buyer = self.chance.sample(BROKERS, 2)
        if self.chance.random() < 0.5:
            seller, buyer = BROKERS[0], BROKERS[1]
        hot = self.chance.random() < 0.5
        instrument = INSTRUMENTS[0] if hot else self.chance.choice(INSTRUMENTS)
        cents = self.chance.randrange(900, 1100)
        return {
            "number": f"{self.prefix}{self.made:05d}",
            "instrument": instrument,
            "quantity": str(100 * self.chance.randrange(1, 20)),
            "price": f"{cents // 100}.{cents % 100:02d}",
            "seller": seller,
            "buyer": buyer,
        }
