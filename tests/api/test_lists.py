"""Lists: filters agree with looking at everything; pages show each item once while more come."""

import json
from threading import Event, Thread

import httpx2
import pytest

from api import trade_filters
from api.app import create_app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.batches import json_rows
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.servers import served

BY_HAND = SandboxOptions(cycle_seconds=0)
ACCOUNTS = ["BRK-A", "BRK-B/client", "BRK-C", "BRK-B"]
SYMBOLS = ["NOVA1", "NOVA2", "NOVA3"]


def trades(first, count):
    return [
        row
        | {
            "instrument": SYMBOLS[place % 3],
            "seller": ACCOUNTS[place % 4],
            "buyer": ACCOUNTS[(place + 1) % 4],
        }
        for place, row in enumerate(json_rows(first, count))
    ]


def instruction(label, **changes):
    terms = {
        "kind": "fop",
        "label": label,
        "deliverer": "BRK-A",
        "receiver": "BRK-B",
        "instrument": "NOVA1",
        "quantity": "1",
        "hold": True,
    }
    return terms | changes


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=BY_HAND)
    with client_of(create_app(sandbox)) as opened:
        opened.post("/v1/trades:batch", json=trades(1, 60))
        opened.post("/v1/cycles")
        opened.post("/v1/trades:batch", json=trades(101, 40))
        opened.post(
            "/v1/instructions:batch",
            json=[instruction(f"I-{place}", instrument=SYMBOLS[place % 3]) for place in range(9)],
        )
        yield opened


def walk(get, path, limit=7):
    """Every item of a list, page by page."""
    found, cursor = [], None
    while True:
        query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        page = get(f"{path}{'&' if '?' in path else '?'}{query}").json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("query", "is_wanted"),
    [
        ("state=settled", lambda t: t["state"] == "settled"),
        ("state=captured", lambda t: t["state"] == "captured"),
        ("state=failed", lambda _: False),
        ("participant=BRK-B", lambda t: "BRK-B" in (t["seller"][:5], t["buyer"][:5])),
        ("participant=BANK-1", lambda _: False),
        ("instrument=NOVA2", lambda t: t["symbol"] == "NOVA2"),
        ("number=120", lambda t: t["number"] == "120"),
        (f"trade_date={DAY}", lambda _: True),
        ("trade_date=2020-01-01", lambda _: False),
        ("captured_from=10&captured_before=20", lambda t: 10 <= t["position"] < 20),
        (
            "participant=BRK-C&instrument=NOVA3&state=settled&captured_from=5",
            lambda t: (
                "BRK-C" in (t["seller"], t["buyer"])
                and (t["symbol"], t["state"]) == ("NOVA3", "settled")
                and t["position"] >= 5
            ),
        ),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("scanned", [3, 10_000])
def test_trades_are_filtered_as_by_hand(client, monkeypatch, query, is_wanted, scanned):
    monkeypatch.setattr(trade_filters, "SCANNED_AT_ONCE", scanned)
    monkeypatch.setattr(trade_filters, "SCANNED_MAX", 4 * scanned)
    everything = walk(client.get, "/v1/trades", 500)

    found = walk(client.get, f"/v1/trades?{query}")

    assert len(everything) == 100
    assert found == [trade for trade in everything if is_wanted(trade)]


def test_cycles_and_instructions_are_filtered(client):
    for state in ("settled", "submitted", "empty", "abandoned"):
        found = walk(client.get, f"/v1/cycles?state={state}")
        assert [each["state"] for each in found] == ["settled"] * (state == "settled")
    found = walk(client.get, "/v1/instructions?instrument=NOVA2&state=held", 2)
    assert [each["label"] for each in found] == ["I-1", "I-4", "I-7"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("trades?state=odd", 422),
        ("trades?participant=NOBODY", 404),
        ("trades?instrument=NOPE", 404),
        ("trades?instrument=US0378331006", 422),
        ("trades?number=t1", 422),
        ("trades?trade_date=2026-02-30", 422),
        ("trades?captured_from=-1", 422),
        ("cycles?state=odd", 422),
        ("instructions?instrument=NOPE", 404),
        ("positions?cursor=x", 422),
        ("positions?cursor=1.", 422),
        ("positions?as_of_block=-1", 422),
    ],
)
def test_filters_that_name_nothing_are_refused(client, path, status):
    assert client.get(f"/v1/{path}").status_code == status


IDENTITY = {
    "trades": lambda each: each["id"],
    "instructions": lambda each: each["label"],
    "cycles": lambda each: each["number"],
    "positions": lambda each: (each["account"], each["asset"]),
    "participants": lambda each: each["id"],
    "limits": lambda each: (each["account"], each["counterparty"]),
    "chain/blocks": lambda each: each["number"],
}


def test_every_list_shows_each_item_once_while_more_come_in(tmp_path):
    with served(open_sandbox(tmp_path, "test", DAY, options=BY_HAND)) as server:
        place, stopping, failures = f"http://{server.place}", Event(), []

        def post(path, body):
            answer = httpx2.post(f"{place}/v1/{path}", json=body, headers=key_header(), timeout=60)
            assert answer.status_code < 300, answer.text
            return answer

        def load():
            turn = 0
            while not stopping.is_set():
                turn += 1
                try:
                    post("trades:batch", trades(turn * 1_000, 20))
                    post("cycles", {})
                    post("instructions", instruction(f"LOAD-{turn}"))
                    account = ACCOUNTS[turn % 4]
                    fund = {"reference": f"F-{turn}", "kind": "cash", "direction": "in"}
                    post("sandbox/fund", fund | {"account": account, "amount": "1.00"})
                    other = ACCOUNTS[(turn + 1) % 4]
                    limit = {"account": account, "counterparty": other, "amount": "1.00"}
                    httpx2.put(f"{place}/v1/limits", json=limit, headers=key_header(), timeout=60)
                except BaseException as error:
                    failures.append(error)
                    raise

        def get(path):
            return httpx2.get(f"{place}/v1/{path}", headers=key_header(), timeout=60)

        for turn in range(4):
            post("trades:batch", trades(turn * 100 + 1, 20))
            post("cycles", {})
            post("instructions", instruction(f"FIRST-{turn}"))
        thread = Thread(target=load)
        thread.start()
        try:
            for name, identity in IDENTITY.items():
                before = [identity(each) for each in walk(get, name, 100)]
                found = [identity(each) for each in walk(get, name, 2 if name != "trades" else 9)]
                assert len(found) == len(set(found)), name
                assert set(before) <= set(found), name
        finally:
            stopping.set()
            thread.join()
    assert not failures, json.dumps([str(each) for each in failures])
