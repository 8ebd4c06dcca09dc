"""Blocks, transactions, receipts and logs as they are asked for.

Whatever is read is checked against the block's header, and the headers were checked as a chain when
the file was opened: a changed file is refused and never believed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.block_file import BlockFile
from ledger.chain.blocks import Header, Log, PlacedReceipt, Receipt, body_roots
from ledger.chain.bundle import Bundle
from ledger.chain.log_index import WHOLE_BLOCK, LogFilter, key_of
from ledger.chain.transactions import Transaction, decode_transaction

TRANSACTIONS: Final = "transactions"
RECEIPTS: Final = "receipts"
_BODIES_A_READ: Final = 128
_BLOCKS_A_SEARCH: Final = 4_096

# A large bundle is not read whole: often a single item of it is wanted.
_BODIES: Final = """
SELECT number, hash, header,
    CASE WHEN length(transactions) < 262144 THEN transactions END,
    CASE WHEN length(receipts) < 262144 THEN receipts END
FROM blocks JOIN bodies USING (number) WHERE number IN ({}) ORDER BY number
"""
_PLACES_OF_TRANSACTIONS: Final = """
SELECT DISTINCT number, position FROM log_index
WHERE key IN ({}) AND number BETWEEN ? AND ? AND position >= 0
"""
_PLACES_OF_BLOCKS: Final = """
SELECT DISTINCT number, position FROM log_index
WHERE key IN ({}) AND number BETWEEN ? AND ? AND position = -1
"""
_ALL_PLACES: Final = "SELECT number, -1 FROM blocks WHERE number BETWEEN ? AND ?"


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction, its receipt, and where they stand."""

    transaction: Transaction
    receipt: Receipt
    block: int
    position: int
    first_log_index: int
    cumulative_gas: int


@dataclass(frozen=True, slots=True)
class LocatedLog:
    """An event and where it stands. ``position`` is that of its transaction in the block."""

    log: Log
    block: int
    position: int
    log_index: int
    block_hash: bytes
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """What a block consists of, beside its header."""

    number: int
    hash: bytes
    transactions: Bundle
    receipts: Bundle


class BlockReader(BlockFile):
    """What can be asked of a replica's blocks."""

    def head(self) -> Header | None:
        """The header of the last block; None before genesis."""
        return self._header("ORDER BY number DESC LIMIT 1")

    def header_by_number(self, number: int) -> Header | None:
        """The header at a height; None when there is none."""
        return self._header("WHERE number = ?", number)

    def header_by_hash(self, block_hash: bytes) -> Header | None:
        """The header with a hash; None when there is none."""
        return self._header("WHERE hash = ?", block_hash)

    def hashes_of(self, number: int) -> list[bytes]:
        """The transaction hashes of a block, in order."""
        return self.body(number).transactions.digests

    def transactions_of(self, number: int) -> list[Included]:
        """The transactions of a block, in order."""
        body = self.body(number)
        pairs = zip(body.transactions.items(), body.receipts.items(), strict=True)
        return [_included(raw, receipt, number, i) for i, (raw, receipt) in enumerate(pairs)]

    def transaction(self, transaction_hash: bytes) -> Included | None:
        """A transaction by its hash; None when no block has it."""
        place = self.place_of(transaction_hash)
        if place is None:
            return None
        return self.included_at(*place)

    def included_at(self, number: int, position: int) -> Included | None:
        """A transaction by its place, read alone; None when its block has fewer."""
        body = self.body(number)
        if position >= len(body.transactions.digests):
            return None
        raw, receipt = body.transactions.item(position), body.receipts.item(position)
        return _included(raw, receipt, number, position)

    def place_of(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Block and position of a transaction; None when no block has it."""
        rows = self.all(
            "SELECT number, position FROM transaction_index WHERE key = ?", key_of(transaction_hash)
        )
        for number, position in rows:
            hashes = self.hashes_of(number)
            if position >= len(hashes):
                raise self.damaged(f"block {number}: it has no transaction {position}")
            if hashes[position] == transaction_hash:
                return number, position
        return None

    def body(self, number: int) -> Body:
        """The body of a block. Raises StorageError when it is not its header's."""
        found = next(self.bodies([number]), None)
        if found is None:
            raise self.damaged(f"block {number}: its header or its body is missing")
        return found

    def bodies(self, numbers: Sequence[int]) -> Iterator[Body]:
        """The bodies of blocks, ascending. Raises StorageError for one that is not its header's."""
        for start in range(0, len(numbers), _BODIES_A_READ):
            part = numbers[start : start + _BODIES_A_READ]
            rows = self.all(_BODIES.format(",".join("?" * len(part))), *part)
            for number, block_hash, header, transactions, receipts in rows:
                body = Body(
                    number,
                    block_hash,
                    self._bundle(number, TRANSACTIONS, transactions),
                    self._bundle(number, RECEIPTS, receipts),
                )
                roots = (body.transactions.root, body.receipts.root)
                if roots != body_roots(header):
                    raise self.damaged(
                        f"block {number}: its transactions or receipts are not those of its header"
                    )
                yield body

    def logs(self, wanted: LogFilter) -> Iterator[LocatedLog]:
        """The logs that fit a filter, in order; read as they are taken."""
        for first in range(wanted.from_block, wanted.to_block + 1, _BLOCKS_A_SEARCH):
            last = min(first + _BLOCKS_A_SEARCH - 1, wanted.to_block)
            positions_by_block: dict[int, set[int]] = {}
            for number, position in self._places(wanted, first, last):
                positions_by_block.setdefault(number, set()).add(position)
            for body in self.bodies(sorted(positions_by_block)):
                yield from _logs_in(body, positions_by_block[body.number], wanted)

    def _places(self, wanted: LogFilter, first: int, last: int) -> list[tuple[int, int]]:
        """Where logs that fit may be: block and position, which may be WHOLE_BLOCK."""
        by_transaction, by_block = wanted.keys_by_transaction(), wanted.keys_by_block()
        if by_transaction:
            query, groups = _PLACES_OF_TRANSACTIONS, by_transaction[:1]
        elif by_block:
            query, groups = _PLACES_OF_BLOCKS, by_block
        else:
            return self.all(_ALL_PLACES, first, last)
        marks = [",".join("?" * len(keys)) for keys in groups]
        values = [value for keys in groups for value in (*keys, first, last)]
        return self.all(" INTERSECT ".join(query.format(each) for each in marks), *values)

    def _bundle(self, number: int, column: str, packed: bytes | None) -> Bundle:
        if packed is None:
            return self.bundle(number, column)
        return Bundle.of_bytes(packed, lambda what: self.damaged(f"block {number}: {what}"))

    def _header(self, clause: str, *values: object) -> Header | None:
        row = self.one(f"SELECT header FROM blocks {clause}", *values)  # noqa: S608 # our own clause
        return Header.decode(row[0]) if row else None


def _logs_in(body: Body, positions: set[int], wanted: LogFilter) -> Iterator[LocatedLog]:
    whole = WHOLE_BLOCK in positions
    items = (
        enumerate(body.receipts.items())
        if whole
        else [(position, body.receipts.item(position)) for position in sorted(positions)]
    )
    for position, encoded in items:
        placed = PlacedReceipt.decode(encoded)
        for i, log in enumerate(placed.receipt.logs, start=placed.first_log_index):
            if wanted.fits(log):
                digest = body.transactions.digests[position]
                yield LocatedLog(log, body.number, position, i, body.hash, digest)


def _included(raw: bytes, encoded: bytes, number: int, position: int) -> Included:
    placed = PlacedReceipt.decode(encoded)
    return Included(
        transaction=decode_transaction(raw),
        receipt=placed.receipt,
        block=number,
        position=position,
        first_log_index=placed.first_log_index,
        cumulative_gas=placed.cumulative_gas,
    )
