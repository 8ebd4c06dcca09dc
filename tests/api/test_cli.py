"""The command: help, exit statuses, and errors that say what to do."""

import json

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from ledger.domain.reasons import Reason

runner = CliRunner()


def run(*words):
    return runner.invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("words", [[], ["day"], ["up"], ["scenario"], ["reasons"], ["make-day"]])
def test_every_command_explains_itself(words):
    result = run(*words, "--help")

    assert result.exit_code == 0
    assert "Usage" in result.output


def test_bad_trade_file_ends_with_status_2_and_loads_nothing(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("nonsense\n")

    result = run("day", "--trades", bad, "--state", tmp_path / "state")

    assert result.exit_code == 2
    assert f"{bad}:1: header: expected" in result.output
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--fault", "flood"], "blotter-missing:PARTICIPANT:SYMBOL:NUMBER"),
        (["--fault", "short-cash:B3-1:BRL:1"], "at most the opening position"),
        (["--opening", "nowhere.csv"], "does not exist"),
    ],
)
def test_bad_option_ends_with_status_2(tmp_path, option, words):
    trades = tmp_path / "t.csv"
    assert run("make-day", trades, "--trades", 50).exit_code == 0

    result = run("day", "--trades", trades, "--state", tmp_path / "state", *option)

    assert result.exit_code == 2
    assert words in result.output


def test_state_of_another_network_is_refused(tmp_path):
    for name, seed in (("a.csv", 1), ("b.csv", 2)):
        run("make-day", tmp_path / name, "--trades", 50, "--seed", seed)
    state = tmp_path / "state"
    assert run("day", "--trades", tmp_path / "a.csv", "--state", state).exit_code == 0

    result = run("day", "--trades", tmp_path / "b.csv", "--state", state)

    assert result.exit_code == 2
    assert "holds another network" in result.output


def test_scenario_statuses_tell_passed_failed_and_invalid(tmp_path, request):
    pack = request.config.rootpath / "nodes/scenario/pack"
    good = pack / "netting/net-six-trades.yaml"
    bad = tmp_path / "bad.yaml"
    bad.write_text(good.read_text().replace("'9445.00'", "'9446.00'"))
    unsupported = pack / "gridlock/ubin-2.1.1-fifo.yaml"

    passed, failed = run("scenario", "run", good, "--json"), run("scenario", "run", bad, "--json")
    invalid = run("scenario", "run", good, unsupported)

    assert (passed.exit_code, failed.exit_code, invalid.exit_code) == (0, 1, 2)
    assert set(json.loads(passed.output)) == {
        "scenario",
        "passed",
        "differences",
        "state_hash",
        "balances",
        "instructions",
        "movements",
        "breaks",
    }
    assert json.loads(failed.output)["differences"][0]["path"] == "cash.A.CNY"
    assert "is not supported yet" in invalid.output
    assert "passed" not in invalid.output


def test_reasons_are_listed_with_their_numbers():
    result = run("reasons")

    assert all(str(reason.value) in result.output for reason in Reason)
