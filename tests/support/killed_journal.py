"""A sandbox that is killed while it writes its journal."""

import os
import signal
import time

from sqlalchemy import event

from api.app import create_app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

ROUNDS = 4
BATCH_TRADES = 30
SETTLE_SECONDS_MAX = 20
TRADE = {
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B/client",
}
PAY = {"kind": "pay", "payer": "BRK-A", "payee": "BRK-B", "amount": "1.00"}


def open_one(folder):
    """The sandbox in a folder; cycles are struck by hand."""
    return open_sandbox(folder, "test", DAY, options=SandboxOptions(cycle_seconds=0))


def live_through(folder, whose="", moment="", times=0):
    """Does everything that has not been done; gives the events and what the books say.

    ``whose`` commits are counted, "journal" or "house"; it is killed "before" or "after" the so
    many-th of them.
    """
    sandbox = open_one(folder)
    engines = {
        "journal": sandbox.interface.database._engine,
        "house": sandbox.consortium.clearing_house.database._engine,
    }
    left = times

    def count_down(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment == "before":
        event.listen(engines[whose], "commit", count_down)
    if moment == "after":
        event.listen(engines[whose], "checkin", count_down)
    with client_of(create_app(sandbox)) as client:
        for number in range(ROUNDS):
            _live_a_round(client, number)
        with sandbox.lock:
            sandbox.journal.follow(is_thorough=True)
            cycles = [
                (row.number, row.state) for row in sandbox.consortium.clearing_house.cycles.all()
            ]
            captured = sandbox.consortium.exchange.captured.end_position
            height = sandbox.consortium.clearing_house.projection.height
        events, cursor = [], None
        while True:
            page = client.get(
                "/v1/events", params={"limit": 500} | ({"cursor": cursor} if cursor else {})
            ).json()
            events += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return events, captured, cycles, height


def _live_a_round(client, number):
    batch = [TRADE | {"number": f"B{number}N{row}"} for row in range(BATCH_TRADES)]
    assert client.post("/v1/trades:batch", json=batch).status_code in (200, 201)
    assert client.post("/v1/trades", json=TRADE | {"number": f"S{number}"}).status_code in (
        200,
        201,
    )
    label = f"I{number}"
    client.post("/v1/instructions", json=PAY | {"label": label, "hold": True})
    for side in ("BRK-A", "BRK-B"):
        client.post(f"/v1/instructions/{label}/release", json={"by": side})
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while client.get(f"/v1/instructions/{label}").json()["state"] != "settled":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    client.post("/v1/cycles", json={})
