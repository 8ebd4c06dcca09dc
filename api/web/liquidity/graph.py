"""Who owes whom, as a drawing: accounts on a circle, what each owes another as an arrow.

Drawn on the server, so that it prints and needs no script. The units are those of the SVG.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 460
ARROWS_MAX: Final = 80
"""The largest are drawn: more would be a black disc."""
_RADIUS: Final = 168
_NODE: Final = 7
_BEND: Final = 0.16
"""How far an arrow bows, of its length: there and back are two lines, not one."""
_WIDEST: Final = 7.0
_LABEL: Final = 20


@dataclass(frozen=True, slots=True)
class Owing:
    """What one owes another. ``settles``: how much of it a resolution would settle."""

    debtor: str
    creditor: str
    amount: int
    settles: int


@dataclass(frozen=True, slots=True)
class Node:
    """Where somebody stands, and where the name is written."""

    name: str
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A curve from the debtor to the creditor."""

    owing: Owing
    path: str
    width: float

    @property
    def kind(self) -> str:
        """Whether all, some or none of it would settle."""
        if not self.owing.settles:
            return "stays"
        return "settles" if self.owing.settles == self.owing.amount else "settles-partly"


@dataclass(frozen=True, slots=True)
class Graph:
    """A drawing. ``left_out``: how many smaller arrows are not in it."""

    nodes: list[Node]
    arrows: list[Arrow]
    left_out: int


def summed(owings: Iterable[Owing]) -> list[Owing]:
    """One for each debtor and creditor, the largest first."""
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for each in owings:
        total = totals[each.debtor, each.creditor]
        total[0] += each.amount
        total[1] += each.settles
    whole = [Owing(*pair, amount, settles) for pair, (amount, settles) in totals.items()]
    return sorted(whole, key=lambda each: (-each.amount, each.debtor, each.creditor))


def drawn(owings: Sequence[Owing]) -> Graph:
    """The drawing of what is owed, as ``summed`` gives it."""
    shown = owings[:ARROWS_MAX]
    names = sorted({name for each in shown for name in (each.debtor, each.creditor)})
    nodes = [_node(name, at, len(names)) for at, name in enumerate(names)]
    by_name = {node.name: node for node in nodes}
    most = max((each.amount for each in shown), default=1)
    arrows = [
        Arrow(
            each,
            _curve(by_name[each.debtor], by_name[each.creditor]),
            round(max(_WIDEST * each.amount / most, 1.2), 1),
        )
        for each in shown
    ]
    return Graph(nodes, arrows, len(owings) - len(shown))


def _node(name: str, at: int, count: int) -> Node:
    angle = 2 * pi * at / count - pi / 2
    across, down = cos(angle), sin(angle)
    out = _RADIUS + _LABEL
    return Node(
        name=name,
        x=round(WIDTH / 2 + _RADIUS * across, 1),
        y=round(HEIGHT / 2 + _RADIUS * down, 1),
        label_x=round(WIDTH / 2 + out * across, 1),
        label_y=round(HEIGHT / 2 + out * down + 4, 1),
        anchor="middle" if abs(across) < 0.2 else "start" if across > 0 else "end",
    )


def _curve(start: Node, end: Node) -> str:
    """From the edge of one node to that of the other, bowed to the left of the way."""
    if start is end:
        return f"M {start.x} {start.y} c 26 -34 -26 -34 0 0"
    across, down = end.x - start.x, end.y - start.y
    length = hypot(across, down)
    bend_x = (start.x + end.x) / 2 + down * _BEND
    bend_y = (start.y + end.y) / 2 - across * _BEND
    gap = (_NODE + 6) / length
    end_x, end_y = end.x - (end.x - bend_x) * 2 * gap, end.y - (end.y - bend_y) * 2 * gap
    return f"M {start.x} {start.y} Q {bend_x:.1f} {bend_y:.1f} {end_x:.1f} {end_y:.1f}"
