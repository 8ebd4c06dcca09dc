"""The block store of one replica: what it writes, and what it needs to start again.

A block and everything that belongs to it become durable in one commit, or not at all; what
``append`` has returned from survives a crash at any instruction after.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from eth_hash.auto import keccak

from ledger.chain.block_file import TABLES
from ledger.chain.finality import Certificate, decode_certificate
from ledger.chain.log_index import index_rows, key_of
from ledger.chain.reader import RECEIPTS, TRANSACTIONS, BlockReader
from ledger.chain.sealed import Proposal, SealedBlock
from ledger.chain.state import EncodedChanges
from ledger.chain.transactions import Transaction

KEPT_CHECKPOINTS: Final = 2
FAULT_POINTS: Final = (
    "append: before",
    "append: half written",
    "append: before commit",
    "append: after",
    "certificate: before",
    "certificate: after",
    "vote: before",
    "vote: after",
    "waiting: before",
    "waiting: after",
)


class BlockStore(BlockReader):
    """Blocks, certificates, votes, waiting transactions and checkpoints of one replica."""

    def append(self, block: SealedBlock, certificate: Certificate | None) -> None:
        """Makes a block and its effect durable; its transactions wait no longer."""
        number = block.header.number
        receipts = [placed.receipt for placed in block.receipts]
        self.reached("append: before")
        with self.commit() as db:
            db.execute(
                "INSERT INTO blocks VALUES (?,?,?,?)",
                (number, block.hash, block.header.encode(), block.signature),
            )
            db.execute(
                "INSERT INTO bodies VALUES (?,?,?,?,?)",
                (
                    number,
                    block.packed_transactions(),
                    block.packed_receipts(),
                    block.changes.accounts,
                    block.changes.storage,
                ),
            )
            self.reached("append: half written")
            db.executemany(
                "INSERT INTO transaction_index VALUES (?,?,?)",
                [(key_of(t.hash), number, i) for i, t in enumerate(block.transactions)],
            )
            db.executemany(
                "INSERT OR IGNORE INTO log_index VALUES (?,?,?)",
                [(key, number, position) for key, position in index_rows(receipts)],
            )
            db.executemany(
                "DELETE FROM waiting WHERE hash = ?", [(t.hash,) for t in block.transactions]
            )
            if block.checkpoint:
                _put_checkpoint(db, number, block.checkpoint)
            if certificate:
                _put_certificate(db, certificate)
            self.reached("append: before commit")
        self.reached("append: after")

    def add_certificate(self, certificate: Certificate) -> None:
        """Makes the finality of a stored block durable."""
        self.reached("certificate: before")
        with self.commit() as db:
            _put_certificate(db, certificate)
        self.reached("certificate: after")

    def add_vote(self, number: int, block_hash: bytes) -> None:
        """Makes it durable which block of a height this replica votes for."""
        self.reached("vote: before")
        with self.commit() as db:
            db.execute("INSERT INTO votes VALUES (?,?)", (number, block_hash))
        self.reached("vote: after")

    def add_waiting(self, transactions: Sequence[Transaction]) -> None:
        """Makes transactions durable that cannot be sealed yet."""
        self.reached("waiting: before")
        with self.commit() as db:
            db.executemany(
                "INSERT OR IGNORE INTO waiting (hash, raw) VALUES (?,?)",
                [(transaction.hash, transaction.raw) for transaction in transactions],
            )
        self.reached("waiting: after")

    def drop_waiting(self, transaction_hash: bytes) -> None:
        """Forgets a transaction that waited."""
        with self.commit() as db:
            db.execute("DELETE FROM waiting WHERE hash = ?", (transaction_hash,))

    def is_empty(self) -> bool:
        """Whether nothing was ever written."""
        return not any(self.one(f"SELECT 1 FROM {table} LIMIT 1") for table in TABLES)  # noqa: S608 # our own names

    def signature(self, number: int) -> bytes:
        """The proposer's signature of a block; empty when there is none."""
        row = self.one("SELECT signature FROM blocks WHERE number = ?", number)
        return bytes(row[0]) if row else b""

    def heads(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Number, hash and encoded header of every block, from genesis, unchecked."""
        query = "SELECT number, hash, header FROM blocks WHERE number >= ?"
        for part in self.in_parts(query, start=0, size=4_096):
            yield from ((number, digest, header) for number, digest, header in part)

    def proposal(self, number: int) -> Proposal | None:
        """A block as validators are sent it; None when there is none."""
        row = self.one("SELECT header, signature FROM blocks WHERE number = ?", number)
        if row is None:
            return None
        raws = self.bundle(number, TRANSACTIONS).items()
        digests = self.bundle(number, RECEIPTS).digests
        return Proposal(row[0], row[1], tuple(raws), tuple(digests))

    def final_block(self, number: int) -> tuple[Proposal, Certificate] | None:
        """A final block and its proof; None while there is none of this height."""
        certificate = self.certificate(number)
        proposal = self.proposal(number) if certificate else None
        return (proposal, certificate) if proposal and certificate else None

    def certificate(self, number: int) -> Certificate | None:
        """The certificate of a block; None while it has none."""
        row = self.one("SELECT certificate FROM certificates WHERE number = ?", number)
        try:
            return decode_certificate(row[0]) if row else None
        except msgspec.MsgspecError as error:
            raise self.damaged(f"the certificate of block {number}: {error}") from error

    def final_height(self) -> int:
        """The number of the last block with a certificate; 0, the genesis, needs none."""
        row = self.one("SELECT max(number) FROM certificates")
        return int(row[0] or 0) if row else 0

    def vote(self, number: int) -> bytes | None:
        """The hash of the block of a height that this replica has voted for."""
        row = self.one("SELECT block_hash FROM votes WHERE number = ?", number)
        return bytes(row[0]) if row else None

    def waiting(self) -> list[bytes]:
        """The raw transactions that wait, oldest first."""
        rows = self.all("SELECT hash, raw FROM waiting ORDER BY sequence")
        for digest, raw in rows:
            if keccak(raw) != digest:
                raise self.damaged("a waiting transaction is not the one its hash stands for")
        return [raw for _, raw in rows]

    def changes_after(self, number: int) -> Iterator[tuple[int, EncodedChanges]]:
        """The state changes of each later block, in order, unchecked."""
        query = "SELECT number, accounts, storage FROM bodies WHERE number >= ?"
        for part in self.in_parts(query, start=number + 1, size=64):
            yield from (
                (each, EncodedChanges(accounts, storage)) for each, accounts, storage in part
            )

    def checkpoint(self) -> tuple[int, EncodedChanges] | None:
        """The number of the last checkpoint and the whole state then, unchecked."""
        row = self.one("SELECT * FROM checkpoints ORDER BY number DESC LIMIT 1")
        return (row[0], EncodedChanges(row[1], row[2])) if row else None


def _put_certificate(db: sqlite3.Connection, certificate: Certificate) -> None:
    db.execute(
        "INSERT INTO certificates VALUES (?,?)",
        (certificate.number, certificate.encode()),
    )


def _put_checkpoint(db: sqlite3.Connection, number: int, whole: EncodedChanges) -> None:
    db.execute("INSERT INTO checkpoints VALUES (?,?,?)", (number, whole.accounts, whole.storage))
    db.execute(
        "DELETE FROM checkpoints WHERE number NOT IN"
        " (SELECT number FROM checkpoints ORDER BY number DESC LIMIT ?)",
        (KEPT_CHECKPOINTS,),
    )
