"""The commitment to a cycle's trades: a Merkle tree whose leaves are chunks, not trades.

A chunk holds at most 64 trades of one pair of participants, in order of capture, behind a salt that
only the clearing house can make. So a proof shows its holder nothing but its own trades, and
hashing runs at stream speed. Leaves, nodes and the root are hashed under different prefixes, an odd
node is promoted and never doubled, and the root commits to the cycle and to the numbers of its
leaves and trades:

    leaf = SHA-256(0x00 | salt | index | count | records)     node = SHA-256(0x01 | left | right)
    root = SHA-256(0x02 | cycle | leaves | trades | top)

Numbers are eight bytes, big-endian; a record is the eleven columns of a trade, each eight bytes.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns, participants_of

TRADES_PER_CHUNK_MAX: Final = 64
LEAVES_MAX: Final = 2**32
COUNT_MAX: Final = 2**63 - 1
SALT_BYTES: Final = 32

Records = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""Trades as they are hashed, a row each."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some trades of one pair of participants, and where they stand in the tree."""

    index: int
    salt: bytes
    rows: Column
    parties: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a chunk is in a root: the sibling at each level, from the leaf up.

    A level at which the node was promoted has no sibling and is left out.
    """

    leaf_count: int
    trade_count: int
    siblings: tuple[bytes, ...]


class Commitment:
    """The tree over one cycle's trades. ``salt_key`` is the cycle's own: see ``cycle_salt_key``."""

    def __init__(self, trades: TradeColumns, salt_key: bytes, cycle_id: bytes) -> None:
        self._records = records_of(trades)
        self.chunks = _chunks(trades, self._records, salt_key, cycle_id)
        leaves = [leaf_hash(c.index, c.salt, self._records[c.rows]) for c in self.chunks]
        self._levels = _levels(leaves)
        self.trade_count = len(trades)
        self.root = root_hash(cycle_id, len(leaves), len(trades), self._levels[-1][0])

    def find(self, row: int) -> tuple[int, int]:
        """The chunk that one of the trades is in, and its place there."""
        for chunk in self.chunks:
            places = np.flatnonzero(chunk.rows == row)
            if len(places):
                return chunk.index, int(places[0])
        raise IndexError(f"there is no trade {row}")

    def proof(self, index: int) -> Proof:
        """The proof of one chunk."""
        siblings, position = [], index
        for level in self._levels[:-1]:
            if position ^ 1 < len(level):
                siblings.append(level[position ^ 1])
            position //= 2
        return Proof(len(self.chunks), self.trade_count, tuple(siblings))


def is_included(
    cycle_id: bytes, root: bytes, index: int, salt: bytes, trades: TradeColumns, proof: Proof
) -> bool:
    """Whether these trades, in this order, are the chunk of this index under a cycle's root."""
    if not 0 <= index < proof.leaf_count <= LEAVES_MAX or len(salt) != SALT_BYTES:
        return False
    if not 0 < proof.trade_count <= COUNT_MAX:
        return False
    top = top_of(leaf_hash(index, salt, records_of(trades)), index, proof)
    return top is not None and root_hash(cycle_id, proof.leaf_count, proof.trade_count, top) == root


def top_of(leaf: bytes, index: int, proof: Proof) -> bytes | None:
    """The node at the top, over a leaf and its siblings; None when they are too few or too many."""
    node, siblings, position, width = leaf, list(proof.siblings), index, proof.leaf_count
    while width > 1:
        if position ^ 1 < width:
            if not siblings:
                return None
            sibling = siblings.pop(0)
            node = _node(node, sibling) if position % 2 == 0 else _node(sibling, node)
        position, width = position // 2, (width + 1) // 2
    return None if siblings else node


def cycle_salt_key(house_key: bytes, cycle_id: bytes) -> bytes:
    """The key of one cycle's salts: who is shown it can make these salts and no others."""
    return hmac.digest(house_key, b"novate cycle salts" + cycle_id, "sha256")


def records_of(trades: TradeColumns) -> Records:
    """The trades as they are hashed: one row of big-endian numbers each."""
    records = np.empty((len(trades), len(COLUMN_NAMES)), dtype=">i8")
    for place, column in enumerate(trades.columns().values()):
        records[:, place] = column
    return records


def leaf_hash(index: int, salt: bytes, records: Records) -> bytes:
    """The hash of one chunk."""
    head = b"\x00" + salt + index.to_bytes(8, "big") + len(records).to_bytes(8, "big")
    return hashlib.sha256(head + records.tobytes()).digest()


def root_hash(cycle_id: bytes, leaf_count: int, trade_count: int, top: bytes) -> bytes:
    """The root over the top node."""
    counts = leaf_count.to_bytes(8, "big") + trade_count.to_bytes(8, "big")
    return hashlib.sha256(b"\x02" + cycle_id + counts + top).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree, leaves first; an odd last node is promoted as it is."""
    assert leaves, "a cycle has at least one trade"
    levels = [list(leaves)]
    while len(below := levels[-1]) > 1:
        pairs = zip(below[::2], below[1::2], strict=False)
        above = [_node(left, right) for left, right in pairs]
        levels.append(above + below[len(above) * 2 :])
    return levels


def _chunks(
    trades: TradeColumns, records: Records, salt_key: bytes, cycle_id: bytes
) -> list[Chunk]:
    """The trades grouped by pair of participants, in ascending order of pairs."""
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    low, high = np.minimum(sellers, buyers), np.maximum(sellers, buyers)
    pairs = (low << 32) | high
    order = np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    chunks: list[Chunk] = []
    for group in np.split(order, starts[1:]):
        parties = (int(low[group[0]]), int(high[group[0]]))
        for first in range(0, len(group), TRADES_PER_CHUNK_MAX):
            rows = group[first : first + TRADES_PER_CHUNK_MAX]
            salt = _salt(salt_key, cycle_id, len(chunks), records[rows])
            chunks.append(Chunk(len(chunks), salt, rows, parties))
    return chunks


def _salt(salt_key: bytes, cycle_id: bytes, index: int, records: Records) -> bytes:
    """A salt for these trades alone: in the next cut of a cycle others may have this index."""
    content = hashlib.sha256(records.tobytes()).digest()
    return hmac.digest(salt_key, cycle_id + index.to_bytes(8, "big") + content, "sha256")
