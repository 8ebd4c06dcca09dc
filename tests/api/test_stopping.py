"""A process ends in order: nothing that was acknowledged is lost, and it says what it waits for."""

import signal
from collections import Counter
from threading import Barrier, Thread
from time import monotonic

from api.app import create_app
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY
from tests.support.processes import new_trade
from tests.support.running import up

SENDERS = 4
SENT_BEFORE = 8
"""By each sender, before the signal."""


def captured_in(folder):
    """The numbers of the trades in a folder, and whether its books agree, once it is opened."""
    numbers, cursor = set(), ""
    with client_of(create_app(open_sandbox(folder, "test", DAY))) as client:
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = client.get(f"/v1/trades?limit=500{more}").json()
            numbers |= {each["number"] for each in page["data"]}
            cursor = page["next_cursor"]
        assert client.get("/v1/reconciliation").json()["agrees"]
    return numbers


def test_what_was_acknowledged_before_a_signal_is_there_after_it(tmp_path):
    acknowledged, others, ready = set(), Counter(), Barrier(SENDERS + 1)

    def send(running, sender):
        for number in range(10_000):
            name = f"S{sender}N{number}"
            if number == SENT_BEFORE:
                ready.wait()
            status, headers, _ = running.ask(
                "POST", "/v1/trades", new_trade(name, "BRK-A", "BRK-B")
            )
            if status == 201:
                acknowledged.add(name)
                continue
            others[status, headers.get("Retry-After")] += 1
            if status is None:
                return

    with up(tmp_path / "state", "--cycle-seconds", "0.1") as running:
        threads = [Thread(target=send, args=(running, each)) for each in range(SENDERS)]
        for each in threads:
            each.start()
        ready.wait()
        status, said = running.stop()
        for each in threads:
            each.join()

    assert status == 0, said
    assert "Stopping: the market closes." in said
    assert len(acknowledged) >= SENDERS * SENT_BEFORE
    assert set(others) <= {(None, None), (503, "5"), (503, None)}, others
    assert acknowledged <= captured_in(tmp_path / "state")


def test_new_writes_are_sent_away_while_one_is_finished_and_a_second_signal_ends_at_once(tmp_path):
    waiting = "/v1/trades?wait=final&timeout=30"
    with up(tmp_path / "state", "--cycle-seconds", "0") as running:
        body = new_trade("HELD", "BRK-A", "BRK-B")
        held = Thread(target=running.ask, args=("POST", waiting, body))
        held.start()
        while not running.ask("GET", "/v1/trades")[2]["data"]:
            pass
        running.signal(signal.SIGTERM)
        while running.ask("GET", "/readyz")[0] == 200:
            pass
        turned_away = running.ask("POST", "/v1/trades", new_trade("LATE", "BRK-A", "BRK-B"))
        ready, read = running.ask("GET", "/readyz"), running.ask("GET", "/v1/trades")
        began = monotonic()
        status, said = running.stop()
        took = monotonic() - began
        held.join()

    assert (turned_away[0], turned_away[1]["Retry-After"]) == (503, "5")
    assert turned_away[2]["reason"] == "UNAVAILABLE"
    assert (ready[0], read[0]) == (503, 200)
    assert "writes under way: 1." in said
    assert status == -signal.SIGTERM
    assert took < 3
    assert captured_in(tmp_path / "state") == {"HELD"}
