"""anvil as the peer of a benchmark: the same contracts and signed bytes, over its JSON-RPC.

It is started for the run, on a free port of this machine, and ended with it. It keeps its state in
memory and acknowledges before anything is on disk; ours is durable. It gets what suits it best:
large batches, and blocks by the second (mining each transaction as it
arrives, it is slower, and stalls on batches).
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Final

import msgspec
import requests

from loadtests.benchmarks.gross_work import (
    Work,
    actual_holdings,
    funded_consortium,
    signed_settlements,
)
from nodes.consortium import Consortium
from nodes.external_engine import ExternalEngine
from nodes.network import CHAIN_ID

NAME: Final = "anvil"
BATCH: Final = 500
READY_SECONDS_MAX: Final = 20.0
RUN_SECONDS_MAX: Final = 600.0
_FETCHED: Final = Path("tests/engines/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
_BLOCK_GAS: Final = 10_000_000_000


class PeerError(Exception):
    """The peer could not be measured; the text says why."""


def find_anvil() -> Path:
    """The binary: fetched by ``make engines``, or on the path. Raises PeerError."""
    if _FETCHED.exists():
        return _FETCHED
    found = shutil.which(NAME)
    if found is None:
        raise PeerError("there is no anvil here: run make engines (needs npm), or install foundry")
    return Path(found)


def rate_of_anvil(transactions: int) -> float:
    """Settlements a second, from the first byte sent to the last one in a block; verified.

    Raises PeerError when anvil is not here, does not finish, or answers wrongly.
    """
    with _running(find_anvil()) as url:
        engine = ExternalEngine(url)
        consortium = funded_consortium(None, engine=engine)
        try:
            work = signed_settlements(consortium, transactions)
            bodies = [
                msgspec.json.encode([_request(raw) for raw in work.raws[i : i + BATCH]])
                for i in range(0, transactions, BATCH)
            ]
            began = perf_counter()
            for body in bodies:
                _send(url, body)
            _wait_until_mined(consortium, work, began)
            seconds = perf_counter() - began
            if actual_holdings(consortium) != work.expected:
                raise PeerError("anvil's holdings are not those of an independent sum")
        finally:
            consortium.close()
    return transactions / seconds


@contextmanager
def _running(binary: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        *(str(binary), "--quiet", "--host", "127.0.0.1", "--port", str(port)),
        *("--chain-id", str(CHAIN_ID), "--hardfork", "cancun", "--no-create2"),
        *("--accounts", "0", "--base-fee", "0", "--gas-price", "0"),
        *("--gas-limit", str(_BLOCK_GAS), "--block-time", "1"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 # our own command
    try:
        _wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(url: str) -> None:
    began = perf_counter()
    while perf_counter() - began < READY_SECONDS_MAX:
        try:
            body = msgspec.json.encode(_call("eth_chainId"))
            requests.post(url, data=body, timeout=READY_SECONDS_MAX)
        except requests.ConnectionError:
            sleep(0.05)
        else:
            return
    raise PeerError("anvil does not answer")


def _send(url: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answers = requests.post(url, data=body, headers=headers, timeout=RUN_SECONDS_MAX).json()
    for answer in answers:
        if "error" in answer:
            raise PeerError(f"anvil refused a transaction: {answer['error']}")


def _wait_until_mined(consortium: Consortium, work: Work, began: float) -> None:
    """Until every sender's last transaction is in a block."""
    eth = consortium.engine.w3.eth
    while any(eth.get_transaction_count(a) < n for a, n in work.nonces.items()):  # type: ignore[arg-type] # 20 bytes
        if perf_counter() - began > RUN_SECONDS_MAX:
            raise PeerError("anvil did not finish in time")
        sleep(0.01)


def _request(raw: bytes) -> dict[str, object]:
    return _call("eth_sendRawTransaction", "0x" + raw.hex())


def _call(method: str, *params: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
