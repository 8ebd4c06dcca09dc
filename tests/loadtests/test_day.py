"""A small market day through everything: what counts here is that it verifies its own answer."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from api.cli.bench_day import served
from api.cli.main import app
from api.cli.measured import show
from loadtests.benchmarks import day_signatures
from loadtests.benchmarks.day import DayOptions, run
from loadtests.benchmarks.day_forms import ArrowForm, JsonForm
from loadtests.benchmarks.day_market import PRICE_UNIT, Market
from loadtests.benchmarks.day_recount import count_again
from loadtests.benchmarks.day_sweep import (
    CYCLE,
    INSTRUMENTS,
    PARTICIPANTS,
    TRADES,
    draw,
    planned,
    write,
)
from loadtests.benchmarks.day_venue import VenueError, open_venue
from nodes.signed_trade import signed_trade_of
from nodes.trade_batches import read_arrow, read_json

SWEEPS = (TRADES, PARTICIPANTS, INSTRUMENTS, CYCLE)
RATES = ["captured", "cleared", "committed", "settled", "final", "reconciled"]


@pytest.fixture(scope="module")
def market():
    return Market(trades=120_000, participants=8, instruments=10, seed=3)


@pytest.mark.parametrize(
    ("arguments", "attested", "replicas"),
    [
        (("--validators", "1", "--cycle-trades", "6000"), False, 1),
        (("--validators", "1", "--attest"), True, 1),
        (("--validators", "4"), True, 5),
    ],
)
def test_day_is_verified_and_says_what_it_was(arguments, attested, replicas):
    sizes = ("--trades", "20000", "--participants", "8", "--instruments", "10")
    done = CliRunner().invoke(app, ["bench", "day", *sizes, *arguments, "--json"])

    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["verified"], result["faults"]) == (True, [])
    assert (result["attested"], result["replicas"]) == (attested, replicas)
    assert result["trades"] == 20_000
    assert result["cycles"] == (4 if "--cycle-trades" in arguments else 1)
    assert result["net_lines"] <= result["cycles"] * (16 * 10 + 16)
    assert list(result["rates"]) == RATES
    assert list(result["rates"].values()) == sorted(result["rates"].values(), reverse=True)
    assert result["bytes_on_disk_a_trade"] > 0
    assert 0 < result["cycle_latency_ms"]["p50"] <= result["cycle_latency_ms"]["p99"]


def test_day_with_every_trade_signed_is_verified():
    sizes = ("--trades", "3000", "--participants", "4", "--instruments", "5")
    done = CliRunner().invoke(app, ["bench", "day", *sizes, "--signed", "--json"])

    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["verified"], result["faults"]) == (True, [])
    assert result["signed"]
    assert result["attested"]
    assert result["stage_seconds"]["signed"] > 0
    assert result["stage_seconds"]["checked"] > 0


def test_forged_signature_makes_the_figures_of_a_signed_day_void(monkeypatch):
    def forged(house, position):
        honest = signed_trade_of(house, position)
        if position != 7:
            return honest
        return replace(honest, buyer=replace(honest.buyer, signature=honest.seller.signature))

    monkeypatch.setattr(day_signatures, "signed_trade_of", forged)
    small = DayOptions(trades=1_000, participants=2, instruments=3, signed=True)

    assert run(small).faults == ["the trade at 7 is not signed by one of its buyers"]


def test_day_is_not_signed_by_brokers_that_are_elsewhere():
    done = CliRunner().invoke(app, ["bench", "day", "--signed", "--no-attest"])

    assert done.exit_code == 1
    assert "they have to be here" in done.output


def test_day_of_json_over_http_is_verified():
    small = DayOptions(trades=12_000, participants=3, instruments=5, ingest="json")
    result = run(small, served)

    assert (result.verified, result.faults) == (True, [])
    assert set(result.rates) == set(RATES)


def test_a_recount_that_differs_makes_the_figures_void():
    def wrong(market):
        changes = count_again(market)
        changes.securities[3, 2] += 1
        return changes

    cleared = []
    small = DayOptions(trades=5_000, participants=2, instruments=3, cycle_trades=2_000)
    result = run(small, on_progress=cleared.append, count_again=wrong)

    assert cleared == [2_000, 4_000, 5_000]
    assert not result.verified
    assert len(result.faults) == 1
    assert (
        "1 holdings are not those of the recount; the first is BRK-002/client" in result.faults[0]
    )
    with pytest.raises(typer.Exit) as ended:
        show(result.as_json(), as_json=True)
    assert ended.value.exit_code == 1


def test_a_day_that_breaks_off_ends_its_venue_at_once():
    def break_off(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(
            DayOptions(trades=100_000_000, participants=2, instruments=1, cycle_trades=100_000),
            on_progress=break_off,
        )


def test_batches_are_the_same_made_alone_and_conserve_everything(market):
    all_batches = list(market.batches())

    assert [len(batch) for batch in all_batches] == [100_000, 20_000]
    again = market.batch(1)
    assert np.array_equal(all_batches[1].prices, again.prices)
    numbers = np.concatenate([batch.numbers for batch in all_batches])
    assert np.array_equal(numbers, np.arange(1, 120_001))
    assert all((batch.sellers // 2 != batch.buyers // 2).all() for batch in all_batches)
    changes = count_again(market)
    assert not changes.securities.sum(axis=0).any()
    assert changes.cash.sum() == 0
    assert changes.securities.any()


@pytest.mark.parametrize(("form", "read"), [(ArrowForm, read_arrow), (JsonForm, read_json)])
def test_both_forms_say_what_was_made(market, form, read):
    made = next(market.batch(0).parts(500))

    trades = read(form(market).encode(made), market.network)

    assert np.array_equal(trades.numbers, made.numbers)
    assert np.array_equal(trades.instruments, made.instruments + 1)
    assert np.array_equal(trades.sellers, market.account_numbers[made.sellers])
    assert np.array_equal(trades.buyers, market.account_numbers[made.buyers])
    assert np.array_equal(trades.quantities, made.quantities)
    assert np.array_equal(trades.prices, made.prices * PRICE_UNIT)
    assert np.array_equal(trades.amounts, made.quantities * made.prices)


def test_a_venue_that_cannot_reach_its_server_says_so(market, capfd):
    with open_venue(market, port=1) as venue:
        venue.begin()
        with pytest.raises(VenueError, match="status 1"):
            venue.finish()
    assert "the server does not answer" in capfd.readouterr().err


def test_a_chart_in_no_folder_is_refused_before_anything_is_measured(tmp_path):
    out = tmp_path / "nowhere" / "days.svg"

    done = CliRunner().invoke(app, ["bench", "day-chart", "--out", str(out)])

    assert done.exit_code == 2
    assert "no such folder" in done.output


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "something").touch()

    done = CliRunner().invoke(app, ["bench", "day", "--state", str(tmp_path)])

    assert done.exit_code == 2
    assert "not an empty folder" in done.output


def test_chart_is_drawn_from_the_figures_beside_it_with_every_day_in_it(tmp_path):
    days = [
        {
            "sweep": each.sweep,
            **{name: getattr(each.options, name) for name in ("participants", "instruments")},
            "trades": each.options.trades,
            "cycle_trades_max": each.options.cycle_trades_max,
            "validators": 1,
            "attested": False,
            "seed": 7,
            "rates": {rate: 1_000.0 * (place + 2) for place, rate in enumerate(reversed(RATES))},
            "cycle_latency_ms": {"p50": 80.0, "p99": 130.0},
            "environment": {"machine": "m", "python": "p", "novate": "1 < 2"},
        }
        for each in planned(6, validators=1)
    ]
    out = tmp_path / "days.svg"
    write(out, days)

    draw(out)

    drawn = ET.fromstring(out.read_text())
    circles = [each for each in drawn.iter() if each.tag.endswith("circle")]
    in_panel = [sum(day["sweep"] == sweep for day in days) for sweep in SWEEPS]
    assert len(circles) == 4 * sum(in_panel[:3]) + 2 * in_panel[3]
    assert json.loads((tmp_path / "days.json").read_text()) == days
    assert "captured: 7,000 at 1,000,000" in out.read_text()
