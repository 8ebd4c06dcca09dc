"""Changes of a running sandbox: one after another, settled soon after, and safe when they fail."""

import json
import time

import pytest

from ledger.books.cycles import EMPTY
from ledger.books.database import StorageError
from ledger.domain.instructions import State
from nodes.entering import enter
from nodes.sandbox.network import OPENING_QUANTITY
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.trade_batches import read_json
from tests.support.consortia import DAY
from tests.support.instructions import bring_in, entry_of

SECONDS_MAX = 20


@pytest.fixture
def sandbox(tmp_path):
    opened = open_sandbox(tmp_path, "test", DAY, options=SandboxOptions(cycle_seconds=0))
    opened.start()
    yield opened
    opened.stop()


def enter_one(sandbox, label):
    entry = entry_of(sandbox.consortium, label, "BRK-A", "BRK-B", 5, 10)
    return sandbox.change(lambda consortium: enter(consortium, entry))


def wait_until_settled(sandbox, label):
    deadline = time.monotonic() + SECONDS_MAX
    desk = sandbox.consortium.clearing_house.desk
    while True:
        with sandbox.lock:
            if desk.get(label).state is State.SETTLED:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def failing_with(error):
    def act(consortium):
        raise error

    return act


def test_full_disk_stops_one_change_and_not_the_next(sandbox):
    with pytest.raises(StorageError):
        sandbox.change(failing_with(StorageError("full")))

    assert sandbox.is_ready
    enter_one(sandbox, "IT")
    wait_until_settled(sandbox, "IT")


def test_any_other_failure_stops_everything_and_is_said(sandbox):
    with pytest.raises(RuntimeError):
        sandbox.change(failing_with(RuntimeError("what happened")))

    assert not sandbox.is_ready
    assert sandbox.failure == "RuntimeError: what happened"


def test_trade_that_left_its_cycle_settles_once_it_is_covered(sandbox):
    trade = {
        "number": "T1",
        "instrument": "NOVA1",
        "quantity": str(OPENING_QUANTITY + 1),
        "price": "1.00",
        "seller": "BRK-A",
        "buyer": "BRK-B",
    }
    trades = read_json(json.dumps([trade]).encode(), sandbox.consortium.network)
    assert sandbox.submit_batch(trades).result(timeout=SECONDS_MAX).submission.captured == 1
    assert sandbox.strike().state == EMPTY
    [left] = sandbox.consortium.clearing_house.desk.instructions()

    sandbox.change(lambda consortium: bring_in(consortium, "securities", left.deliverer, 1))

    wait_until_settled(sandbox, left.label)
