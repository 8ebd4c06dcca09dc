"""``novate up --processes``, run for tests, and its REST interface."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from nodes.processes.control import ProcessControl
from tests.support.anvil import free_port
from tests.support.clients import SEED, key_header

START_SECONDS_MAX = 180


def new_trade(number, seller, buyer):
    """A trade as REST takes it."""
    return {
        "number": number,
        "instrument": "NOVA1",
        "seller": seller,
        "buyer": buyer,
        "quantity": "10",
        "price": "12.50",
    }


class Running:
    """A sandbox of processes."""

    def __init__(self, folder, port, process):
        self.folder, self.port, self.process = folder, port, process
        self.url = f"http://127.0.0.1:{port}"
        self.control = ProcessControl(folder)

    def ask(self, method, path, body=None, seconds=60):
        """Status and JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **key_header()}
        request = Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=seconds) as answer:
                content = answer.read()
                return answer.status, json.loads(content) if content else None
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def trade(self, number, seller, buyer):
        """Submits a trade; the status of the answer."""
        return self.ask("POST", "/v1/trades", new_trade(number, seller, buyer))[0]

    def strike(self):
        """Strikes a cycle; its state, or nothing when no trade waits."""
        status, cycle = self.ask("POST", "/v1/cycles", {})
        assert status in (201, 204), cycle
        return cycle["state"] if cycle else None

    def pids(self):
        return {id: place.pid for id, place in self.control.states().items() if place.pid}

    def wait_until(self, is_so, seconds=60):
        """Waits until something is so; says how long that took."""
        began = monotonic()
        while monotonic() - began < seconds:
            try:
                if is_so():
                    return monotonic() - began
            except (URLError, OSError):
                pass
            sleep(0.1)
        raise AssertionError(f"not so after {seconds} s")

    def agrees(self):
        """Whether all nodes are there, have reconciled to one block, and have no break."""
        status, found = self.ask("GET", "/v1/reconciliation")
        return status == 200 and found["agrees"] and self._blocks(found) == 1

    @staticmethod
    def _blocks(found):
        return len({node["reconciled_block"] for node in found["nodes"]})


@contextmanager
def processes(folder, *options):
    """``novate up --processes`` in a folder, until the end of the block."""
    port = free_port()
    command = [sys.executable, "-m", "api.cli", "up", "--processes", "--state", str(folder)]
    command += ["--port", str(port), "--seed", SEED, "--cycle-seconds", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "REGISTRAR" in line:
                break
        assert process.poll() is None, "it has ended"
        yield Running(folder, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
