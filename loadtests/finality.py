"""Time to finality: from sending a trade to seeing it settled in a final block.

The watcher reads trades in order of capture from the oldest one that is not final yet, so it needs
one request for hundreds of trades, whatever the number of users.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PAGE = 500
FINAL_STATES = frozenset({"settled"})


@dataclass(slots=True)
class FinalityWatcher:
    """Keeps count of every trade sent, and reports each as it becomes final.

    ``get`` fetches a path and returns the parsed answer; ``report`` takes seconds to finality.
    """

    get: Callable[[str], dict[str, object]]
    report: Callable[[float], None]
    sent_at: dict[int, float] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    final: int = 0
    contradicted: int = 0
    cursor: int = 0

    def accept(self, position: int, sent_at: float) -> None:
        """A trade was captured at a position; it was sent at a moment of the monotonic clock."""
        self.sent_at[position] = sent_at
        self.accepted += 1

    def refuse(self, count: int = 1) -> None:
        """Some trades were refused."""
        self.refused += count

    def accept_batch(self, answer: Mapping[str, Any], sent_at: float) -> None:
        """A batch was answered: each of its rows was captured at a position, or refused."""
        for part in answer["positions"]:
            if part["first_position"] is None:
                self.refuse(part["count"])
                continue
            for position in range(part["first_position"], part["first_position"] + part["count"]):
                self.accept(position, sent_at)

    def contradict(self) -> None:
        """The same was answered differently when it was sent again."""
        self.contradicted += 1

    @property
    def pending(self) -> int:
        """How many captured trades are not final yet."""
        return len(self.sent_at)

    def look(self) -> None:
        """Reads what has become final since the last look."""
        while True:
            page = self.get(f"/v1/trades?cursor={self.cursor}&limit={PAGE}")
            trades = page["data"]
            assert isinstance(trades, list)
            now = time.perf_counter()
            is_at_front = True
            for trade in trades:
                is_final = trade["state"] in FINAL_STATES and trade["final_block"] is not None
                if is_final and trade["position"] in self.sent_at:
                    self.report(now - self.sent_at.pop(trade["position"]))
                    self.final += 1
                if is_at_front and is_final:
                    self.cursor = trade["position"] + 1
                else:
                    is_at_front = False
            if not is_at_front or len(trades) < PAGE:
                return
