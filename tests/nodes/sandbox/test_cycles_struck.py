"""A cycle is struck by count, by time or by hand; what comes meanwhile waits for the next."""

import json
import time

import pytest

from ledger.domain.instructions import State
from ledger.settlement.matching import Side
from nodes.bus import UnreachableError
from nodes.folder_meta import StateFolderError
from nodes.messages import Matched
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.trade_batches import read_json
from tests.support.batches import json_rows
from tests.support.consortia import DAY, answering

SECONDS_MAX = 20


@pytest.fixture
def opened(tmp_path):
    """Opens running sandboxes, and stops them at the end."""
    running = []

    def open_one(**options):
        sandbox = open_sandbox(tmp_path, "test", DAY, options=SandboxOptions(**options))
        sandbox.start()
        running.append(sandbox)
        return sandbox

    yield open_one
    for sandbox in running:
        sandbox.stop()


def send(sandbox, first, count):
    body = json.dumps(json_rows(first, count)).encode()
    trades = read_json(body, sandbox.consortium.network)
    return sandbox.submit_batch(trades).result(timeout=SECONDS_MAX)


def cycles_of(sandbox):
    with sandbox.lock:
        return [row.trade_count for row in sandbox.consortium.clearing_house.cycles.all()]


def wait_for(condition):
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_full_cycles_are_struck_by_count_and_the_rest_waits(opened):
    sandbox = opened(cycle_trades=4, cycle_seconds=0)
    send(sandbox, 1, 10)

    wait_for(lambda: len(cycles_of(sandbox)) == 2)
    time.sleep(0.3)
    assert cycles_of(sandbox) == [4, 4]
    assert sandbox.strike().trade_count == 2
    assert sandbox.strike() is None


def test_few_trades_are_struck_by_time(opened):
    sandbox = opened(cycle_seconds=0.2)
    send(sandbox, 1, 3)

    wait_for(lambda: cycles_of(sandbox) == [3])


def test_match_that_was_cut_off_settles_with_the_next_strike(opened):
    sandbox = opened(cycle_seconds=0)
    consortium = sandbox.consortium
    seller, buyer = consortium.trader("BRK-A"), consortium.trader("BRK-B")
    terms = {
        "deliverer": "BRK-A",
        "receiver": "BRK-B",
        "settlement_date": DAY,
        "isin": consortium.network.instruments[0].isin,
        "quantity": 10,
        "currency": "CNY",
        "amount": 1_000,
    }

    def silence(_message):
        raise UnreachableError

    # The lock is held: nothing but the strike can bring the match in.
    with sandbox.lock:
        answering(consortium, "BRK-A", Matched, silence)
        seller.sides.enter("S1", Side(is_deliverer=True, deliverer_account="BRK-A", **terms))
        buyer.sides.enter("P1", Side(is_deliverer=False, receiver_account="BRK-B", **terms))
        answering(consortium, "BRK-A", Matched, seller.sides.agree)
        sandbox.strike()
        matching = consortium.clearing_house.matching
        assert matching.state_of("BRK-A", "S1") is State.SETTLED
        assert consortium.reconcile() == 0


def test_trades_captured_while_a_cycle_settles_go_to_the_next(opened):
    sandbox = opened(cycle_seconds=0)
    send(sandbox, 1, 5)
    house = sandbox.consortium.clearing_house
    settle = house.net.settle

    def settle_while_trades_arrive(number):
        house.net.settle = settle
        # The lock is held by the strike; capture does not need it.
        assert send(sandbox, 6, 3).submission.captured == 3
        settle(number)

    house.net.settle = settle_while_trades_arrive
    first, second = sandbox.strike(), sandbox.strike()

    assert (first.state, first.trade_count) == ("settled", 5)
    assert (second.state, second.trade_count) == ("settled", 3)


def test_folder_keeps_its_count_and_its_kind_of_sequence(tmp_path):
    begun = SandboxOptions(cycle_trades=4, dense_sequence=True)
    open_sandbox(tmp_path, "test", DAY, options=begun).stop()

    for other in (SandboxOptions(cycle_trades=5), SandboxOptions(dense_sequence=False)):
        with pytest.raises(StateFolderError, match="was begun with"):
            open_sandbox(tmp_path, "test", DAY, options=other)
    again = open_sandbox(tmp_path, "test", DAY)
    assert again.consortium.rules.cycle_trades_max == 4
    assert again.consortium.exchange.gaps() == []
    again.stop()
