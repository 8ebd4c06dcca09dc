"""Blocks, transactions, receipts and logs as they are asked for.

Whatever is read is checked against the block's header, and the headers were checked as a chain when
the file was opened: a changed file is refused and never believed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.block_file import BlockFile
from ledger.chain.blocks import Header, Log, PlacedReceipt, Receipt
from ledger.chain.bundle import Bundle
from ledger.chain.log_index import WHOLE_BLOCK, LogFilter, key_of
from ledger.chain.transactions import Transaction, decode_transaction

TRANSACTIONS: Final = "transactions"
RECEIPTS: Final = "receipts"


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
        return self._checked(number, TRANSACTIONS).digests

    def transactions_of(self, number: int) -> list[Included]:
        """The transactions of a block, in order."""
        raws = self._checked(number, TRANSACTIONS).items()
        encoded = self._checked(number, RECEIPTS).items()
        pairs = enumerate(zip(raws, encoded, strict=True))
        return [_included(raw, receipt, number, i) for i, (raw, receipt) in pairs]

    def transaction(self, transaction_hash: bytes) -> Included | None:
        """A transaction by its hash; None when no block has it."""
        place = self.place_of(transaction_hash)
        if place is None:
            return None
        number, position = place
        raw = self._checked(number, TRANSACTIONS).item(position)
        receipt = self._checked(number, RECEIPTS).item(position)
        return _included(raw, receipt, number, position)

    def place_of(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Block and position of a transaction; None when no block has it."""
        rows = self.all(
            "SELECT number, position FROM transaction_index WHERE key = ?", key_of(transaction_hash)
        )
        for number, position in rows:
            if self._checked(number, TRANSACTIONS).digests[position] == transaction_hash:
                return number, position
        return None

    def logs(self, wanted: LogFilter) -> Iterator[LocatedLog]:
        """The logs that fit a filter, in order."""
        by_transaction = wanted.keys_by_transaction()
        if by_transaction:
            places = self._places(by_transaction[0], wanted)
        else:
            places = ((number, WHOLE_BLOCK) for number in self._blocks_with_logs(wanted))
        for number, position in places:
            yield from self._logs_of(number, position, wanted)

    def _places(self, keys: Sequence[int], wanted: LogFilter) -> Iterator[tuple[int, int]]:
        marks = ",".join("?" * len(keys))
        rows = self.all(
            f"SELECT DISTINCT number, position FROM log_index WHERE key IN ({marks})"  # noqa: S608 # question marks
            " AND number BETWEEN ? AND ? AND position >= 0 ORDER BY number, position",
            *keys,
            wanted.from_block,
            wanted.to_block,
        )
        return iter(rows)

    def _blocks_with_logs(self, wanted: LogFilter) -> list[int]:
        # The index of whole blocks has a row for each address, so it also lists blocks with logs.
        groups = wanted.keys_by_block()
        clauses, values = [], []
        for keys in groups:
            marks = ",".join("?" * len(keys))
            clauses.append(
                f"SELECT DISTINCT number FROM log_index WHERE key IN ({marks})"  # noqa: S608 # question marks
                " AND number BETWEEN ? AND ? AND position = -1"
            )
            values += [*keys, wanted.from_block, wanted.to_block]
        if not groups:
            clauses = ["SELECT number FROM blocks WHERE number BETWEEN ? AND ?"]
            values = [wanted.from_block, wanted.to_block]
        rows = self.all(" INTERSECT ".join(clauses) + " ORDER BY number", *values)
        return [number for (number,) in rows]

    def _logs_of(self, number: int, position: int, wanted: LogFilter) -> Iterator[LocatedLog]:
        row = self.one("SELECT hash FROM blocks WHERE number = ?", number)
        assert row is not None
        receipts = self._checked(number, RECEIPTS)
        hashes = self.hashes_of(number)
        items = (
            enumerate(receipts.items())
            if position == WHOLE_BLOCK
            else [(position, receipts.item(position))]
        )
        for place, encoded in items:
            placed = PlacedReceipt.decode(encoded)
            for i, log in enumerate(placed.receipt.logs, start=placed.first_log_index):
                if wanted.fits(log):
                    yield LocatedLog(log, number, place, i, row[0], hashes[place])

    def _header(self, clause: str, *values: object) -> Header | None:
        row = self.one(f"SELECT header FROM blocks {clause}", *values)  # noqa: S608 # our own clause
        return Header.decode(row[0]) if row else None

    def _checked(self, number: int, column: str) -> Bundle:
        """A bundle that is the one its block's header commits to. Raises StorageError."""
        header = self.header_by_number(number)
        assert header is not None
        bundle = self.bundle(number, column)
        root = header.transactions_root if column == TRANSACTIONS else header.receipts_root
        if bundle.root != root:
            raise self.damaged(f"block {number}: its {column} are not those of its header")
        return bundle


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
