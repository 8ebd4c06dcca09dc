"""Large cycles, settled in parts: all or nothing, whatever happens between two parts."""

import signal

import pytest

from contracts import lines
from ledger.books.cycles import ABANDONED, SETTLED
from ledger.books.postings import Register
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.market_day.made_day import MadeDay, write_made_day
from nodes.trade_files import reader
from tests.support.consortia import (
    DAY,
    NET,
    capture,
    consortium_of,
    small_consortium,
    small_network,
    states,
    trades_of,
)
from tests.support.forked import run_forked
from tests.support.killed_day import (
    SEALED,
    SHORTAGE,
    run_day,
    run_until_killed,
    use_small_blocks,
)

RING = (("T1", "A", "B", 10, 100), ("T2", "B", "C", 20, 300), ("T3", "C", "A", 30, 700))
PART = 2
STEPS = 6
"""It is opened, has two parts in each register, and is settled."""


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(lines, "LINES_PER_CALL_MAX", PART)


@pytest.fixture
def consortium(small_parts):
    return small_consortium()


def holdings(node):
    return {each: list(node.projection.holdings(each)) for each in Register}


def test_cycle_in_parts_settles_like_one_in_a_call(consortium):
    capture(consortium, trades_of(consortium.network, *RING))

    row = consortium.clearing_house.net.close()

    assert row.state == SETTLED
    assert states(consortium) == ["settled"] * 3
    assert consortium.reconcile() == 0
    assert violations(consortium) == []
    in_one_call = small_consortium()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LINES_PER_CALL_MAX", 1_024)
        capture(in_one_call, trades_of(in_one_call.network, *RING))
        assert in_one_call.clearing_house.net.close().state == SETTLED
    assert holdings(in_one_call.clearing_house) == holdings(consortium.clearing_house)


def test_cycle_that_comes_too_late_gives_back_all_that_it_earmarked(consortium):
    house = consortium.clearing_house
    before = holdings(house)
    capture(consortium, trades_of(consortium.network, *RING))
    announce, day = house.outbox.announce, consortium.network.business_date
    consortium.clock.set(day, 12 * 3600)

    def late(intents):
        announce(intents[:3])
        consortium.clock.set(day, 13 * 3600)
        consortium.catch_up()
        assert violations_of_the_chain(consortium) == []
        assert any(held for _, _, held in house.projection.holdings(Register.SECURITIES))
        announce(intents[3:])

    house.outbox.announce = late
    row = house.net.close()

    assert row.state == ABANDONED
    consortium.catch_up()
    after = {
        each: [holding for holding in found if holding[1] or holding[2]]
        for each, found in holdings(house).items()
    }
    assert after == before
    house.outbox.announce = announce
    assert house.net.close().state == SETTLED
    assert consortium.reconcile() == 0
    assert violations(consortium) == []


def violations_of_the_chain(consortium):
    return [each for each in violations(consortium) if each.invariant != 10]


def totals(found):
    """What every account has, whether it may use it or not."""
    return {
        (register, key): available + held
        for register, holdings in found.items()
        for key, available, held in holdings
        if available + held
    }


class CrashError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("sent", range(STEPS + 1))
def test_clearing_house_goes_on_where_it_was_cut_off(small_parts, tmp_path, sent):
    network = small_network()
    consortium = consortium_of(network, NET, None, path=tmp_path)
    house = consortium.clearing_house
    capture(consortium, trades_of(network, *RING))
    before = holdings(house)

    def crash(intents):
        type(house.outbox).announce(house.outbox, intents[:sent])
        raise CrashError

    house.outbox.announce = crash
    with pytest.raises(CrashError):
        house.net.close()
    consortium.catch_up()
    assert (totals(holdings(house)) == totals(before)) == (sent < STEPS)
    assert violations_of_the_chain(consortium) == []
    consortium.close()

    again = open_consortium(network, NET, SimulatedClock.at(DAY), tmp_path)

    again.clearing_house.resume()
    assert states(again) == ["settled"] * 3
    assert again.reconcile() == 0
    assert violations(again) == []


@pytest.mark.parametrize(
    "times",
    [7, *(pytest.param(times, marks=pytest.mark.deep) for times in (4, 5, 9, 12))],
)
def test_day_of_staged_cycles_that_was_killed_ends_in_the_same_state(tmp_path, times):
    trades = tmp_path / "made-day.zip"
    write_made_day(MadeDay(trades=2_000, participants=8, instruments=12, seed=7), trades)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_BYTES", reader.BLOCK_BYTES)
        use_small_blocks()
        in_one_call = run_day(trades, faults=[SHORTAGE])
        killed = run_forked(run_until_killed, trades, tmp_path / "state", SEALED, times, 8)
        assert killed.returncode == -signal.SIGKILL
        patch.setattr(lines, "LINES_PER_CALL_MAX", 8)

        resumed = run_day(trades, tmp_path / "state", [SHORTAGE])

    assert resumed.violations == []
    assert resumed.breaks == []
    assert resumed.state_hash == in_one_call.state_hash
