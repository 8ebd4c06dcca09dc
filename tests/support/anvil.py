"""A real anvil for tests, as a process of its own; where there is none, tests say so and skip."""

import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from nodes.network import CHAIN_ID

BINARY = Path(__file__).parents[1] / "engines/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
needs_anvil = pytest.mark.skipif(
    not BINARY.exists(), reason="anvil is not installed: run make engines (needs npm)"
)
BLOCK_GAS = 10_000_000_000
READY_SECONDS_MAX = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Anvil:
    """One anvil on a port of its own: no accounts, no fees, Cancun like the contracts."""

    def __init__(self, *options, chain_id=CHAIN_ID, gas=BLOCK_GAS, state=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [
            *(str(BINARY), "--quiet", "--port", str(self.port), "--chain-id", str(chain_id)),
            *("--accounts", "0", "--base-fee", "0", "--gas-price", "0", "--gas-limit", str(gas)),
            *("--hardfork", "cancun", "--no-create2", *options),
            *(("--state", str(state)) if state else ()),
        ]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.w3 = Web3(HTTPProvider(self.url, exception_retry_configuration=None))
        self.w3.provider.global_ccip_read_enabled = False
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.w3.is_connected():
            assert self.process.poll() is None, "anvil ended at once"
            assert time.monotonic() < deadline, "anvil does not answer"
            time.sleep(0.05)

    def stop(self):
        """As an operator stops it: it writes its state, if it was told to keep one."""
        self.process.terminate()
        self.process.wait()

    def ask(self, method, *params):
        answer = self.w3.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]

    def height(self):
        return int(self.ask("eth_blockNumber"), 16)

    def wait_for_height(self, height, seconds=60):
        deadline = time.monotonic() + seconds
        while self.height() < height:
            assert time.monotonic() < deadline, f"still at block {self.height()}"
            time.sleep(0.01)

    @contextmanager
    def ticking(self, seconds=0.02):
        """Makes blocks all the time, as nodes of a consortium do, only faster."""
        stop = threading.Event()

        def tick():
            while not stop.wait(seconds):
                self.ask("evm_mine")

        thread = threading.Thread(target=tick)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
