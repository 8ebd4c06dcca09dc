"""A sandbox whose files may not grow, in a process of its own.

Files of this process are bounded as by a full disk, then unbounded again. What it prints is
compared by tests/nodes/sandbox/test_full_disk.py.
"""

import json
import resource
import time
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from nodes.sandbox.sandbox import open_sandbox
from tests.support.batches import json_rows
from tests.support.clients import client_of
from tests.support.consortia import DAY

ROWS = 2_000
SECONDS_MAX = 20


def fill_and_free(folder: Path) -> None:
    """Says what capture answered before, during and after the shortage."""
    sandbox = open_sandbox(folder, "test", DAY)
    exchange = sandbox.consortium.exchange
    with client_of(create_app(sandbox)) as client:

        def post(first: int) -> int:
            return client.post("/v1/trades:batch", json=json_rows(first, ROWS)).status_code

        def single(number: int) -> int:
            return client.post("/v1/trades", json=json_rows(number, 1)[0]).status_code

        def say(**words: object) -> None:
            print(json.dumps(words), flush=True)

        say(step="before", batch=post(1), end=exchange.captured.end_position)
        _wait_until_settled(client, ROWS)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, most))
        answers = [post(10_001), single(90_001), single(90_002)]
        say(step="full", answers=answers, end=exchange.captured.end_position)
        time.sleep(1)
        say(step="waiting", ready=client.get("/readyz").status_code)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        again = post(10_001), post(10_001), single(90_001)
        say(step="after", answers=again, end=exchange.captured.end_position)
        _wait_until_settled(client, 2 * ROWS + 1)
        agrees = client.get("/v1/reconciliation").json()["agrees"]
        say(step="settled", agrees=agrees, refusals=len(exchange.refusals()))


def _wait_until_settled(client: TestClient, count: int) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        trades = client.get(f"/v1/trades?cursor={count - 1}").json()["data"]
        if trades and trades[0]["state"] == "settled":
            return
        time.sleep(0.1)
    raise SystemExit(f"trade {count} did not settle")
