"""The pytest plugin: fixtures, marker and options. docs/testing.md shows how to use them.

It is imported in every run of pytest where Novate is installed, so it imports nothing that takes
time: the process that serves networks is started when a test asks for the first one.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from api.testing.network import Client, Clock, Events, Faults, Network
    from api.testing.starting import Networks

LOG_LINES_SHOWN: Final = 40
MARKER: Final = "novate"
_URL: Final = "novate_url"
_KEY: Final = "NOVATE_API_KEY"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where networks come from."""
    group = parser.getgroup("novate", "settlement networks")
    group.addoption(
        "--novate-url",
        dest=_URL,
        help="Run against this sandbox (novate up), as it is: no network a test. The operator's"
        f" key is taken from the variable {_KEY}.",
    )
    group.addoption(
        "--novate-reset",
        action="store_true",
        help="With --novate-url: begin the sandbox anew before each test; all in it is lost.",
    )
    group.addoption(
        "--novate-python",
        help="The interpreter of the environment that Novate is installed in, if it is another.",
    )
    parser.addini("novate_python", "The same, for every run.")
    parser.addini(
        "novate_rules", "NAME=VALUE, one a line: rules of every network.", type="linelist"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker."""
    words = (
        "novate(rules=(...), cycle_seconds=...): the network of this test is founded under these"
        " rules (novate rules), such as partial=on"
    )
    config.addinivalue_line("markers", words)


@pytest.fixture(scope="session")
def novate_session(request: pytest.FixtureRequest) -> Iterator["Networks"]:
    """Starts networks: ``with novate_session.network() as network`` gives one for the block."""
    from api.testing.starting import Networks  # noqa: PLC0415 # see above

    config = request.config
    python = config.getoption("novate_python") or config.getini("novate_python")
    networks = Networks(python) if python else Networks()
    yield networks
    networks.close()


@pytest.fixture
def novate(request: pytest.FixtureRequest) -> Iterator["Network"]:
    """A settlement network of this test alone, as it was founded."""
    terms = _terms(request)
    if request.config.getoption(_URL):
        yield _live(request, terms)
        return
    networks: Networks = request.getfixturevalue("novate_session")
    with networks.network(**terms) as network:
        request.node.stash[_LOG] = network.log
        request.node.user_properties.append(("novate_setup_ms", _ms(network.setup_seconds)))
        yield network


@pytest.fixture
def novate_client(novate: "Network") -> "Client":
    """The REST interface of this test's network, as its operator."""
    return novate.client


@pytest.fixture
def novate_clock(novate: "Network") -> "Clock":
    """Its business clock."""
    return novate.clock


@pytest.fixture
def novate_faults(novate: "Network") -> "Faults":
    """What goes wrong in it on purpose."""
    return novate.faults


@pytest.fixture
def novate_events(novate: "Network") -> "Events":
    """What has happened in it."""
    return novate.events


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Shows what the network has said, when a test of it fails."""
    report = yield
    log = item.stash.get(_LOG, None)
    if report.failed and log is not None and log.exists():
        said = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        if said:
            report.sections.append(("the network's log", "\n".join(said)))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:  # noqa: ANN401 # pytest exports no type of it
    """Says how long networks took to set up."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.getreports(kind)]
    taken = sorted(
        value
        for report in reports
        for name, value in report.user_properties
        if name == "novate_setup_ms"
    )
    if taken:
        middle, slowest = taken[len(taken) // 2], taken[-1]
        terminalreporter.write_line(
            f"novate: {len(taken)} networks, set up in {middle} ms (median), {slowest} ms at most"
        )


_LOG: Final = pytest.StashKey[Path]()


def _terms(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the network of a test is founded with: the ini file's rules, and the marker's."""
    marker = request.node.get_closest_marker(MARKER)
    given = dict(marker.kwargs) if marker else {}
    unknown = set(given) - {"rules", "cycle_seconds"}
    if unknown or (marker and marker.args):
        found = ", ".join(sorted(unknown)) or repr(marker.args if marker else ())
        raise pytest.UsageError(f"the marker novate takes rules= and cycle_seconds=, not {found}")
    rules = (*request.config.getini("novate_rules"), *given.pop("rules", ()))
    return ({"rules": rules} if rules else {}) | given


def _live(request: pytest.FixtureRequest, terms: dict[str, Any]) -> "Network":
    """The network of a sandbox that runs already."""
    from api.testing.network import Network  # noqa: PLC0415 # see above

    if terms:
        pytest.skip("a running sandbox has its own rules and cycles")
    key = os.environ.get(_KEY)
    if not key:
        raise pytest.UsageError(f"--novate-url needs the operator's key in the variable {_KEY}")
    url: str = request.config.getoption(_URL)
    network = Network(url, key)
    if request.config.getoption("novate_reset"):
        network.client.post("/v1/sandbox/reset")
        network = Network(url, key)
    return network


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
