"""A small market day, whole: it settles, reconciles, repeats, and survives being killed."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from ledger.domain.rules import MARKET_DAY_RULES
from nodes.clock import SimulatedClock
from nodes.consortium import open_consortium
from nodes.market_day.day import OPENING_SECOND, DayPlan, MarketDay
from nodes.market_day.day_network import day_network
from nodes.market_day.faults import Fault, FaultName, with_shortages
from nodes.market_day.made_day import MADE_DAY_SEED, MadeDay, write_made_day
from nodes.market_day.opening import derived_opening, read_opening
from nodes.market_day.summary import summarise
from nodes.market_day.survey import survey
from nodes.trade_files.reader import TradeFile, TradeFileError

SIZE = MadeDay(trades=2_000, participants=8, instruments=12, seed=7)
RULES = replace(MARKET_DAY_RULES, cycle_trades_max=250)


@pytest.fixture(scope="module")
def trades(tmp_path_factory):
    path = tmp_path_factory.mktemp("day") / "made-day.zip"
    write_made_day(SIZE, path)
    return path


def run(path, faults=(), seed="test"):
    file = TradeFile(path)
    surveyed = survey(file)
    network = day_network(surveyed, file.format, seed)
    opening = with_shortages(derived_opening(surveyed, "BRL"), faults)
    clock = SimulatedClock.at(surveyed.business_date, OPENING_SECOND)
    consortium = open_consortium(network, RULES, clock, None)
    MarketDay(DayPlan(file, surveyed, opening, faults), consortium, clock).run()
    summary = summarise(consortium, surveyed, opening)
    consortium.close()
    return summary


def test_day_settles_whole_and_reconciles(trades):
    summary = run(trades)

    assert summary.is_sound
    assert summary.captured == summary.settled_in_cycles + summary.cancelled
    assert summary.queued == {}
    assert 0 < summary.netting_efficiency_bp < 10_000


def test_same_day_twice_ends_in_the_same_state(trades):
    assert run(trades).state_hash == run(trades).state_hash


def test_one_missing_share_costs_a_handful_of_trades(trades):
    fault = Fault(FaultName.SHORT_SECURITIES, "B3-13", "MADE5", "1")

    summary = run(trades, [fault])

    assert summary.violations == []
    assert summary.breaks == []
    assert summary.queued.keys() == {"LACK"}
    assert 1 <= sum(summary.queued.values()) <= 5


def test_desk_that_is_wrong_is_a_break_with_both_versions(trades):
    file = TradeFile(trades)
    block = next(file.blocks())
    symbol = file.instruments.names[block.instruments[0]]
    number, seller = str(block.numbers[0]), "B3-" + file.participants.names[block.sellers[0]]

    summary = run(trades, [Fault(FaultName.BLOTTER_MISSING, seller, symbol, number)])

    assert [(b["kind"], b["owner"]) for b in summary.breaks] == [("missing_ours", seller)]
    assert summary.unaffirmed == 1
    assert summary.violations == []
    assert not summary.is_sound


def test_opening_positions_survive_their_file(trades, tmp_path):
    opening = derived_opening(survey(TradeFile(trades)), "BRL")
    opening.write(tmp_path / "opening.csv")

    again = read_opening(tmp_path / "opening.csv", ["BRL"])

    assert again.securities == opening.securities
    assert again.cash == opening.cash


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("B3-8,BRL,1.234", "amount"),
        ("B3-8,MADE1,1.5", "amount"),
        ("B3-8,MADE1,-1", "amount"),
        ("B3 8,BRL,1.00", "account"),
        ("B3-8,,1", "asset"),
        ("B3-8,BRL", "line"),
    ],
)
def test_fault_in_an_opening_file_is_named(tmp_path, line, column):
    (tmp_path / "o.csv").write_text(f"account,asset,amount\n{line}\n")

    with pytest.raises(TradeFileError) as caught:
        read_opening(tmp_path / "o.csv", ["BRL"])

    assert (caught.value.line, caught.value.column) == (2, column)


def test_made_day_is_the_same_for_the_same_seed(tmp_path):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_made_day(SIZE, tmp_path / name / "day.zip")
        made.append((tmp_path / name / "day.zip").read_bytes())

    assert made[0] == made[1]


def test_bundled_day_is_what_its_documented_seed_makes(tmp_path, request):
    bundled = request.config.rootpath / "nodes/data/made-day-b3-2026-07-14.zip"
    write_made_day(MadeDay(seed=MADE_DAY_SEED), tmp_path / bundled.name)

    again, committed = TradeFile(tmp_path / bundled.name), TradeFile(bundled)
    assert list(map(len, again.blocks())) == list(map(len, committed.blocks()))
    assert again.digest == committed.digest


def command(trades, state):
    return [
        *(sys.executable, "-m", "api.cli", "day", "--trades", str(trades)),
        *("--state", str(state), "--json", "--cycle-trades", "250"),
    ]


@pytest.mark.parametrize("seconds", [1.2, 1.8, 2.4, 3.0])
def test_day_that_was_killed_resumes_and_ends_in_the_same_state(trades, tmp_path, seconds):
    process = subprocess.Popen(
        command(trades, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()

    resumed = subprocess.run(command(trades, tmp_path), capture_output=True, check=False)

    assert resumed.returncode == 0, resumed.stderr.decode()
    assert json.loads(resumed.stdout)["state_hash"] == run(trades, seed="novate").state_hash
