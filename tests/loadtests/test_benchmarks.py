"""Benchmarks run small: what counts here is that they verify their own answers."""

import json

import pytest
from typer.testing import CliRunner

from api.cli.main import app


@pytest.mark.parametrize(
    ("arguments", "figures"),
    [
        (("gross", "--transactions", "200", "--validators", "2"), {"rate", "restart_seconds"}),
        (("netted", "--lines", "2048"), {"rate", "blocks"}),
        (("sets", "--instructions", "300", "--accounts", "20"), {"rate", "gas"}),
        (("logs", "--blocks", "2000"), {"page_ms", "open_seconds"}),
        (("gridlock", "--instructions", "2000"), {"fifo_seconds", "bypass_seconds", "ratio"}),
        (("reconcile", "--records", "20000", "--planted", "200"), {"kinds", "seconds", "ratio"}),
        (
            ("reconcile-live", "--lines", "200", "--seconds", "2"),
            {"latency_ms", "processor_ms", "view_hash"},
        ),
    ],
)
def test_benchmark_verifies_its_answer_and_says_where_it_ran(arguments, figures):
    done = CliRunner().invoke(app, ["bench", *arguments, "--json"])

    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["verified"] is True
    assert result["faults"] == []
    assert result.keys() >= {"seed", "environment", *figures}
    assert result["environment"]["python"].startswith("CPython")


def test_unknown_peer_is_bad_input():
    assert CliRunner().invoke(app, ["bench", "gross", "--peer", "geth"]).exit_code == 2
