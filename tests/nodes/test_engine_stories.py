"""The same stories and the same day on another's chain: same outcome, whatever happens to it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from api.app import create_app
from nodes.external_engine import ExternalEngine
from nodes.market_day.made_day import MadeDay, write_made_day
from nodes.sandbox.sandbox import open_sandbox
from nodes.scenario.bundled import pack_files, topic_of
from nodes.scenario.loader import load_story
from nodes.scenario.result import result_of
from nodes.scenario.runner import play
from tests.support.anvil import Anvil, needs_anvil
from tests.support.clients import client_of
from tests.support.consortia import DAY
from tests.support.engines import URL_NAME

pytestmark = needs_anvil

SIZE = MadeDay(trades=2_000, participants=8, instruments=12, seed=7)
RESTART_SECONDS = 1.5
FINAL_SECONDS_MAX = 30


@pytest.fixture(scope="module")
def anvil():
    with Anvil() as running:
        yield running


@pytest.fixture(scope="module")
def trades(tmp_path_factory):
    path = tmp_path_factory.mktemp("day") / "made-day.zip"
    write_made_day(SIZE, path)
    return path


@pytest.fixture(scope="module")
def embedded(trades, tmp_path_factory):
    """The summary of the same day on the chain in the process."""
    return summary_of(start(trades, tmp_path_factory.mktemp("embedded")))


def result(story, engine=None):
    played = play(story, engine)
    try:
        return result_of(played)
    finally:
        played.consortium.close()


def assert_ends_alike(engine, paths):
    for path in paths:
        story = load_story(path)
        assert result(story, engine) == result(story), path.stem


def test_scenario_of_every_other_topic_ends_as_on_the_embedded_chain(anvil):
    one_a_topic = {topic_of(path): path for path in pack_files()}

    assert_ends_alike(ExternalEngine(anvil.url), list(one_a_topic.values())[::2])


@pytest.mark.deep
def test_every_scenario_ends_as_on_the_embedded_chain(anvil):
    assert_ends_alike(ExternalEngine(anvil.url), pack_files())


def test_same_story_can_be_played_again_on_the_same_chain(request, anvil):
    path = request.config.rootpath / "nodes/scenario/pack/netting/net-six-trades.yaml"
    engine = ExternalEngine(anvil.url)

    assert result(load_story(path), engine) == result(load_story(path), engine)


@pytest.mark.deep
def test_tests_of_cycles_and_stories_pass_on_it(request, anvil):
    tests = ["tests/nodes/test_cycles.py", "tests/nodes/scenario/test_pack.py"]
    wanted = "not alike and (test_cycles or netting)"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", wanted, *tests]

    found = subprocess.run(
        command,
        cwd=request.config.rootpath,
        env=os.environ | {URL_NAME: anvil.url},
        capture_output=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout.decode()
    assert b"1 skipped" in found.stdout


def start(trades, state, *options):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "api.cli", "day", "--trades", str(trades)),
            *("--state", str(state), "--json", "--cycle-trades", "250", *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def summary_of(process):
    out, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


@pytest.mark.parametrize(
    "height", [17, *(pytest.param(height, marks=pytest.mark.deep) for height in (3, 12, 21))]
)
def test_day_killed_at_any_block_resumes_and_ends_as_on_the_embedded_chain(
    trades, embedded, tmp_path, height
):
    with Anvil() as anvil:
        process = start(trades, tmp_path, "--engine", anvil.url)
        anvil.wait_for_height(height)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        resumed = summary_of(start(trades, tmp_path, "--engine", anvil.url))

        assert resumed["blocks"] == anvil.height() == embedded["blocks"]
    assert resumed["state_hash"] == embedded["state_hash"]
    assert resumed["breaks"] == resumed["violations"] == []


def test_day_goes_on_when_the_node_was_restarted_under_it(trades, embedded, tmp_path):
    with Anvil(state=tmp_path / "anvil.json") as anvil:
        process = start(trades, tmp_path / "state", "--engine", anvil.url)
        anvil.wait_for_height(15)
        anvil.stop()
        time.sleep(RESTART_SECONDS)
        assert process.poll() is None, "the day did not wait for the node"
        anvil.start()

        summary = summary_of(process)

    assert summary["state_hash"] == embedded["state_hash"]


def test_day_without_its_node_stops_with_words_and_resumes_later(trades, embedded, tmp_path):
    with Anvil(state=tmp_path / "anvil.json") as anvil:
        options = ("--engine", anvil.url, "--patience", "1")
        process = start(trades, tmp_path / "state", *options)
        anvil.wait_for_height(15)
        anvil.stop()
        _, errors = process.communicate()

        assert process.returncode == 1
        assert "does not answer (Connection refused" in " ".join(errors.decode().split())
        assert "Run the same command again" in errors.decode()

        anvil.start()
        assert (
            summary_of(start(trades, tmp_path / "state", *options))["state_hash"]
            == (embedded["state_hash"])
        )


def test_sandbox_settles_on_a_chain_with_a_clock_of_its_own(tmp_path):
    trade = {
        "number": "T1",
        "instrument": "NOVA1",
        "quantity": "100",
        "price": "10.50",
        "seller": "BRK-A",
        "buyer": "BRK-B/client",
    }
    with Anvil("--block-time", "1") as anvil:
        sandbox = open_sandbox(tmp_path, "test", DAY, ExternalEngine(anvil.url))
        with client_of(create_app(sandbox)) as client:
            name = client.post("/v1/trades", json=trade).json()["id"]
            deadline = time.monotonic() + FINAL_SECONDS_MAX
            while (final := client.get(f"/v1/trades/{name}").json()["final_block"]) is None:
                assert time.monotonic() < deadline, sandbox.failure
                time.sleep(0.1)
            assert 0 < final <= anvil.height()
            assert client.get("/readyz").status_code == 200
