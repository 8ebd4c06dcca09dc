"""A small market day, whole: it settles, reconciles, repeats, and survives being killed."""

import signal

import pytest

from nodes.day_verification import verify_day
from nodes.market_day.day import Step
from nodes.market_day.day_network import day_network
from nodes.market_day.faults import Fault, FaultName
from nodes.market_day.made_day import MADE_DAY_SEED, MadeDay, write_made_day
from nodes.market_day.opening import derived_opening, read_opening
from nodes.market_day.survey import survey
from nodes.trade_files import reader
from nodes.trade_files.reader import TradeFile, TradeFileError
from tests.support.forked import run_forked
from tests.support.killed_day import SEALED, SHORTAGE, run_until_killed, use_small_blocks
from tests.support.killed_day import run_day as run
from tests.support.postgres import are_files

SIZE = MadeDay(trades=2_000, participants=8, instruments=12, seed=7)


@pytest.fixture(scope="module")
def trades(tmp_path_factory):
    path = tmp_path_factory.mktemp("day") / "made-day.zip"
    write_made_day(SIZE, path)
    return path


def network_of(path):
    file = TradeFile(path)
    return day_network(survey(file), file.format, "test")


def test_day_settles_whole_and_reconciles(trades):
    summary = run(trades)

    assert summary.is_sound
    assert summary.captured == summary.settled_in_cycles + summary.cancelled
    assert summary.queued == {}
    assert 0 < summary.netting_efficiency_bp < 10_000


def test_same_day_twice_ends_in_the_same_state(trades):
    assert run(trades).state_hash == run(trades).state_hash


def test_one_missing_share_costs_a_handful_of_trades(trades):
    summary = run(trades, faults=[SHORTAGE])

    assert summary.violations == []
    assert summary.breaks == []
    assert summary.queued.keys() == {"LACK"}
    assert 1 <= sum(summary.queued.values()) <= 5


def test_desk_that_is_wrong_is_a_break_with_both_versions(trades):
    file = TradeFile(trades)
    block = next(file.blocks())
    symbol = file.instruments.names[block.instruments[0]]
    number, seller = str(block.numbers[0]), "B3-" + file.participants.names[block.sellers[0]]

    summary = run(trades, faults=[Fault(FaultName.BLOTTER_MISSING, seller, symbol, number)])

    assert [(b["kind"], b["owner"]) for b in summary.breaks] == [("missing_ours", seller)]
    assert summary.unaffirmed == 1
    assert summary.violations == []
    assert not summary.is_sound


def test_opening_positions_survive_their_file(trades, tmp_path):
    opening = derived_opening(survey(TradeFile(trades)), "BRL")
    opening.write(tmp_path / "opening.csv")

    again = read_opening(tmp_path / "opening.csv", network_of(trades))

    assert again.securities == opening.securities
    assert again.cash == opening.cash


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("B3-13,BRL,1.234", "amount"),
        ("B3-13,MADE1,1.5", "amount"),
        ("B3-13,MADE1,-1", "amount"),
        ("B3-13,MADE1,\u00b2", "amount"),
        ("B3 8,BRL,1.00", "account"),
        ("B3-13/client,BRL,1.00", "account"),
        ("EXCHANGE,BRL,1.00", "account"),
        ("B3-13,,1", "asset"),
        ("B3-13,CNY,1", "asset"),
        ("B3-13,PETR4,1", "asset"),
        ("B3-13,BRL", "line"),
        ("B3-13,BRL,\ud83d", "line"),
    ],
)
def test_fault_in_an_opening_file_is_named(trades, tmp_path, line, column):
    text = f"account,asset,amount\n{line}\n"
    (tmp_path / "o.csv").write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(TradeFileError) as caught:
        read_opening(tmp_path / "o.csv", network_of(trades))

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


@pytest.fixture(scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_BYTES", reader.BLOCK_BYTES)
        use_small_blocks()
        yield


@pytest.fixture(scope="module")
def uninterrupted(trades, small_blocks):
    return run(trades, faults=[SHORTAGE])


def deep(*given):
    return pytest.param(*given, marks=pytest.mark.deep)


@pytest.mark.parametrize(
    ("step", "times"),
    [
        (Step.CYCLE_CLOSED.value, 4),
        *(deep(Step.CYCLE_CLOSED.value, times) for times in (1, 2, 6, 8)),
        (Step.OPENED.value, 1),
        (Step.CAPTURED.value, 3),
        (Step.TAKEN_IN.value, 4),
        (Step.QUEUE_TRIED.value, 2),
        (Step.RECONCILED.value, 5),
        deep(SEALED, 3),
        (SEALED, 9),
    ],
)
def test_day_that_was_killed_resumes_and_ends_in_the_same_state(
    trades, tmp_path, uninterrupted, step, times
):
    killed = run_forked(run_until_killed, trades, tmp_path / "state", step, times)
    assert killed.returncode == -signal.SIGKILL

    resumed = run(trades, tmp_path / "state", [SHORTAGE])

    assert resumed.violations == []
    assert resumed.breaks == []
    assert resumed.state_hash == uninterrupted.state_hash
    if are_files():
        *_, verified = verify_day(tmp_path / "state")
        assert verified.cycles == verified.cycles_in_all > 0
