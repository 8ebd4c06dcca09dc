"""``novate up`` in a process of its own, for tests of what happens to whole processes."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from http.client import RemoteDisconnected
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from nodes.api_keys import OPERATOR
from tests.support.anvil import free_port
from tests.support.clients import SEED, key_header

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
            assert self.process.poll() is None, "it has ended"
            assert monotonic() < deadline, "it did not come up"
            sleep(0.05)

    def stop(self, number=signal.SIGTERM):
        """Signals it, and waits; the status it ends with, and everything it has said."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said


def _json(content):
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()


@contextmanager
def up(folder, *options):
    """``novate up`` in a folder, until the end of the block at the latest."""
    port = free_port()
    command = [sys.executable, "-m", "api.cli", "up", "--folder", str(folder)]
    command += ["--port", str(port), "--seed", SEED, *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        running = Up(port, process)
        running.wait_until_ready()
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
