"""Every node: whether it answers, how far it has reconciled, and what does not agree.

Nodes may be processes of their own, so nobody waits for them with the market's lock in hand.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.metrics.families import Values, gauges
from nodes.bus import UnreachableError
from nodes.consortium import Consortium


@dataclass(slots=True)
class _Seen:
    """What the nodes say."""

    breaks: Counter[tuple[str, ...]] = field(default_factory=Counter)
    away: dict[str, int] = field(default_factory=dict)
    block: dict[str, int] = field(default_factory=dict)


class NodeMetrics(Collector):
    """Asks every node of a consortium."""

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium

    def collect(self) -> Iterator[Metric]:
        """As of now; of a node that is away, what was last heard of it."""
        seen, height = self._look(), self._consortium.feed.height()
        lag: Values = {node: max(height - block, 0) for node, block in seen.block.items()}
        yield gauges("novate_node_away", "1 while a node does not answer.", ["node"], seen.away)
        yield gauges(
            "novate_node_reconciled_block",
            "The last block that a node has reconciled; -1: none yet.",
            ["node"],
            seen.block,
        )
        yield gauges(
            "novate_node_lag_blocks", "Blocks that a node has not reconciled yet.", ["node"], lag
        )
        yield gauges(
            "novate_breaks_open",
            "Open breaks, by kind and by whose they are.",
            ["kind", "owner"],
            seen.breaks,
        )

    def _look(self) -> _Seen:
        seen = _Seen()
        for node in list(self._consortium.nodes.values()):
            try:
                found = node.breaks()
            except UnreachableError:
                seen.away[node.id] = 1
            else:
                seen.away[node.id] = 0
                seen.breaks.update((each.kind.value, node.id) for each in found)
            seen.block[node.id] = node.reconciled_block
        return seen
