"""The block store: blocks, transactions, receipts, logs and present state, in one SQLite file.

A block and everything it changed become durable in one commit, or not at all; what this module has
returned from ``append`` survives a crash at any instruction after.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.chain.blocks import Account, Header, Log, Receipt, StateChanges
from ledger.chain.transactions import Transaction, decode_transaction

MEMORY: Final = Path(":memory:")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS blocks (
    number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS transactions (
    hash BLOB PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL, raw BLOB NOT NULL,
    succeeded INTEGER NOT NULL, gas_used INTEGER NOT NULL, output BLOB NOT NULL, contract BLOB,
    UNIQUE (block, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (
    block INTEGER NOT NULL, position INTEGER NOT NULL, log_index INTEGER NOT NULL,
    address BLOB NOT NULL, topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, data BLOB NOT NULL,
    PRIMARY KEY (block, log_index)
) STRICT;
CREATE INDEX IF NOT EXISTS logs_by_address ON logs (address, block);
CREATE INDEX IF NOT EXISTS logs_by_topic ON logs (topic0, block);
CREATE TABLE IF NOT EXISTS accounts (
    address BLOB PRIMARY KEY, nonce INTEGER NOT NULL, code BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS storage (
    address BLOB NOT NULL, slot BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (address, slot)
) STRICT, WITHOUT ROWID;
"""

_LOGS_WITH_HASHES: Final = """
SELECT logs.*, (
    SELECT hash FROM transactions AS t
    WHERE t.block = logs.block AND t.position = logs.position
) FROM logs
"""


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction and where it stands."""

    transaction: Transaction
    receipt: Receipt
    block: int
    position: int
    first_log_index: int


@dataclass(frozen=True, slots=True)
class LocatedLog:
    """An event and where it stands. ``position`` is that of its transaction in the block."""

    log: Log
    block: int
    position: int
    log_index: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are meant: any of the addresses and, per place, of the topics; empty is all."""

    from_block: int
    to_block: int
    addresses: tuple[bytes, ...] = ()
    topics: tuple[tuple[bytes, ...], ...] = ()


class BlockStore:
    """Blocks on disk. One writer; readers see committed blocks only."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Releases the file."""
        self._connection.close()

    def append(
        self,
        header: Header,
        transactions: Sequence[Transaction],
        receipts: Sequence[Receipt],
        changes: StateChanges,
    ) -> None:
        """Makes a block and its effect durable. All of it, or on an exception nothing."""
        number = header.number
        log_rows = [
            (number, position, index, log.address, *_four_topics(log), log.data)
            for index, (position, log) in enumerate(
                (position, log) for position, receipt in enumerate(receipts) for log in receipt.logs
            )
        ]
        transaction_rows = [
            (t.hash, number, i, t.raw, int(r.succeeded), r.gas_used, r.output, r.contract)
            for i, (t, r) in enumerate(zip(transactions, receipts, strict=True))
        ]
        account_rows = [(address, a.nonce, a.code) for address, a in changes.accounts.items()]
        slot_rows = [
            (address, slot.to_bytes(32, "big"), value.to_bytes(32, "big"))
            for (address, slot), value in sorted(changes.storage.items())
        ]
        db = self._connection
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute(
                "INSERT INTO blocks VALUES (?, ?, ?)", (number, header.hash(), header.encode())
            )
            db.executemany("INSERT INTO transactions VALUES (?,?,?,?,?,?,?,?)", transaction_rows)
            db.executemany("INSERT INTO logs VALUES (?,?,?,?,?,?,?,?,?)", log_rows)
            db.executemany("INSERT OR REPLACE INTO accounts VALUES (?,?,?)", account_rows)
            db.executemany("INSERT OR REPLACE INTO storage VALUES (?,?,?)", slot_rows)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise

    def state(self) -> StateChanges:
        """All accounts and slots, as of the last block."""
        accounts = {
            address: Account(nonce, code)
            for address, nonce, code in self._connection.execute("SELECT * FROM accounts")
        }
        storage = {
            (address, int.from_bytes(slot, "big")): int.from_bytes(value, "big")
            for address, slot, value in self._connection.execute("SELECT * FROM storage")
        }
        return StateChanges(accounts, storage)

    def head(self) -> Header | None:
        """The header of the last block; None before genesis."""
        return self._header("ORDER BY number DESC LIMIT 1")

    def header_by_number(self, number: int) -> Header | None:
        """The header at a height; None when there is none."""
        return self._header("WHERE number = ?", number)

    def header_by_hash(self, block_hash: bytes) -> Header | None:
        """The header with a hash; None when there is none."""
        return self._header("WHERE hash = ?", block_hash)

    def transactions_of(self, number: int) -> list[Included]:
        """The transactions of a block, in order."""
        return list(self._included("block = ? ORDER BY position", number))

    def transaction(self, transaction_hash: bytes) -> Included | None:
        """A transaction by its hash; None when no block has it."""
        return next(self._included("hash = ?", transaction_hash), None)

    def logs(self, wanted: LogFilter) -> Iterator[LocatedLog]:
        """The logs that fit a filter, in order."""
        clauses, values = ["block BETWEEN ? AND ?"], [wanted.from_block, wanted.to_block]
        columns = ("address", "topic0", "topic1", "topic2", "topic3")
        for column, allowed in zip(columns, (wanted.addresses, *wanted.topics), strict=False):
            if allowed:
                clauses.append(f"{column} IN ({','.join('?' * len(allowed))})")
                values.extend(allowed)  # type: ignore[arg-type] # numbers and bytes share one list
        query = _LOGS_WITH_HASHES + f" WHERE {' AND '.join(clauses)} ORDER BY block, log_index"
        rows = self._connection.execute(query, values)
        for block, position, log_index, address, *topics, data, transaction_hash in rows:
            present = tuple(topic for topic in topics if topic is not None)
            yield LocatedLog(
                Log(address, present, data), block, position, log_index, transaction_hash
            )

    def _header(self, clause: str, *values: object) -> Header | None:
        row = self._connection.execute(f"SELECT header FROM blocks {clause}", values).fetchone()  # noqa: S608 # our own clause
        return Header.decode(row[0]) if row else None

    def _included(self, clause: str, value: object) -> Iterator[Included]:
        rows = self._connection.execute(f"SELECT * FROM transactions WHERE {clause}", (value,))  # noqa: S608 # our own clause
        for _, block, position, raw, succeeded, gas_used, output, contract in rows:
            located = self._connection.execute(
                "SELECT address, topic0, topic1, topic2, topic3, data, log_index FROM logs"
                " WHERE block = ? AND position = ? ORDER BY log_index",
                (block, position),
            ).fetchall()
            logs = tuple(
                Log(address, tuple(topic for topic in topics if topic is not None), data)
                for address, *topics, data, _ in located
            )
            yield Included(
                transaction=decode_transaction(raw),
                receipt=Receipt(bool(succeeded), gas_used, output, logs, contract),
                block=block,
                position=position,
                first_log_index=located[0][-1] if located else 0,
            )


def _four_topics(log: Log) -> tuple[bytes | None, ...]:
    return (*log.topics, *(None for _ in range(4 - len(log.topics))))
