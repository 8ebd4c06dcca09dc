"""kill -9 at every write point and at random: nothing acknowledged is lost or done twice."""

import random
from pathlib import Path

import pytest

from ledger.chain.executors import new_executor
from ledger.chain.replica import Replica
from ledger.chain.store import FAULT_POINTS, BlockStore
from tests.support import chain_worker
from tests.support.chain_worker import SENDERS
from tests.support.forked import run_forked
from tests.support.replicas import config_of, open_replicated, settle_threads
from tests.support.twins import CHAIN_ID

KILLED = -9


def work(folder, validators, round_, point, visit, count):
    """Runs the worker; returns its exit status and what it acknowledged, by number."""
    done = run_forked(chain_worker.work, folder, validators, round_, point, visit, count)
    assert done.returncode in (0, KILLED)
    # A line that the kill cut short acknowledges nothing.
    lines = [line.split() for line in done.stdout.splitlines(keepends=True) if line[-1] == "\n"]
    return done.returncode, {int(n): bytes.fromhex(digest) for n, digest in lines}


def check(folder, validators, acknowledged):
    """Opens the chain: what was acknowledged is there, once, and all replicas agree."""
    chain, links = open_replicated(validators, folder, checkpoint_slots=4)
    settle_threads(links)
    assert not chain.finality().is_halted
    contract = chain.store.transactions_of(1)[0].receipt.contract if chain.head.number else b""
    for number, digest in acknowledged.items():
        is_sealed = chain.store.place_of(digest) is not None
        assert is_sealed or chain.pending(digest), "an acknowledged transaction is lost"
        assert chain.storage_at(contract, number) == int(is_sealed), "executed once, or not yet"
    sealed = [
        included.transaction.hash
        for height in range(1, chain.head.number + 1)
        for included in chain.store.transactions_of(height)
    ]
    assert len(set(sealed)) == len(sealed)
    nonces = sum(chain.nonce_of(sender.address) for sender in SENDERS)
    assert nonces == len(sealed)
    for link in links:
        assert link.validator.replica.head == chain.head
    head = chain.head
    chain.close()
    check_history(folder, validators, head)


def check_history(folder, validators, head):
    """Runs everything again from genesis: the same head."""
    source = BlockStore(folder / "proposer.sqlite")
    config = config_of(validators, checkpoint_slots=4)
    again = Replica(config, BlockStore(Path(":memory:")), new_executor("revm", CHAIN_ID))
    for height in range(1, head.number + 1):
        transactions = [included.transaction for included in source.transactions_of(height)]
        header = source.header_by_number(height)
        again.append(again.execute(header.timestamp, transactions), None)
    assert again.head == head
    again.store.close()
    source.close()


# Without validators the proposer is the only one: its vote is in the block's own commit.
CASES = [(point, 4) for point in FAULT_POINTS] + [
    (point, 0) for point in FAULT_POINTS if not point.startswith(("vote", "certificate"))
]


@pytest.mark.parametrize(("point", "validators"), CASES)
def test_killed_at_a_write_point_nothing_is_lost(tmp_path, point, validators):
    acknowledged = {}
    status, new = work(tmp_path, validators, 0, point, 5, 6)
    acknowledged |= new
    assert status == KILLED, f"{point} was not reached"
    check(tmp_path, validators, acknowledged)
    status, new = work(tmp_path, validators, 1, "none", 1, 3)
    acknowledged |= new
    assert status == 0
    check(tmp_path, validators, acknowledged)


def killed_again_and_again(folder, validators, kills, chance):
    acknowledged = {}
    for round_ in range(kills):
        visit = chance.randint(1, 80)
        _, new = work(folder, validators, round_, "any", visit, 8)
        acknowledged |= new
        check(folder, validators, acknowledged)
    assert acknowledged


@pytest.mark.parametrize("validators", [0, 3])
def test_killed_again_and_again_at_random_nothing_is_lost(tmp_path, validators):
    killed_again_and_again(tmp_path, validators, 4, random.Random(validators))


@pytest.mark.deep
@pytest.mark.parametrize("validators", [0, 1, 4, 7])
def test_killed_fifty_times_nothing_is_lost(tmp_path, validators):
    killed_again_and_again(tmp_path, validators, 50, random.Random(100 + validators))
