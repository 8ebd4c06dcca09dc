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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ledger.clearing.chunks import (
    RECORD_BYTES,
    SALT_BYTES,
    TRADES_PER_CHUNK_MAX,
    Chunks,
    Records,
    chunks_of,
    records_of,
    trades_of,
)
from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns

LEAVES_MAX: Final = 2**32
COUNT_MAX: Final = 2**63 - 1
HASH_BYTES: Final = 32
_CHUNKS_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that chunks are in a root: the siblings that they lack, from the leaves up.

    Within a level they stand from left to right. A node that was promoted has none.
    """

    leaf_count: int
    trade_count: int
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ShownChunks:
    """Some chunks of a cycle, whole, and the one proof that they are under its root.

    Attributes:
        indices: of the chunks among the leaves, ascending.
        counts: how many trades each has.
        salts: of each chunk, 32 bytes one after another.
        records: the trades of all of them, as they are hashed.
    """

    indices: Column
    counts: Column
    salts: bytes
    records: Records
    proof: Proof

    @staticmethod
    def of_one(index: int, salt: bytes, trades: TradeColumns, proof: Proof) -> "ShownChunks":
        """A single chunk."""
        counts = np.array([len(trades)], dtype=np.int64)
        return ShownChunks(np.array([index]), counts, salt, records_of(trades), proof)

    def trades(self) -> TradeColumns:
        """The trades shown, chunk by chunk."""
        return trades_of(self.records)

    def are_under(self, cycle_id: bytes, root: bytes) -> bool:
        """Whether these trades, in this order, are the chunks of these indices under a root."""
        if not self._is_well_formed():
            return False
        indices = self.indices.tolist()
        hashes = leaf_hashes(indices, _split(self.salts), self.counts, self.records)
        top = top_of(zip(indices, hashes, strict=True), self.proof)
        return top is not None and root_hash(cycle_id, self.proof, top) == root

    def _is_well_formed(self) -> bool:
        """Whether it says one thing only, whoever reads it: before anything is computed from it."""
        return self._has_right_types() and self._is_in_order() and self._is_of_so_many_trades()

    def _has_right_types(self) -> bool:
        columns, proof = (self.indices, self.counts), self.proof
        return (
            all(type(column) is np.ndarray for column in (*columns, self.records))
            and all(column.dtype == np.int64 and column.ndim == 1 for column in columns)
            and self.records.dtype == np.dtype(">i8")
            and self.records.shape == (len(self.records), len(COLUMN_NAMES))
            and type(self.salts) is bytes
            and type(proof.leaf_count) is type(proof.trade_count) is int
            and all(type(each) is bytes and len(each) == HASH_BYTES for each in proof.siblings)
        )

    def _is_in_order(self) -> bool:
        indices, counts = self.indices, self.counts
        return bool(
            len(indices) == len(counts) > 0
            and len(self.salts) == SALT_BYTES * len(indices)
            and indices[0] >= 0
            and (indices[1:] > indices[:-1]).all()
            and indices[-1] < self.proof.leaf_count <= LEAVES_MAX
            and (counts > 0).all()
            and (counts <= TRADES_PER_CHUNK_MAX).all()
        )

    def _is_of_so_many_trades(self) -> bool:
        """Whether the chunks that are not shown can hold the trades that are not shown."""
        shown, hidden = int(self.counts.sum()), self.proof.leaf_count - len(self.indices)
        fewest, most = shown + hidden, shown + hidden * TRADES_PER_CHUNK_MAX
        return shown == len(self.records) and fewest <= self.proof.trade_count <= most


class Commitment:
    """The tree over one cycle's trades. ``salt_key`` is that of the cut: see ``cut_salt_key``."""

    def __init__(self, trades: TradeColumns, salt_key: bytes, cycle_id: bytes) -> None:
        self.chunks: Chunks = chunks_of(trades)
        self._records = records_of(trades)
        self._salts = _split(_salts(salt_key, cycle_id, len(self.chunks)))
        self._levels = _levels(list(self._leaves()))
        self.trade_count = len(trades)
        self.root = root_hash(cycle_id, self._proof([]), self._levels[-1][0])

    def show(self, indices: Column) -> ShownChunks:
        """Some of the chunks, by ascending index, with their proof."""
        return ShownChunks(
            indices=indices,
            counts=self.chunks.counts(indices),
            salts=b"".join([self._salts[index] for index in indices.tolist()]),
            records=np.take(self._records, self.chunks.rows(indices), axis=0),
            proof=self._proof(indices.tolist()),
        )

    def show_party(self, party: int) -> ShownChunks:
        """The chunks of one participant."""
        return self.show(self.chunks.indices_of(party))

    def _leaves(self) -> Iterator[bytes]:
        """The hashes of all chunks; a few chunks' records at a time, so that they stay in cache."""
        for first in range(0, len(self.chunks), _CHUNKS_AT_ONCE):
            end = min(first + _CHUNKS_AT_ONCE, len(self.chunks))
            bounds = self.chunks.bounds[first : end + 1]
            records = np.take(self._records, self.chunks.order[bounds[0] : bounds[-1]], axis=0)
            salts = self._salts[first:end]
            yield from leaf_hashes(range(first, end), salts, np.diff(bounds), records)

    def _proof(self, indices: list[int]) -> Proof:
        siblings: list[bytes] = []
        known = indices
        for level in self._levels[:-1]:
            lacking = _siblings_lacking(known, len(level))
            siblings.extend([level[place] for place in lacking])
            known = sorted({place // 2 for place in known})
        return Proof(len(self._levels[0]), self.trade_count, tuple(siblings))


def top_of(leaves: Iterable[tuple[int, bytes]], proof: Proof) -> bytes | None:
    """The node at the top, over leaves (ascending by index) and the siblings that they lack.

    None when there are too few siblings or too many.
    """
    known, siblings, width = list(leaves), iter(proof.siblings), proof.leaf_count
    try:
        while width > 1:
            known, width = _parents(known, siblings, width), (width + 1) // 2
    except StopIteration:
        return None
    return None if next(siblings, None) is not None else known[0][1]


@dataclass(frozen=True, slots=True)
class Step:
    """One level on the way from a leaf to the top.

    Attributes:
        sibling: what it is hashed with; empty: it is the last of an odd level and goes up as it is.
        is_left: the sibling stands before it.
        node: what comes out.
    """

    sibling: bytes
    is_left: bool
    node: bytes


def climb(index: int, leaf: bytes, proof: Proof) -> list[Step]:
    """The way from one leaf to the top, as ``top_of`` goes it.

    Raises StopIteration when there are too few siblings.
    """
    steps: list[Step] = []
    siblings, place, width, node = iter(proof.siblings), index, proof.leaf_count, leaf
    while width > 1:
        sibling, is_left = b"", place % 2 == 1
        if is_left or place + 1 < width:
            sibling = next(siblings)
            node = _node(sibling, node) if is_left else _node(node, sibling)
        steps.append(Step(sibling, is_left, node))
        place, width = place // 2, (width + 1) // 2
    return steps


def cut_salt_key(house_key: bytes, cycle_id: bytes, cut: bytes) -> bytes:
    """The key of the salts of one cut of a cycle: who is shown it can make these and no others.

    ``cut`` tells which trades it has. Another cut of the same cycle has other chunks at the same
    indices; it has other salts, or who was shown a salt could guess what another party's chunk is.
    """
    return hmac.digest(house_key, b"novate cut salts" + cycle_id + cut, "sha256")


def leaf_hash(index: int, salt: bytes, records: Records) -> bytes:
    """The hash of one chunk."""
    return next(leaf_hashes([index], [salt], np.array([len(records)]), records))


def leaf_hashes(
    indices: Iterable[int], salts: Iterable[bytes], counts: Column, records: Records
) -> Iterator[bytes]:
    """The hashes of chunks whose records stand one after another."""
    content = np.ascontiguousarray(records).reshape(-1).view(np.uint8).data
    first = 0
    for index, salt, count in zip(indices, salts, counts.tolist(), strict=True):
        end = first + count * RECORD_BYTES
        digest = hashlib.sha256(
            b"\x00" + salt + index.to_bytes(8, "big") + count.to_bytes(8, "big")
        )
        digest.update(content[first:end])
        yield digest.digest()
        first = end


def root_hash(cycle_id: bytes, proof: Proof, top: bytes) -> bytes:
    """The root over the top node; of the proof only the counts are used."""
    counts = proof.leaf_count.to_bytes(8, "big") + proof.trade_count.to_bytes(8, "big")
    return hashlib.sha256(b"\x02" + cycle_id + counts + top).digest()


def _parents(
    known: list[tuple[int, bytes]], siblings: Iterator[bytes], width: int
) -> list[tuple[int, bytes]]:
    """The nodes above known ones in a level of a width. Raises StopIteration for want of one."""
    above: list[tuple[int, bytes]] = []
    waiting = iter([*known, (width + 1, b"")])
    position, node = next(waiting)
    while position < width:
        then = next(waiting)
        if position % 2:
            node = _node(next(siblings), node)
        elif then[0] == position + 1:
            node, then = _node(node, then[1]), next(waiting)
        elif position + 1 < width:
            node = _node(node, next(siblings))
        above.append((position // 2, node))
        position, node = then
    return above


def _siblings_lacking(known: Sequence[int], width: int) -> list[int]:
    """The places beside known ones that are not known, in a level of a width."""
    there = set(known)
    return [place ^ 1 for place in known if place ^ 1 < width and place ^ 1 not in there]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """All levels of the tree, leaves first; an odd last node is promoted as it is."""
    assert leaves, "a cycle has at least one trade"
    levels = [leaves]
    while len(below := levels[-1]) > 1:
        pairs = zip(below[::2], below[1::2], strict=False)
        above = [_node(left, right) for left, right in pairs]
        levels.append(above + below[len(above) * 2 :])
    return levels


def _salts(salt_key: bytes, cycle_id: bytes, count: int) -> bytes:
    # One stream for all: who knows a part of it knows nothing of the rest.
    return hashlib.shake_256(salt_key + cycle_id).digest(SALT_BYTES * count)


def _split(salts: bytes) -> list[bytes]:
    """Salts that stand one after another."""
    ends = range(SALT_BYTES, len(salts) + 1, SALT_BYTES)
    return [salts[end - SALT_BYTES : end] for end in ends]
