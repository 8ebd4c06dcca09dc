"""How much everybody needed at hand, read from the registers' own movements."""

from collections import defaultdict
from collections.abc import Iterable

from ledger.books.postings import FinalBlock, PostingKind, Register

_BY_SETTLEMENT = frozenset({PostingKind.TRANSFERRED, PostingKind.MOVED, PostingKind.BOOKED})


def peak_needs(blocks: Iterable[FinalBlock]) -> dict[Register, dict[int, int]]:
    """The most that each holding was below its start at any moment, by register and holding key.

    A holding needs so much at the start (units or minor units) for nothing of this to wait; those
    that never went below are left out. Issues and redemptions do not count.
    """
    below: dict[Register, dict[int, int]] = {register: {} for register in Register}
    changes: dict[tuple[Register, int], int] = defaultdict(int)
    for block in blocks:
        for posting in block.postings:
            if posting.kind not in _BY_SETTLEMENT:
                continue
            for key, amount in zip(posting.keys.tolist(), posting.available.tolist(), strict=True):
                holding = (posting.register, key)
                changes[holding] += amount
                if -changes[holding] > below[posting.register].get(key, 0):
                    below[posting.register][key] = -changes[holding]
    return below
