"""For each key a tree over its places, which finds the first whose number is small enough.

A tree's root is its node 1, the children of node n are 2n and 2n + 1, and each knows the least
number below it. All trees stand in one list, a key's from its base on.
"""

import numpy as np

from ledger.settlement.gridlock.queue_columns import NONE, Exact, Flags, Numbers


class LeastTrees:
    """Numbers at places, some of them absent.

    Args:
        keys: the key of each place; ascending.
        numbers: one for each place.
        present: whether a place has its number now.
        bound: a number above all numbers, and above all that is asked for.
        count: how many keys.
    """

    def __init__(
        self, keys: Numbers, numbers: Exact, present: Flags, bound: int, count: int
    ) -> None:
        places_by_key = np.bincount(keys, minlength=count)
        # A power of two, at least 1, and at least as many as there are places.
        leaves_by_key = 1 << np.ceil(np.log2(np.maximum(places_by_key, 1))).astype(np.int64)
        bases = np.cumsum(2 * leaves_by_key) - 2 * leaves_by_key
        firsts = np.cumsum(places_by_key) - places_by_key
        leaf_by_place = bases[keys] + leaves_by_key[keys] + np.arange(len(keys)) - firsts[keys]
        least = np.full(int(2 * leaves_by_key.sum()), bound, dtype=numbers.dtype)
        least[leaf_by_place[present]] = numbers[present]
        for level in range(int(leaves_by_key.max(initial=1)).bit_length() - 2, -1, -1):
            high = bases[leaves_by_key > 1 << level][:, np.newaxis]
            nodes = np.arange(1 << level, 2 << level)
            least[high + nodes] = np.minimum(least[high + 2 * nodes], least[high + 2 * nodes + 1])
        self._bound = bound
        self._least: list[int] = least.tolist()
        self._bases: list[int] = bases.tolist()
        self._leaves: list[int] = leaves_by_key.tolist()
        self._firsts: list[int] = firsts.tolist()

    def first(self, key: int, most: int) -> int:
        """The first place of a key whose number is at most this, or none."""
        least, base = self._least, self._bases[key]
        if least[base + 1] > most:
            return NONE
        node, leaves = 1, self._leaves[key]
        while node < leaves:
            node *= 2
            if least[base + node] > most:
                node += 1
        return node - leaves + self._firsts[key]

    def put(self, key: int, place: int, number: int) -> None:
        """Gives an absent place its number."""
        least, base = self._least, self._bases[key]
        node = place - self._firsts[key] + self._leaves[key]
        while node and least[base + node] > number:
            least[base + node] = number
            node >>= 1

    def remove(self, key: int, place: int) -> None:
        """Makes a place absent."""
        least, base = self._least, self._bases[key]
        node = place - self._firsts[key] + self._leaves[key]
        least[base + node] = self._bound
        while node := node >> 1:
            left, right = least[base + 2 * node], least[base + 2 * node + 1]
            now = left if left < right else right  # noqa: FURB136 # min() takes twice as long
            if least[base + node] == now:
                return
            least[base + node] = now
