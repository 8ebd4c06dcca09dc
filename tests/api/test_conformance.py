"""``novate conformance``: the whole pack at once, as a table or as data."""

import json

from typer.testing import CliRunner

from api.cli.conformance import Line, show
from api.cli.main import app
from nodes.scenario.bundled import PACK, pack_files

NAMES = sorted(file.stem for file in (PACK / "clock").iterdir())


def run(*words):
    return CliRunner().invoke(app, ["conformance", *words])


def test_pack_is_found_beside_the_code():
    assert len(pack_files()) >= 39
    assert {file.parent.parent for file in pack_files()} == {PACK}


def test_table_names_topic_scenario_and_total():
    shown = run("--topic", "clock")

    assert shown.exit_code == 0
    assert all(name in shown.output for name in NAMES)
    assert f"{len(NAMES)} scenarios, {len(NAMES)} passed, 0 failed" in shown.output


def test_data_has_a_line_for_each_scenario():
    shown = run("--json", "--engine", "py-evm", "--topic", "clock")

    found = json.loads(shown.stdout)
    assert (found["engine"], found["played"], found["passed"]) == ("py-evm", *[len(NAMES)] * 2)
    assert [line["scenario"] for line in found["scenarios"]] == NAMES
    assert set(found["scenarios"][0]) == set(Line.__dataclass_fields__)


def test_scenario_that_fails_is_shown_with_its_differences(capsys):
    differences = [{"path": "instructions.P1", "expected": "settled", "actual": "queued"}]
    failed = Line("queue", "one", "Goes first", False, 0.25, "0x00", differences)

    show([failed, Line("queue", "other", "Goes next", True, 0.25, "0x00", [])])

    shown = capsys.readouterr().out
    assert "FAILED" in shown
    assert "one  instructions.P1: expected settled, found queued" in shown
    assert "2 scenarios, 1 passed, 1 failed, 0.5 s" in shown


def test_topic_that_there_is_not_ends_with_status_2():
    assert run("--topic", "weather").exit_code == 2


def test_engine_that_there_is_not_ends_with_status_2():
    shown = run("--engine", "geth")

    assert shown.exit_code == 2
    assert "revm or py-evm or the http(s) URL" in shown.output
