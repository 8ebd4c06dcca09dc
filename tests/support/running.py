"""``novate up`` in a process of its own, for tests of what happens to whole processes."""

import json
import os
import signal
from contextlib import contextmanager
from http.client import RemoteDisconnected
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import api.cli.up  # noqa: F401 # what it imports is then there when a process is forked
from api.cli.main import app
from nodes.api_keys import OPERATOR
from tests.support.anvil import free_port
from tests.support.clients import SEED, key_header
from tests.support.forked import forked

START_SECONDS_MAX = 60


class Up:
    """A process that serves a sandbox."""

    def __init__(self, port, process):
        self.port, self.process = port, process
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method, path, body=None, name=OPERATOR.name, headers=None):
        """Status, headers and JSON of an answer; no status when nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", **key_header(name), **(headers or {})}
        request = Request(f"{self.url}{path}", data, given, method=method)
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, _json(answer.read())
        except HTTPError as error:
            with error:
                return error.code, error.headers, _json(error.read())
        except (URLError, ConnectionError, RemoteDisconnected, TimeoutError):
            return None, {}, None

    def wait_until_ready(self):
        deadline = monotonic() + START_SECONDS_MAX
        while self.ask("GET", "/readyz")[0] != 200:
            assert monotonic() < deadline, "it did not come up"
            sleep(0.05)

    def stop(self, number=signal.SIGTERM):
        """Signals it, and waits; the status it ends with, and everything it has said."""
        self.signal(number)
        status = self.process.wait()
        return status, self.process.stdout.read()

    def signal(self, number):
        """Signals it."""
        os.kill(self.process.pid, number)


def _json(content):
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()


@contextmanager
def up(folder, *options):
    """``novate up`` in a folder, until the end of the block at the latest."""
    port = free_port()
    words = ["up", "--folder", str(folder), "--port", str(port), "--seed", SEED, *options]
    with forked(run_command, words) as process:
        running = Up(port, process)
        running.wait_until_ready()
        yield running


def run_command(words):
    """Runs a command of novate; what it says on standard error goes where all else goes."""
    os.dup2(1, 2)
    app(words)
