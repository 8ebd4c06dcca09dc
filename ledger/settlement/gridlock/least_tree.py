"""A tree over places that finds the first place of a stretch whose number is small enough."""

import numpy as np

from ledger.settlement.gridlock.queue_columns import Exact


class LeastTree:
    """Numbers at places, some of them absent; each node knows the least number below it.

    Args:
        numbers: one for each place.
        present: whether a place has its number, or none for now.
        bound: a number above all that is put here and all that is asked for.
    """

    def __init__(self, numbers: Exact, present: Exact, bound: int) -> None:
        self._leaves = 1 << max(len(numbers) - 1, 0).bit_length()
        self._bound = bound
        level = np.full(self._leaves, bound, dtype=numbers.dtype)
        level[: len(numbers)][present] = numbers[present]
        levels = [level]
        while len(level) > 1:
            level = np.minimum(level[::2], level[1::2])
            levels.append(level)
        # Node 1 is the root; the children of node n are 2n and 2n + 1.
        self._least: list[int] = [bound, *np.concatenate(levels[::-1]).tolist()]

    def first(self, start: int, end: int, most: int) -> int:
        """The first place from start, before end, whose number is at most this; end if none."""
        if start == end:
            return end
        least, leaves = self._least, self._leaves
        node = start + leaves
        while least[node] > most:
            while node & 1:
                node >>= 1
            if not node:
                return end
            node += 1
        while node < leaves:
            node *= 2
            if least[node] > most:
                node += 1
        return min(node - leaves, end)

    def put(self, place: int, number: int) -> None:
        """Gives an absent place its number."""
        least, node = self._least, place + self._leaves
        while node and least[node] > number:
            least[node] = number
            node >>= 1

    def remove(self, place: int) -> None:
        """Makes a place absent."""
        least, node = self._least, place + self._leaves
        least[node] = self._bound
        node >>= 1
        while node:
            left, right = least[2 * node], least[2 * node + 1]
            now = min(right, left)
            if least[node] == now:
                return
            least[node] = now
            node >>= 1
