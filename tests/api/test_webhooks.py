"""Webhooks on a real server to a real receiver: signed, in order, tried again, resent."""

import base64
import hashlib
import hmac
import json
import textwrap
import time

import httpx2
import pytest

from api.app import create_app
from api.routers.webhooks import ENDPOINTS_MAX
from api.server import server_of
from ledger.books.database import open_database
from ledger.books.interface import webhooks as kept
from ledger.books.interface.events import EventStore, KeptEvent
from ledger.books.interface.tables import interface_tables
from ledger.books.interface.webhooks import WebhookEndpointRow, WebhookStore
from nodes.clock import WallClock
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.webhooks.addresses import AddressRules
from nodes.webhooks.dispatch import ATTEMPTS_MAX, EXHAUSTED_IN_A_ROW_MAX, Dispatcher
from nodes.webhooks.signing import signed_headers
from tests.support.clients import key_header
from tests.support.consortia import DAY
from tests.support.receiver import Receiver, wait
from tests.support.servers import run

TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B/client",
}


@pytest.fixture
def receiver():
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    app = create_app(sandbox, webhook_rules=AddressRules(to_loopback=True))
    with (
        run(server_of(app, "127.0.0.1", 0)) as place,
        httpx2.Client(base_url=f"http://{place}/v1", headers=key_header(), timeout=30) as opened,
    ):
        yield opened


def add(client, url, **options):
    answer = client.post("/webhook-endpoints", json={"url": url} | options)
    assert answer.status_code == 201, answer.text
    return answer.json()


def attempts_of(client, endpoint, **query):
    return client.get(f"/webhook-endpoints/{endpoint['id']}/attempts", params=query).json()["data"]


def is_signed(secret, headers, body):
    """As the Standard Webhooks specification has it, written down once more."""
    names = {name.lower(): value for name, value in headers.items()}
    signed = f"{names['webhook-id']}.{names['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.split("_")[1])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(names["webhook-signature"], f"v1,{expected}")


def test_event_arrives_signed_and_the_attempt_is_shown(client, receiver):
    endpoint = add(client, receiver.url, types=["trade.captured"])
    client.post("/trades", json=TRADE | {"number": "SIGNED"})

    receiver.wait_for(1)
    headers, body = receiver.received[0]
    event = json.loads(body)
    assert is_signed(endpoint["secret"], headers, body)
    assert not is_signed(endpoint["secret"], headers, body + b" ")
    assert event["subject"].endswith(".SIGNED")
    assert headers["webhook-id"] == event["id"]
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    wait(lambda: attempts_of(client, endpoint))
    [attempt] = attempts_of(client, endpoint)
    assert (attempt["outcome"], attempt["status"], attempt["answer"]) == ("delivered", 200, "ok")
    shown = client.get(f"/webhook-endpoints/{endpoint['id']}").json()
    assert "secret" not in shown
    assert client.delete(f"/webhook-endpoints/{endpoint['id']}").status_code == 204


def test_receiver_that_fails_is_told_again_and_in_order(client, receiver):
    receiver.refusals_left = 2
    endpoint = add(client, receiver.url, types=["trade.captured"])
    for number in range(4):
        client.post("/trades", json=TRADE | {"number": f"AGAIN{number}"})

    receiver.wait_for(6)
    sequences = receiver.sequences()
    assert sequences[0] == sequences[1] == sequences[2]
    assert sequences[2:] == sorted(set(sequences))
    ids = [headers["webhook-id"] for headers, _ in receiver.received]
    assert len(set(ids)) == 4
    wait(lambda: len(attempts_of(client, endpoint)) == 6)
    outcomes = [each["outcome"] for each in reversed(attempts_of(client, endpoint))]
    assert outcomes == ["failed", "failed", "delivered", "delivered", "delivered", "delivered"]
    assert [each["attempt"] for each in reversed(attempts_of(client, endpoint))][:3] == [1, 2, 3]
    client.delete(f"/webhook-endpoints/{endpoint['id']}")


def test_redirect_is_not_followed_and_long_answers_are_cut(client, receiver):
    receiver.refusals_left, receiver.status = 1, 302
    receiver.answer = b"x" * 100_000
    endpoint = add(client, receiver.url, types=["trade.captured"])
    client.post("/trades", json=TRADE | {"number": "REDIRECT"})

    wait(lambda: len(attempts_of(client, endpoint)) == 2)
    delivered, refused = attempts_of(client, endpoint)
    assert (refused["status"], refused["error"]) == (302, "redirects are not followed")
    assert len(delivered["answer"]) == 1_024
    assert len(receiver.received) == 2
    client.delete(f"/webhook-endpoints/{endpoint['id']}")


def test_disabled_endpoint_is_told_only_what_is_resent_until_it_is_enabled(client, receiver):
    endpoint = add(client, receiver.url, types=["trade.captured"], participant="BRK-C")
    path = f"/webhook-endpoints/{endpoint['id']}"
    assert client.post(f"{path}/disable").json()["state"] == "disabled"
    of_c = TRADE | {"seller": "BRK-C"}
    client.post("/trades", json=TRADE | {"number": "NOTMINE"})
    client.post("/trades", json=of_c | {"number": "MINE1"})
    client.post("/trades", json=of_c | {"number": "MINE2"})
    query = {"type": "trade.captured", "participant": "BRK-C"}
    wait(lambda: len(client.get("/events", params=query).json()["data"]) == 2)
    one, two = client.get("/events", params=query).json()["data"]

    assert client.post(f"{path}/resend", json={"event": two["id"]}).json() == {"events": 1}
    receiver.wait_for(1)
    assert receiver.sequences() == [two["sequence"]]
    client.post(f"{path}/enable")
    receiver.wait_for(3)
    assert receiver.sequences()[1:] == [one["sequence"], two["sequence"]]
    span = {"first_sequence": 1, "last_sequence": two["sequence"]}
    assert client.post(f"{path}/resend", json=span).json() == {"events": 2}
    receiver.wait_for(5)
    wait(lambda: len(attempts_of(client, endpoint)) == 5)
    assert [each["is_resend"] for each in attempts_of(client, endpoint)][:2] == [True, True]
    client.delete(path)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "ftp://example.com/"}, 422),
        ({"url": "http://10.0.0.1/"}, 422),
        ({"url": "http://169.254.169.254/latest/meta-data"}, 422),
        ({"url": "http://[::ffff:10.0.0.1]/"}, 422),
        ({"url": "http://user:pass@127.0.0.1:9/"}, 422),
        ({"url": "http://127.0.0.1:22/"}, 422),
        ({"url": "http://127.0.0.1:9999/", "types": [""]}, 422),
        ({"url": "http://127.0.0.1:9999/", "participant": "NOBODY"}, 404),
        ({"url": "http://127.0.0.1:9999/", "colour": "red"}, 422),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused(client, body, status):
    assert client.post("/webhook-endpoints", json=body).status_code == status


@pytest.mark.parametrize(
    "body",
    [{}, {"event": "evt-1"}, {"first_sequence": 2}, {"first_sequence": 2, "last_sequence": 1}],
)
def test_resend_of_what_is_not_there_is_refused(client, receiver, body):
    endpoint = add(client, receiver.url)
    path = f"/webhook-endpoints/{endpoint['id']}"

    assert client.post(f"{path}/resend", json=body).status_code in (404, 422)
    client.delete(path)
    assert client.get(path).status_code == 404


def test_endpoints_are_their_owners_alone(client, receiver):
    keys = {name: key_header(name) for name in ("BRK-A", "CLEARING-HOUSE", "REGULATOR", "OPERATOR")}
    body = {"url": receiver.url, "types": ["nothing"]}
    answer = client.post("/webhook-endpoints", json=body, headers=keys["BRK-A"])
    id = answer.json()["id"]
    path = f"/webhook-endpoints/{id}"

    for other in ("CLEARING-HOUSE", "REGULATOR"):
        shown = client.get("/webhook-endpoints", headers=keys[other]).json()["data"]
        assert id not in {each["id"] for each in shown}
        assert client.get(path, headers=keys[other]).status_code == 404
        assert client.get(f"{path}/attempts", headers=keys[other]).status_code == 404
    assert client.delete(path, headers=keys["CLEARING-HOUSE"]).status_code == 404
    house = client.post("/webhook-endpoints", json=body, headers=keys["CLEARING-HOUSE"]).json()
    assert client.get(f"/webhook-endpoints/{house['id']}", headers=keys["BRK-A"]).status_code == 404
    assert client.get(path, headers=keys["BRK-A"]).status_code == 200
    for each in (id, house["id"]):
        assert client.delete(f"/webhook-endpoints/{each}").status_code == 204


def test_nobody_takes_the_endpoints_of_all(client, receiver):
    body = {"url": receiver.url, "types": ["nothing"]}
    answers = [
        client.post("/webhook-endpoints", json=body, headers=key_header("BRK-A"))
        for _ in range(ENDPOINTS_MAX + 1)
    ]
    assert [each.status_code for each in answers] == [201] * ENDPOINTS_MAX + [503]
    ids = [each.json()["id"] for each in answers[:-1]]
    ids.append(add(client, receiver.url, types=["nothing"])["id"])
    for id in ids:
        client.delete(f"/webhook-endpoints/{id}")


def test_wishes_for_resending_are_bounded(client, receiver, monkeypatch):
    monkeypatch.setattr(kept, "RESENDS_WAITING_MAX", 0)
    endpoint = add(client, receiver.url, types=["sandbox.*"])
    path = f"/webhook-endpoints/{endpoint['id']}"
    [event] = client.get("/events", params={"type": "sandbox.started"}).json()["data"]

    assert client.post(f"{path}/resend", json={"event": event["id"]}).status_code == 429
    client.delete(path)


def event_of(number):
    payload = json.dumps({"id": f"evt-x-{number}", "sequence": number}).encode()
    return KeptEvent(number, "org.novate.x.happened.v1", "", frozenset(), payload)


@pytest.fixture
def told(tmp_path, receiver):
    """A dispatcher without pauses, over a journal of its own."""
    database = open_database(tmp_path / "interface.sqlite", interface_tables())
    events, webhooks = EventStore(database), WebhookStore(database)
    rules = AddressRules(to_loopback=True)
    dispatcher = Dispatcher(webhooks, events, WallClock(), rules, retry_seconds=0)
    webhooks.add(
        WebhookEndpointRow(
            id="whe-1",
            url=receiver.url,
            types="[]",
            participant="",
            owner="OPERATOR",
            reader="",
            description="",
            secret="whsec_c2VjcmV0",
            state=kept.ENABLED,
            sequence=0,
            created_at="",
        )
    )
    dispatcher.start()
    yield events, webhooks
    dispatcher.stop()
    database.close()


def test_event_is_given_up_after_its_attempts_and_the_next_one_is_told(told, receiver):
    events, webhooks = told
    receiver.refusals_left = ATTEMPTS_MAX
    events.append([event_of(1), event_of(2)], {})

    wait(lambda: webhooks.get("whe-1").sequence == 2)
    assert receiver.sequences() == [1] * ATTEMPTS_MAX + [2]
    [dead] = webhooks.attempts("whe-1", None, 10, kept.EXHAUSTED)
    assert (dead.sequence, dead.attempt) == (1, ATTEMPTS_MAX)
    assert webhooks.get("whe-1").exhausted_in_a_row == 0


def test_endpoint_that_takes_nothing_is_disabled_and_says_why(told, receiver):
    events, webhooks = told
    receiver.refusals_left = 10_000
    events.append([event_of(number) for number in range(1, 10)], {})

    wait(lambda: webhooks.get("whe-1").state == kept.DISABLED)
    assert "given up" in webhooks.get("whe-1").why_disabled
    assert webhooks.get("whe-1").sequence == EXHAUSTED_IN_A_ROW_MAX
    assert len(receiver.received) == EXHAUSTED_IN_A_ROW_MAX * ATTEMPTS_MAX


def test_books_that_cannot_be_read_for_a_while_do_not_end_it(told, receiver, monkeypatch):
    events, webhooks = told

    def fail():
        raise OSError("not now")

    with monkeypatch.context() as disk:
        disk.setattr(webhooks, "all", fail)
        time.sleep(0.3)
    events.append([event_of(1)], {})
    receiver.wait_for(1)


def test_many_events_arrive_each_once_and_in_order(told, receiver):
    events, _ = told
    events.append([event_of(number) for number in range(1, 151)], {})

    receiver.wait_for(150)
    assert receiver.sequences() == [*range(1, 151)]


def test_check_of_the_documentation_holds(request):
    text = (request.config.rootpath / "docs/events.md").read_text()
    start = text.index("    import base64")
    code = text[start : text.index("At least once", start)]
    names = {}
    exec(textwrap.dedent(code), names)
    headers = signed_headers("whsec_c2VjcmV0", "evt-1", 1, b"{}")

    assert names["is_signed"]("whsec_c2VjcmV0", headers, b"{}")
    assert not names["is_signed"]("whsec_c2VjcmV0", headers, b"{ }")
