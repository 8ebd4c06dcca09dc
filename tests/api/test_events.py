"""Events over REST, on a real server: listed, filtered, followed, and resumed exactly."""

import asyncio
import json
import re
import threading
import time

import httpx2
import pytest

from api.event_stream import EventStreams
from ledger.books.database import open_database
from ledger.books.interface import events as kept_events
from ledger.books.interface.events import EventFilter, EventStore, KeptEvent
from ledger.books.interface.tables import interface_tables
from ledger.books.reconciliation import Difference
from ledger.domain.breaks import BreakKind
from nodes.api_keys import OPERATOR
from nodes.journal.own_view import payload_for
from nodes.sandbox.home import Replacement, SandboxHome
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import key_header
from tests.support.consortia import DAY
from tests.support.event_streams import frames_of
from tests.support.servers import served

TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B/client",
}
PAY = {"label": "IT", "kind": "pay", "payer": "BRK-A", "payee": "BRK-C", "amount": "1.00"}
SECONDS_MAX = 20


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0.1)
    return open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)


@pytest.fixture(scope="module")
def server(sandbox):
    with served(sandbox) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with httpx2.Client(
        base_url=f"http://{server.place}/v1", headers=key_header(), timeout=30
    ) as opened:
        yield opened


def client_at(place, holder=OPERATOR.name):
    return httpx2.Client(base_url=f"http://{place}/v1", headers=key_header(holder), timeout=30)


def until(client, kind, **query):
    """Waits for an event of a kind."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        found = client.get("/events", params={"type": kind, **query}).json()["data"]
        if found:
            return found[-1]
        time.sleep(0.05)
    raise AssertionError(f"no {kind} within {SECONDS_MAX} s")


def test_trade_is_told_as_captured_and_settled(client):
    captured = client.post("/trades", json=TRADE | {"number": "ONE"}).json()

    settled = until(client, "trade.settled", subject=captured["id"])
    assert settled["participants"] == ["BRK-A", "BRK-B"]
    assert settled["block"] is not None
    assert settled["transactionhash"].startswith("0x")
    assert settled["specversion"] == "1.0"
    told = client.get("/events", params={"subject": captured["id"]}).json()["data"]
    assert [event["type"] for event in told] == [
        "org.novate.trade.captured.v1",
        "org.novate.trade.settled.v1",
    ]
    assert client.get(f"/events/{settled['id']}").json() == settled


def test_many_trades_are_one_event(client):
    batch = [TRADE | {"number": f"MANY{row}"} for row in range(50)]
    client.post("/trades:batch", json=batch)

    event = until(client, "trades.captured")
    assert event["data"]["count"] == 50
    [[_, count]] = event["data"]["ranges"]
    assert count == 50


def test_of_many_trades_a_participant_is_told_how_many_are_its_own(sandbox, client, server):
    mine = [TRADE | {"number": f"MINE{row}", "buyer": "BRK-A/client"} for row in range(3)]
    others = [TRADE | {"number": f"OTHERS{row}", "seller": "BRK-C"} for row in range(40)]
    client.post("/trades:batch", json=[*mine, *others])
    until(client, "trades.captured", participant="BRK-C")
    event = until(client, "trades.captured")
    assert event["data"]["own_counts"] == {"BRK-A": 3, "BRK-B": 40, "BRK-C": 40}
    assert event["data"]["count"] == 43

    with client_at(server.place, "BRK-A") as own:
        seen = own.get(f"/events/{event['id']}").json()
        listed = until(own, "trades.captured")
        query = {"last_event_id": str(event["sequence"] - 1), "type": "trades.captured"}
        [framed] = next(events for _, events in frames_of(own, params=query) if events)
        payload = payload_for("BRK-A", sandbox.journal.get(event["id"]))

    assert listed == framed == seen == json.loads(payload)
    assert (seen["id"], seen["sequence"]) == (event["id"], event["sequence"])
    assert (seen["subject"], seen["participants"]) == ("BRK-A", ["BRK-A"])
    assert seen["data"] == {"own_count": 3}
    assert not re.search("BRK-[BC]", json.dumps(seen))


def test_instruction_is_told_step_by_step_with_the_reason_why_it_waits(client):
    client.post("/instructions", json=PAY | {"label": "STEPS", "amount": "9000000000.00"})
    pending = until(client, "instruction.pending", subject="STEPS")
    client.post("/instructions/STEPS/cancel", json={"by": "BRK-A"})

    until(client, "instruction.cancelled", subject="STEPS")
    assert pending["data"]["reason"] == "MONY"
    told = client.get("/events", params={"subject": "STEPS"}).json()["data"]
    acts = [event["type"].split(".")[3] for event in told]
    assert acts == ["entered", "pending", "cancelled"]


def test_suspension_and_the_clock_are_told(client):
    client.post("/participants/BRK-C/suspend", json={})
    client.post("/participants/BRK-C/reinstate", json={})
    client.post("/clock", json={"advance": 60})

    assert until(client, "participant.suspended")["subject"] == "BRK-C"
    assert until(client, "participant.reinstated")["subject"] == "BRK-C"
    assert "business_time" in until(client, "clock.moved")["data"]


def test_refused_trade_is_told_to_the_exchange_alone(client):
    client.post("/trades", json=TRADE | {"number": "OTHER"})
    client.post("/trades", json=TRADE | {"number": "OTHER", "quantity": "7"})

    event = until(client, "trade.refused")
    assert event["participants"] == ["EXCHANGE"]
    assert event["source"] == "/networks/XNOV/nodes/EXCHANGE"
    assert event["data"]["reason"] == "DUPLICATE"


def test_pages_go_on_where_the_last_one_ended(client):
    whole = client.get("/events", params={"limit": 500}).json()
    paged, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get("/events", params=query).json()
        paged += page["data"]
        cursor = page["next_cursor"]
        if cursor is None or len(paged) >= len(whole["data"]):
            break

    assert paged[: len(whole["data"])] == whole["data"]
    since = client.get("/events", params={"since": "4", "limit": 1}).json()["data"]
    assert since[0]["sequence"] == 5


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/events?since=-1", 422),
        ("/events?since=999999999", 422),
        ("/events?cursor=x", 422),
        ("/events?colour=red", 422),
        ("/events/evt-1", 404),
        ("/events/evt-00000000-1", 404),
        ("/events/stream?last_event_id=x", 422),
        ("/events/stream?last_event_id=999999999", 422),
    ],
)
def test_what_cannot_be_followed_is_refused(client, path, status):
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_stream_resumes_exactly_under_load_however_often_it_is_cut_off(client):
    stop = threading.Event()

    def trade():
        number = 0
        while not stop.is_set():
            number += 1
            client.post("/trades", json=TRADE | {"number": f"L{number}"})

    start = client.get("/events", params={"limit": 1}).json()["last_sequence"]
    trader = threading.Thread(target=trade)
    trader.start()
    received, last = [], start
    try:
        for cut in range(6):
            for place, (id_, events) in enumerate(
                frames_of(client, headers={"Last-Event-ID": str(last)})
            ):
                assert all(last < event["sequence"] <= id_ for event in events)
                received += events
                last = id_
                if place >= 1 + cut:
                    break
            # What happens meanwhile is not lost on who comes back.
            time.sleep(0.3)
    finally:
        stop.set()
        trader.join()
        # Until the last of it is told, whatever comes next would be told with it.
        time.sleep(1)

    numbers = [event["sequence"] for event in received]
    assert numbers == [*range(start + 1, last + 1)]
    assert len(numbers) > 20


def test_stream_without_a_beginning_tells_what_happens_from_now_on(client):
    last = client.get("/events", params={"limit": 1}).json()["last_sequence"]

    assert next(frames_of(client)) == (last, [])


def test_stream_gives_only_what_is_wanted(client):
    last = client.get("/events", params={"limit": 1}).json()["last_sequence"]
    client.post("/trades", json=TRADE | {"number": "WANTED"})
    until(client, "trade.settled", since=str(last))

    query = {"last_event_id": str(last), "type": "trade.*"}
    for _, events in frames_of(client, params=query):
        if events:
            assert {event["type"].split(".")[2] for event in events} == {"trade"}
            break


def test_participant_sees_what_concerns_it_and_what_is_public():
    store = EventStore(open_database(None, interface_tables()))
    audiences = [{"BRK-A"}, {"BRK-B"}, set(), {"BRK-A", "BRK-B"}, {"BRK-AA"}]
    store.append(
        [
            KeptEvent(number, "org.novate.trade.settled.v1", "T", frozenset(names), b"{}")
            for number, names in enumerate(audiences, start=1)
        ],
        {},
    )

    def seen(reader):
        return [each.sequence for each in store.wanted(EventFilter(), 0, 10, reader)]

    assert seen("BRK-A") == [1, 3, 4]
    assert seen("BRK-AA") == [3, 5]
    assert seen(None) == [1, 2, 3, 4, 5]


def test_stream_of_a_participant_has_nothing_of_others(sandbox, client):
    last = client.get("/events", params={"limit": 1}).json()["last_sequence"]
    client.post("/trades", json=TRADE | {"number": "THEIRS"})
    until(client, "trade.settled", since=str(last))

    async def first_frame():
        events = sandbox.journal.events
        async for frame in EventStreams().frames(
            events, last, EventFilter(), "BRK-C", lambda: True
        ):
            if frame.raw_data:
                return json.loads(frame.raw_data)
        return []

    seen = asyncio.run(first_frame())
    assert seen
    assert all(not each["participants"] or "BRK-C" in each["participants"] for each in seen)


def test_key_of_a_participant_reads_what_is_its_own_and_public(server, client):
    last = client.get("/events", params={"limit": 1}).json()["last_sequence"]
    trade = client.post("/trades", json=TRADE | {"number": "PRIVATE"}).json()["id"]
    settled = until(client, "trade.settled", subject=trade)
    with client_at(server.place, "BRK-C") as stranger, client_at(server.place, "BRK-B") as buyer:
        assert stranger.get(f"/events/{settled['id']}").status_code == 404
        assert stranger.post(f"/events/{settled['id']}/resend").status_code == 404
        assert stranger.get("/events", params={"subject": trade}).json()["data"] == []
        assert buyer.get(f"/events/{settled['id']}").json() == settled
        for reader, is_told in ((stranger, False), (buyer, True)):
            _, seen = next(
                each for each in frames_of(reader, params={"last_event_id": last}) if each[1]
            )
            assert (trade in {event["subject"] for event in seen}) is is_told
    assert httpx2.get(f"http://{server.place}/v1/events").status_code == 401


def test_reset_goes_on_with_the_numbers_and_says_so(tmp_path):
    home = SandboxHome(tmp_path, lambda seed: open_sandbox(tmp_path, seed or "test", DAY))
    before = home.open()
    before.start()
    before.stop()
    last = before.journal.events.last_sequence
    home.replace(Replacement(seed="other"))

    after = home.open()
    after.start()
    after.stop()
    told = [json.loads(event.payload) for event in after.journal.events.after(last, 10)]
    assert [event["sequence"] for event in told] == [last + 1, last + 2]
    assert [event["type"].split(".")[3] for event in told] == ["reset", "started"]


def test_events_too_old_are_gone(monkeypatch, client, sandbox):
    monkeypatch.setattr(sandbox.journal.events, "first_sequence", 10)

    answer = client.get("/events", params={"since": "5"})

    assert answer.status_code == 410
    assert "expected 9 or later" in answer.json()["detail"]


def test_journal_keeps_a_bounded_number_of_events(monkeypatch):
    monkeypatch.setattr(kept_events, "EVENTS_KEPT_MAX", 2_000)
    store = EventStore(open_database(None, interface_tables()))
    for first in range(1, 5_001, 500):
        store.append(
            [
                KeptEvent(number, "org.novate.x.v1", "", frozenset(), b"{}")
                for number in range(first, first + 500)
            ],
            {},
        )

    assert 2_000 <= store.last_sequence - store.first_sequence + 1 <= 3_000
    assert store.get(store.first_sequence - 1) is None
    assert store.get(store.first_sequence) is not None


def test_every_field_of_events_and_webhooks_is_described_in_two_languages_with_an_example(client):
    described = httpx2.get(str(client.base_url.copy_with(path="/openapi.json"))).json()
    schemas = described["components"]["schemas"]
    names = [
        name for name in schemas if name.startswith(("Journal", "Webhook", "NewWebhook", "Rese"))
    ]
    assert {"JournalEvent", "JournalEvents", "WebhookAttempt", "NewWebhookEndpoint", "Resend"} <= {
        *names
    }
    for name in [*names, "CreatedWebhookEndpoint"]:
        for field, schema in schemas[name]["properties"].items():
            assert schema["description"], (name, field)
            assert schema["x-description-zh"], (name, field)
            assert schema["examples"], (name, field)


def test_break_is_told_to_its_owner_as_its_history_has_it(sandbox, client):
    node = sandbox.consortium.trader("BRK-A")
    difference = Difference(
        id="position:own:cash:1",
        kind=BreakKind.AMOUNT,
        subject="BRK-A CNY",
        ours="1.00",
        theirs="ledger 2.00",
    )
    with sandbox.lock, node.database.transaction() as session:
        node.break_book.add(session, [difference], node.seen())

    event = until(client, "break.opened")
    assert (event["participants"], event["data"]["ours"]) == (["BRK-A"], "1.00")
    with sandbox.lock:
        sandbox.consortium.reconcile()
    until(client, "break.closed", subject=event["subject"])
