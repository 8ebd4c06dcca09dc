"""The command: help, exit statuses, and errors that say what to do."""

import json
import socket

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.cli.terminal import output
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.domain.rulebook import RULEBOOK, RULEBOOK_VERSION
from ledger.domain.states import meaning_of
from nodes.market_day.faults import FAULT_FORMS
from nodes.scenario.faults import FAULTS

runner = CliRunner()


def run(*words):
    return runner.invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    "words", [[], ["day"], ["up"], ["scenario"], ["reasons"], ["rules"], ["make-day"]]
)
def test_every_command_explains_itself(words):
    result = run(*words, "--help")

    assert result.exit_code == 0
    assert "Usage" in result.output


def test_every_form_of_a_fault_is_shown_whole():
    result = runner.invoke(app, ["day", "--help"], env={"COLUMNS": "80"})

    assert all(form in result.output for form in FAULT_FORMS.values())


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
        (["--fault", "short-cash:B3-1:BRL:0"], "more than zero"),
        (["--fault", "short-securities:B3-1:MADE1:\u00b2"], "a whole number"),
        (["--fault", "blotter-missing:B3-1:MADE1:abc"], "a trade number"),
        (["--fault", "blotter-missing:B3-1:NOPE:10"], "a trade of B3-1 in NOPE"),
        (["--fault", "blotter-terms:NOBODY:MADE1:10"], "a trade of NOBODY in MADE1"),
        (["--fault", "blotter-terms:B3-1:M\u00c4DE:10"], "a symbol"),
        (["--opening", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_bad_option_ends_with_status_2(tmp_path, option, words):
    trades = tmp_path / "t.csv"
    assert run("make-day", trades, "--trades", 50).exit_code == 0

    result = run("day", "--trades", trades, "--state", tmp_path / "state", *option)

    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "state").exists()


def test_folder_goes_on_only_with_what_it_was_begun_with(tmp_path):
    made, other, opening = (tmp_path / name for name in ("a.csv", "b.csv", "o.csv"))
    run("make-day", made, "--trades", 50, "--seed", 1)
    other.write_bytes(b"".join(made.read_bytes().splitlines(keepends=True)[:-1]))
    begun = ["day", "--trades", made, "--state", tmp_path / "state"]
    first = run(*begun, "--write-opening", opening)
    lines = opening.read_text().splitlines()
    opening.write_text("\n".join(lines[:-1]) + "\n")
    seller = made.read_text().splitlines()[1].split(";")
    fault = f"blotter-missing:B3-{seller[10]}:{seller[1]}:{seller[6]}"

    again = run(*begun)
    refused = {
        "the trade file (content": ["day", "--trades", other, "--state", tmp_path / "state"],
        "the opening positions (--opening)": [*begun, "--opening", opening],
        f"the faults ({fault}, begun with none)": [*begun, "--fault", fault],
        "--cycle-trades 7, begun with 10000": [*begun, "--cycle-trades", 7],
        "the seed ('other', begun with 'novate')": [*begun, "--seed", "other"],
    }

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert "Already settled" not in first.output
    assert "Already settled" in again.output
    assert figures(first.output) == figures(again.output)
    for words, command in refused.items():
        result = run(*command)
        assert result.exit_code == 2, words
        assert words in result.output


def figures(output):
    """The summary without what is measured anew in every run."""
    kept = [line for line in output.splitlines() if line.startswith(" ")]
    return [line for line in kept if "finality" not in line and "opening" not in line]


@pytest.mark.parametrize(
    "words",
    [
        ["day", "--trades", "."],
        ["day", "--trades", "made.csv", "--opening", "."],
        ["day", "--trades", "made.csv", "--state", "made.csv"],
        ["day", "--trades", "made.csv", "--write-opening", "/nowhere/o.csv"],
        ["make-day", "/nowhere/made.csv"],
        ["make-day", "made.csv"],
        ["up", "--state", "made.csv", "--port", "18731"],
        ["up", "--host", "no.such.host.invalid"],
        ["up", "--host", "203.0.113.1"],
    ],
)
def test_file_or_address_that_cannot_be_used_ends_with_status_2(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert run("make-day", "made.csv", "--trades", 5).exit_code == 0

    result = run(*words)

    assert result.exit_code == 2
    assert "error: " in result.output
    assert "Novate  http" not in result.output


def test_taken_port_is_said_before_anything_else(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("up", "--state", tmp_path / "state", "--port", port)

    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in result.output
    assert not (tmp_path / "state").exists()


def test_nothing_is_wrapped_in_a_pipe(capsys):
    output().print("x" * 3_000)

    assert capsys.readouterr().out == "x" * 3_000 + "\n"


def test_version_is_shown():
    assert run("--version").output.startswith("novate 0.")


def test_scenario_statuses_tell_passed_failed_and_invalid(tmp_path, request):
    pack = request.config.rootpath / "nodes/scenario/pack"
    good = pack / "netting/net-six-trades.yaml"
    bad = tmp_path / "bad.yaml"
    bad.write_text(good.read_text().replace("'9445.00'", "'9446.00'"))

    passed, failed = run("scenario", "run", good, "--json"), run("scenario", "run", bad, "--json")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("scenario: s\nevents: nonsense\n")
    invalid = run("scenario", "run", good, wrong)

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
    assert "passed" not in invalid.output


def test_folder_of_scenarios_is_played_and_an_empty_one_is_refused(tmp_path, request):
    pack = request.config.rootpath / "nodes/scenario/pack"
    folder = run("scenario", "run", pack / "clock", "--engine", "py-evm")

    assert folder.exit_code == 0
    assert folder.output.count("passed") == len(list((pack / "clock").iterdir()))
    assert run("scenario", "run", tmp_path).exit_code == 2
    assert run("scenario", "run", pack / "clock", "--engine", "geth").exit_code == 2


def test_faults_are_listed_with_their_forms():
    listed = run("fault", "list").output

    assert all(name in listed for name in FAULTS)
    assert "blotter-terms:PARTICIPANT:SYMBOL:NUMBER" in listed


def test_scenario_says_why_something_did_not_settle(tmp_path, request):
    good = request.config.rootpath / "nodes/scenario/pack/netting/net-six-trades.yaml"
    text = good.read_text()
    short, unknown, silent = (tmp_path / f"{name}.yaml" for name in ("short", "unknown", "silent"))
    short.write_text(text.replace("A: {X: 350, Y: 300}", "A: {X: 349, Y: 300}", 1))
    unknown.write_text(text.replace("buyer: B}", "buyer: NOBODY}", 1))
    silent.write_text(text[: text.index("expect:")])

    assert (
        "LACK. The deliverer does not have the securities." in run("scenario", "run", short).output
    )
    assert "T1 is refused: UNKNOWN." in run("scenario", "run", unknown).output
    played = run("scenario", "run", silent)
    assert played.exit_code == 0
    assert "played, nothing expected" in played.output


def test_reasons_are_listed_with_their_numbers():
    result = run("reasons")

    assert all(str(reason.value) in result.output for reason in Reason)


def test_states_are_explained_in_both_languages():
    english, chinese = run("reasons").output, run("reasons", "--zh").output

    for state in State:
        assert f" {state.value} " in english
        assert meaning_of(state).text in english
        assert meaning_of(state).text_zh in chinese


def test_reasons_and_states_are_one_table_as_data():
    table = json.loads(run("reasons", "--json").output)

    reasons_of_states = {each["state"]: set(each["reasons"]) for each in table["states"]}
    for each in table["reasons"]:
        assert set(each["states"]) == {
            state for state, reasons in reasons_of_states.items() if each["name"] in reasons
        }


def test_rules_are_listed_with_default_bounds_and_version():
    english, chinese = run("rules").output, run("rules", "--zh").output
    table = json.loads(run("rules", "--json").output)

    assert [each["name"] for each in table] == [rule.name for rule in RULEBOOK]
    assert all(rule.name in english and rule.text in english for rule in RULEBOOK)
    assert all(rule.text_zh in chinese for rule in RULEBOOK)
    assert f"rulebook version {RULEBOOK_VERSION}" in english
    recuts = next(each for each in table if each["name"] == "recuts_max")
    assert (recuts["default"], recuts["bounds"], recuts["binds"]) == (3, [0, 1_000], "cycle")


@pytest.mark.parametrize("command", ["rules", "reasons"])
def test_two_forms_at_once_are_refused(command):
    result = run(command, "--zh", "--json")

    assert result.exit_code == 2
    assert "give one of" in result.output
