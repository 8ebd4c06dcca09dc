"""A stored chain that was changed or torn is refused with its name and place, never believed."""

import sqlite3

import pytest

from ledger.chain.errors import StorageError
from ledger.chain.log_index import LogFilter
from ledger.chain.sealed import sealed
from ledger.chain.state import StateChanges
from ledger.chain.store import BlockStore
from tests.support.counters import count_raw, deploy_counters
from tests.support.replicas import SENDER
from tests.support.twins import CHAIN_ID, new_chain

BLOCKS = 6


@pytest.fixture
def path(tmp_path):
    """A chain of seven blocks, with checkpoints on the way."""
    path = tmp_path / "chain.sqlite"
    chain = new_chain(path=path, checkpoint_slots=2)
    contract = deploy_counters(chain, SENDER)
    for nonce in range(1, BLOCKS):
        chain.submit(count_raw(SENDER, nonce, contract, nonce % 3))
    assert chain.store.checkpoint()
    chain.close()
    return path


def reopened(path):
    return new_chain(path=path, checkpoint_slots=2)


def change(path, statement, *values):
    with sqlite3.connect(path) as db:
        assert db.execute(statement, values).rowcount
    db.close()


def flipped(path, table, column, number):
    """Flips the last bit of a stored blob."""
    db = sqlite3.connect(path)
    query = f"SELECT {column} FROM {table} WHERE number = ?"
    blob = bytearray(db.execute(query, (number,)).fetchone()[0])
    blob[-1] ^= 1
    db.execute(f"UPDATE {table} SET {column} = ? WHERE number = ?", (bytes(blob), number))
    db.commit()
    db.close()


def test_untouched_chain_opens_with_its_state(path):
    chain = reopened(path)
    address = chain.store.transactions_of(1)[0].receipt.contract

    assert [chain.storage_at(address, n) for n in range(3)] == [1, 2, 2]
    assert chain.nonce_of(SENDER.address) == BLOCKS
    chain.close()


@pytest.mark.parametrize(
    ("table", "column", "number", "words"),
    [
        ("blocks", "header", 2, "block 2: the header is not the one its hash stands for"),
        ("blocks", "hash", 2, "block 2: the header is not"),
        ("blocks", "header", 0, "block 0: the header is not"),
        (
            "bodies",
            "storage",
            BLOCKS,
            f"block {BLOCKS}: the (checkpoint or )?state changes are not",
        ),
        (
            "bodies",
            "accounts",
            BLOCKS,
            f"block {BLOCKS}: the (checkpoint or )?state changes are not",
        ),
        ("certificates", "certificate", BLOCKS, "finality certificate|valid votes"),
    ],
)
def test_changed_store_is_refused_when_it_is_opened(path, table, column, number, words):
    flipped(path, table, column, number)

    with pytest.raises(StorageError, match=words) as refusal:
        reopened(path)

    assert str(path) in str(refusal.value)
    assert "restore it from a backup" in str(refusal.value)


def test_changed_checkpoint_is_refused(path):
    db = sqlite3.connect(path)
    number = db.execute("SELECT max(number) FROM checkpoints").fetchone()[0]
    db.close()
    flipped(path, "checkpoints", "storage", number)

    with pytest.raises(StorageError, match=f"block {number}: the checkpoint or state changes"):
        reopened(path)


@pytest.mark.parametrize("column", ["transactions", "receipts"])
def test_changed_body_is_refused_when_it_is_read(path, column):
    flipped(path, "bodies", column, 3)
    chain = reopened(path)

    with pytest.raises(StorageError):
        chain.store.transactions_of(3)
    with pytest.raises(StorageError):
        list(chain.store.logs(LogFilter(3, 3))) if column == "receipts" else chain.store.proposal(3)
    chain.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM blocks WHERE number = 3", "block 3 is missing"),
        ("DELETE FROM blocks WHERE number = 0", "block 0 is missing"),
        (f"DELETE FROM bodies WHERE number = {BLOCKS}", "state changes of block 6 are missing"),
        ("UPDATE bodies SET number = 99 WHERE number = 6", "state changes of block 6 are missing"),
    ],
)
def test_missing_rows_are_refused(path, statement, words):
    change(path, statement)

    with pytest.raises(StorageError, match=words):
        reopened(path)


def test_lost_tail_is_refused_when_its_certificate_is_there(path):
    change(path, f"DELETE FROM blocks WHERE number = {BLOCKS}")

    with pytest.raises(StorageError):
        reopened(path)


def test_waiting_transaction_that_was_changed_is_refused(path):
    chain = reopened(path)
    chain.submit(count_raw(SENDER, BLOCKS + 3, bytes(20), 1))
    chain.close()
    change(path, "UPDATE waiting SET raw = x'00'")

    with pytest.raises(StorageError, match="waiting transaction"):
        reopened(path)


def test_other_chains_store_is_refused(path):
    with pytest.raises(StorageError, match="another chain's genesis"):
        new_chain(path=path, genesis_timestamp=5)
    with pytest.raises(StorageError, match="another chain's genesis"):
        new_chain(path=path, chain_id=CHAIN_ID + 1)


def read_everything(path):
    chain = reopened(path)
    for number in range(BLOCKS + 1):
        chain.store.transactions_of(number)


@pytest.mark.parametrize("where", [0, 4_096, 20_000])
def test_torn_file_is_refused(path, where):
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xff" * 4_096)

    with pytest.raises(StorageError, match="changed or damaged"):
        read_everything(path)


def test_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "chain.sqlite"
    path.write_bytes(b"not a database" * 1_000)

    with pytest.raises(StorageError, match="file is not a database"):
        reopened(path)


def test_forged_last_block_without_a_certificate_is_refused(path):
    """Consistent in itself, with a state of the forger's choice; only the signature is missing."""
    honest = reopened(path)
    store = honest.store
    parent = store.header_by_number(BLOCKS - 1)
    contract = store.transactions_of(1)[0].receipt.contract
    transactions = [each.transaction for each in store.transactions_of(BLOCKS)]
    receipts = [each.receipt for each in store.transactions_of(BLOCKS)]
    riches = StateChanges({}, {(contract, 0): 1_000_000})
    forged = sealed(parent, parent.timestamp, transactions, receipts, riches)
    honest.close()
    for table in ("blocks", "bodies", "certificates"):
        change(path, f"DELETE FROM {table} WHERE number = {BLOCKS}")
    change(path, "DELETE FROM checkpoints")
    for signature in (b"", bytes(64), SENDER.sign(forged.hash)):
        store = BlockStore(path)
        for table in ("blocks", "bodies", "transaction_index", "log_index"):
            store._writer.execute(f"DELETE FROM {table} WHERE number = {BLOCKS}")
        store.append(forged.signed(signature), None)
        store.close()

        with pytest.raises(StorageError, match=r"not signed by the proposer|are not those of its"):
            reopened(path)


def test_certificates_without_their_blocks_make_nothing_final(path):
    for table in ("blocks", "bodies", "checkpoints", "transaction_index", "log_index"):
        db = sqlite3.connect(path)
        db.execute(f"DELETE FROM {table}")
        db.commit()
        db.close()

    with pytest.raises(StorageError, match="no blocks"):
        reopened(path)


def test_reading_a_closed_file_is_no_damage(path):
    chain = reopened(path)
    chain.close()

    with pytest.raises(sqlite3.ProgrammingError):
        chain.store.transactions_of(1)
