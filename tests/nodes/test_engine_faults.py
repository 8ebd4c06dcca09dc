"""Engines that cannot be used: what is said, with which status, and that nothing was changed."""

import json
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.clock import WallClock
from nodes.endpoint import Endpoint
from nodes.engine import EngineError
from nodes.external_engine import ExternalEngine
from nodes.scenario.loader import load_story
from nodes.scenario.result import result_of
from nodes.scenario.runner import play
from tests.support.anvil import Anvil, free_port, needs_anvil

runner = CliRunner()
JSON_HEADERS = {"Content-Type": "application/json"}


def run(*words):
    found = runner.invoke(app, [str(word) for word in words])
    return found.exit_code, " ".join(found.output.split())


@pytest.fixture(scope="module")
def trades(tmp_path_factory):
    path = tmp_path_factory.mktemp("trades") / "t.csv"
    assert run("make-day", path, "--trades", 50, "--participants", 4, "--instruments", 5)[0] == 0
    return path


@pytest.fixture
def day(trades, tmp_path):
    """Runs a small day in one state folder, with more options."""

    def run_day(*options):
        return run("day", "--trades", trades, "--state", tmp_path / "state", *options)

    run_day.state = tmp_path / "state"
    return run_day


@contextmanager
def serving(answers):
    """An HTTP server that gives each request the next answer: status and body; the last for ever.

    A body that is a function is given the request.
    """
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answers[min(len(seen), len(answers) - 1)]
            seen.append(request)
            try:
                body = body(request) if callable(body) else body
            except ConnectionError:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def result(value):
    return lambda request: json.dumps(
        {"jsonrpc": "2.0", "id": request["id"], "result": value}
    ).encode()


def test_node_that_is_down_ends_with_status_2_and_keeps_nothing(day):
    status, words = day("--engine", f"http://127.0.0.1:{free_port()}", "--patience", "0.1")

    assert status == 2
    assert "does not answer (Connection refused" in words
    assert "start the node, or name another with --engine" in words
    assert not day.state.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--engine", "nonsense"], "expected revm or the http(s) URL"),
        (["--engine", "http://"], "is not an HTTP address"),
        (["--engine", "http://127.0.0.1:1", "--finality", "soon"], "expected a number of blocks"),
        (["--finality", "-1"], "expected a number of blocks or finalized"),
    ],
)
def test_option_that_names_no_engine_ends_with_status_2(day, options, words):
    status, output = day(*options)

    assert status == 2
    assert words in output


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b"<html>welcome</html>"), "does not speak JSON-RPC"),
        ((200, b"[]"), "does not speak JSON-RPC"),
        ((404, b"not here"), "answers with HTTP status 404"),
        ((401, b"who are you"), "answers with HTTP status 401"),
    ],
)
def test_server_that_is_no_node_is_told_apart(day, answer, words):
    with serving([answer]) as (url, _):
        status, output = day("--engine", url)

    assert status == 2
    assert words in output


def test_request_is_made_again_until_it_is_answered():
    with serving([(503, b""), (429, b""), (200, result("0x7"))]) as (url, seen):
        answer = Endpoint(url, WallClock(), 10).make_request("eth_blockNumber", [])

    assert answer["result"] == "0x7"
    assert len(seen) == 3


def test_patience_with_a_node_ends():
    outage = pytest.raises(EngineError, match=r"does not answer .*waited")
    with serving([(503, b"")]) as (url, seen), outage:
        Endpoint(url, WallClock(), 0.3).make_request("eth_blockNumber", [])

    assert 2 <= len(seen) <= 6


def block(request):
    one = {
        "number": "0x0",
        "hash": "0x" + "11" * 32,
        "gasLimit": "0xffffffffff",
        "timestamp": "0x1",
    }
    results = {"eth_getBlockByNumber": one, "eth_chainId": "0x1", "eth_blockNumber": "0x0"}
    if isinstance(request, list):
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}}
        return json.dumps(error).encode()
    return result(results[request["method"]])(request)


def test_node_that_takes_no_batches_is_asked_one_by_one():
    with serving([(200, block)]) as (url, seen):
        engine = ExternalEngine(url)
        engine.requests([("eth_chainId", []), ("eth_blockNumber", [])])

    assert isinstance(seen[0], list)
    assert not any(isinstance(request, list) for request in seen[1:])


def test_password_in_a_url_is_not_printed(day):
    url = f"http://operator:hunter2@127.0.0.1:{free_port()}"

    status, words = day("--engine", url, "--patience", "0.1")

    assert status == 2
    assert "http://***@127.0.0.1" in words
    assert "hunter2" not in words


@contextmanager
def bad_line_to(anvil, seed):
    """A line to a node that loses requests, and (worse) answers to what was done."""
    chance = random.Random(seed)
    lost = {"request": 0, "answer": 0}

    def pass_on(request):
        fate = chance.random()
        if fate < 0.1:
            lost["request"] += 1
            raise ConnectionError
        answer = urlopen(Request(anvil.url, json.dumps(request).encode(), JSON_HEADERS)).read()
        if fate < 0.2:
            lost["answer"] += 1
            raise ConnectionError
        return answer

    with serving([(200, pass_on)]) as (url, _):
        yield url, lost


@needs_anvil
class TestOnAnvil:
    """What only a real chain can get wrong."""

    def test_other_chain_id_is_refused(self, day):
        with Anvil(chain_id=31_337) as anvil:
            status, words = day("--engine", anvil.url)

        assert status == 2
        assert "is chain 31337, this network is for chain 668283" in words
        assert not (day.state / "meta.json").exists()

    def test_blocks_that_are_too_small_are_refused(self, day, request):
        path = request.config.rootpath / "nodes/scenario/pack/netting/net-six-trades.yaml"
        with Anvil(gas=30_000_000) as anvil:
            for status, words in (
                day("--engine", anvil.url),
                run("scenario", "run", path, "--engine", anvil.url),
            ):
                assert status == 2
                assert "have room for 30,000,000 gas" in words
                assert "raise the block gas limit of the chain" in words

    def test_seed_that_was_used_on_the_chain_is_refused_and_the_folder_stays_new(
        self, day, trades, tmp_path
    ):
        with Anvil() as anvil:
            assert day("--engine", anvil.url)[0] == 0
            other = ("day", "--trades", trades, "--state", tmp_path / "other")
            status, words = run(*other, "--engine", anvil.url)

            assert status == 2
            assert "was founded on this chain before" in words
            assert run(*other, "--engine", anvil.url, "--seed", "another")[0] == 0

    def test_folder_is_opened_with_its_own_engine_only(self, day, trades, tmp_path):
        with Anvil() as anvil:
            assert day("--engine", anvil.url)[0] == 0
            assert day("--engine", anvil.url)[0] == 0
            status, words = day()
            assert (status, "give the URL of one of its nodes" in words) == (2, True)

            embedded = ("day", "--trades", trades, "--state", tmp_path / "embedded")
            assert run(*embedded)[0] == 0
            status, words = run(*embedded, "--engine", anvil.url)
            assert (status, "holds a chain of its own" in words) == (2, True)

    def test_chain_that_was_wiped_is_noticed_before_anything_is_sent(self, day):
        with Anvil("--timestamp", "1700000000") as anvil:
            assert day("--engine", anvil.url)[0] == 0
            anvil.stop()
            anvil.start()
            status, words = day("--engine", anvil.url)

            assert status == 2
            assert "there is none at 0x" in words
            assert "was wiped or has lost blocks" in words
            assert anvil.height() == 0

    def test_other_chain_with_the_same_id_is_refused(self, day):
        with Anvil("--timestamp", "1700000000") as anvil:
            assert day("--engine", anvil.url)[0] == 0
        with Anvil("--timestamp", "1700000001") as anvil:
            status, words = day("--engine", anvil.url)

        assert status == 2
        assert "it is another chain, or was wiped" in words

    def test_node_that_lost_its_last_blocks_is_noticed(self, day):
        with Anvil() as anvil:
            assert day("--engine", anvil.url)[0] == 0
            height = anvil.height()
            anvil.ask("anvil_rollback", 1)
            status, words = day("--engine", anvil.url)

            assert status == 2
            assert f"the chain has no block {height}, which is in the books" in words
            assert anvil.height() == height - 1

    def test_folder_says_which_chain_it_is_on_and_not_where(self, day):
        with Anvil() as anvil:
            assert day("--engine", anvil.url)[0] == 0
            genesis = anvil.ask("eth_getBlockByNumber", "0x0", False)["hash"]
            meta = (day.state / "meta.json").read_text()

        engine = json.loads(meta)["engine"]
        assert (engine["chain_id"], engine["genesis"]) == (668_283, genesis)
        assert len(engine["contracts"]) == 5
        assert "127.0.0.1" not in meta

    @pytest.mark.parametrize("seed", range(3))
    def test_story_through_a_line_that_loses_answers_ends_the_same(self, request, seed):
        path = request.config.rootpath / "nodes/scenario/pack/netting/net-six-trades.yaml"
        story = load_story(path)
        with Anvil() as anvil, bad_line_to(anvil, seed) as (url, lost):
            there = result_of(play(story, ExternalEngine(url, patience_seconds=20)))

        assert min(lost.values()) > 5
        assert there == result_of(play(story))

    def test_scenarios_run_on_it_from_the_command_line(self, request):
        pack = request.config.rootpath / "nodes/scenario/pack"
        with Anvil() as anvil:
            status, words = run(
                *("scenario", "run", pack / "netting/net-six-trades.yaml"),
                *(pack / "dvp/dvp-model-1.yaml", "--engine", anvil.url),
            )

        assert status == 0
        assert words.count("passed") == 2
