"""The pytest plugin as somebody else's project uses it, and what it promises: isolation."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from time import monotonic, sleep

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.testing.network import RefusedError
from api.testing.starting import Networks, StartError

ROOT = Path(__file__).parents[2]
# Of this project's environment; somebody else's need not have them, and they take seconds.
NOT_OURS = ("schemathesis", "hypothesispytest", "locust", "anyio")
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}
UNPAID = {
    "kind": "dvp",
    "label": "DVP-1",
    "seller": "BRK-A",
    "buyer": "BRK-B",
    "instrument": "NOVA1",
    "quantity": "100",
    "amount": "1000000500.00",
}


@pytest.fixture(scope="module")
def networks():
    networks = Networks()
    yield networks
    networks.close()


@pytest.fixture
def network(networks):
    with networks.network() as network:
        yield network


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Runs pytest in a folder of a project that has nothing to do with this one."""
    # Declared as an installation declares it, whether or not this one has been made again since.
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    paths = tmp_path_factory.mktemp("paths")
    metadata = paths / "novate_plugin-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: novate-plugin\nVersion: 0\n")
    lines = [f"{name} = {place}" for name, place in declared["pytest11"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))

    def run(folder, *words, **variables):
        environment = {name: os.environ[name] for name in os.environ if "PYTEST" not in name}
        without = [word for name in NOT_OURS for word in ("-p", f"no:{name}")]
        environment["PYTHONPATH"] = f"{paths}{os.pathsep}{ROOT}"
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *without, *words],
            check=False,
            cwd=folder,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.deep)])
def test_example_passes_in_a_project_of_its_own(outside, tmp_path, workers):
    folder = tmp_path / "project"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0

    ran = outside(folder, "-n", workers)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout
    said = re.search(r"novate: 7 networks, set up in \d+ ms \(median\), \d+ ms at most", ran.stdout)
    assert said
    print(said[0])


def test_networks_do_not_see_each_other(networks):
    with networks.network() as one, networks.network() as other:
        one.assert_settled(one.client.post("/v1/trades", TRADE))
        one.clock.end_of_day()

        assert not other.client.get("/v1/trades")["data"]
        assert other.clock.set(frozen=True)["last_day_ended"] < one.clock.now[:10]
        assert not any(event["type"].startswith("org.novate.trade") for event in other.events.all())


def test_next_network_begins_as_the_market_was_founded(networks):
    states = []
    for _ in range(3):
        with networks.network() as network:
            states.append(network.client.get("/v1/sandbox")["state_hash"])
            network.assert_settled(network.client.post("/v1/trades", TRADE))
            assert network.client.get("/v1/sandbox")["state_hash"] != states[0]

    assert len(set(states)) == 1


def test_network_has_the_whole_product(network):
    trade = network.assert_settled(network.client.post("/v1/trades", TRADE))

    assert network.client.get(f"/v1/trades/{trade['id']}/proof")["path"] is not None
    network.client.post("/v1/sandbox/reset")
    assert not network.client.get("/v1/trades")["data"]
    network.assert_settled(network.client.post("/v1/trades", TRADE))
    network.assert_no_breaks()


def test_node_that_was_killed_comes_back_with_what_its_disk_has(network):
    network.assert_settled(network.client.post("/v1/trades", TRADE))
    network.faults.inject("kill", "BRK-A")
    assert network.faults.standing()
    with pytest.raises(pytest.fail.Exception, match="BRK-A: its node does not answer"):
        network.assert_no_breaks(seconds=0)

    network.faults.inject("restart", "BRK-A")

    network.assert_settled(network.client.post("/v1/trades", TRADE | {"number": "T2"}))
    network.assert_no_breaks()


def test_what_was_brought_in_is_counted(network):
    fund = {"kind": "cash", "direction": "in", "account": "BRK-A", "amount": "5.00"}
    network.client.post("/v1/sandbox/fund", fund | {"reference": "F1"})

    network.assert_conserved(brought_in={"CNY": 500})
    with pytest.raises(pytest.fail.Exception, match="not conserved"):
        network.assert_conserved()


def test_what_does_not_hold_is_said_with_its_reason(network):
    network.client.post("/v1/instructions", UNPAID)

    with pytest.raises(pytest.fail.Exception, match="DVP-1 is queued, not settled: MONY: "):
        network.assert_settled("DVP-1", seconds=0)
    with pytest.raises(
        pytest.fail.Exception, match=r"(?s)no event cycle.settled .*sandbox.started"
    ):
        network.events.wait_for("cycle.settled", seconds=0)
    with pytest.raises(pytest.fail.Exception, match="but it was taken"), network.refuses("NO"):
        network.client.get("/v1/trades")
    with pytest.raises(RefusedError, match="404 UNKNOWN"):
        network.client.get("/v1/cycles/9")


def test_rules_that_do_not_exist_are_refused_with_words(networks):
    with pytest.raises(StartError, match="no-such-rule"), networks.network(["no-such-rule=on"]):
        pass


def test_network_is_gone_with_its_block(networks):
    with networks.network() as network:
        folder = network.log.parent
        assert folder.exists()

    deadline = monotonic() + 10
    while folder.exists():
        assert monotonic() < deadline
        sleep(0.01)
    with pytest.raises(ConnectionError):
        network.client.get("/readyz")


def test_nothing_stays_of_a_run_that_is_killed(outside, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import os, pathlib\n"
        "def test_dies(novate):\n"
        "    pathlib.Path('log').write_text(str(novate.log))\n"
        "    os.kill(os.getpid(), 9)\n"
    )

    ran = outside(tmp_path)

    assert ran.returncode == -9, ran.stdout + ran.stderr
    session = Path((tmp_path / "log").read_text()).parents[2]
    assert session.name.startswith("novate-tests-")
    deadline = monotonic() + 10
    while session.exists():
        # The last of its processes takes it along.
        assert monotonic() < deadline
        sleep(0.01)


def test_tests_run_against_a_running_sandbox_as_well(outside, tmp_path, network):
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_settles(novate):\n"
        f"    novate.assert_settled(novate.client.post('/v1/trades', {TRADE!r}))\n"
        "@pytest.mark.novate(rules=['partial=on'])\n"
        "def test_with_rules_of_its_own(novate): pass\n"
        "def test_fails(novate): assert not novate.client.get('/v1/trades')['data']\n"
    )
    at = ["--novate-url", network.url]

    ran = outside(tmp_path, *at, NOVATE_API_KEY=network.client.key)

    assert "1 failed, 1 passed, 1 skipped" in ran.stdout, ran.stdout + ran.stderr
    ran = outside(tmp_path, *at, "--novate-reset", NOVATE_API_KEY=network.client.key)
    assert "2 passed, 1 skipped" in ran.stdout, ran.stdout + ran.stderr
    assert "needs the operator's key" in outside(tmp_path, *at, NOVATE_API_KEY="").stdout


@pytest.mark.parametrize("page", ["testing.md", "testing.zh.md"])
def test_page_names_only_what_there_is(page, network, pytestconfig):
    text = (ROOT / "docs" / page).read_text()

    for words in re.findall(r"`novate\.([a-z_.]+)", text):
        assert network if words == "ini" else _reached(network, words) is not None, words
    for attribute, row in re.findall(r"`novate\.(clock|faults|events)` \|([^\n]+)", text):
        for name in re.findall(r"`([a-z_]+)[(`]", row):
            assert hasattr(type(getattr(network, attribute)), name), name


def _reached(network, words):
    for name in words.split("."):
        network = getattr(network, name)
    return network


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "orders.py").write_text("mine")

    done = CliRunner().invoke(app, ["init", str(tmp_path)])

    assert done.exit_code == 2
    assert "orders.py is there already" in " ".join(done.output.split())
    assert [path.name for path in tmp_path.iterdir()] == ["orders.py"]
