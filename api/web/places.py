"""The places of the navigation, in order."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A screen that the navigation leads to. ``word`` is its key in the words of the shell."""

    path: str
    word: str

    def holds(self, path: str) -> bool:
        """Whether a page belongs to it."""
        if self.path == "/":
            return path == "/"
        return path == self.path or path.startswith(f"{self.path}/")


PLACES: Final = (
    Place("/", "place_today"),
    Place("/trades", "place_trades"),
    Place("/cycles", "place_cycles"),
    Place("/reconciliation", "place_reconciliation"),
    Place("/liquidity", "place_liquidity"),
    Place("/participants", "place_participants"),
    Place("/chain", "place_chain"),
    Place("/sandbox", "place_sandbox"),
)
