"""Signing in to the pages: by key, by a link that works once, and never from another site."""

import threading
import time

import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.app import create_app
from api.web.sign_in.page import own_path
from api.web.sign_in.words import SIGN_IN_WORDS
from ledger.books.database import open_database
from ledger.books.interface.sessions import SESSION_SECONDS_MAX, SESSIONS_MAX, Sessions
from ledger.books.interface.tables import interface_tables
from nodes.api_keys import seeded_secret
from nodes.sandbox.sandbox import open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY

KEY = seeded_secret(SEED, "BRK-A")
OURS = {"Origin": "http://testserver"}
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY))


@pytest.fixture(scope="module")
def running(app):
    with TestClient(app, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def client(running):
    """A browser that has not been here before."""
    running.cookies.clear()
    return running


def sign_in(client, key=KEY, **fields):
    return client.post("/sign-in", data={"key": key, **fields}, headers=OURS)


def test_pages_lead_to_signing_in_and_back(client):
    refused = client.get("/chain?below=5&lang=zh")

    assert refused.status_code == 303
    target = refused.headers["location"]
    assert target == "/sign-in?next=%2Fchain%3Fbelow%3D5%26lang%3Dzh&lang=zh"
    page = client.get(target)
    assert 'name="next" value="/chain?below=5&amp;lang=zh"' in page.text
    signed_in = sign_in(client, next="/chain?below=5&lang=zh")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/chain?below=5&lang=zh")
    assert client.get("/chain?below=5&lang=zh").status_code == 200


def test_part_of_a_page_is_refused_without_a_session(client):
    assert client.get("/parts/today").status_code == 401


def test_cookie_is_kept_from_scripts_and_other_sites_and_does_not_hold_the_key(client):
    cookie = sign_in(client).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert KEY not in cookie
    assert "<strong>BRK-A</strong>" in client.get("/").text


def test_wrong_key_says_so_in_both_languages_and_opens_nothing(client):
    for language in ("en", "zh"):
        answer = sign_in(client, "nonsense", lang=language)
        words = SIGN_IN_WORDS["wrong_key"][("en", "zh").index(language)]
        assert (answer.status_code, words in answer.text) == (401, True)
        assert "set-cookie" not in answer.headers
        assert "nonsense" not in answer.text
    assert client.get("/").status_code == 303


def test_signing_out_ends_the_session_whoever_kept_the_cookie(client):
    sign_in(client)
    kept = dict(client.cookies)

    assert client.post("/sign-out", headers=OURS).status_code == 303
    client.cookies.update(kept)
    assert client.get("/").status_code == 303


def test_link_signs_in_once(client, app):
    ticket = app.state.access.ticket()

    first = client.get(f"/sign-in?ticket={ticket}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "<strong>OPERATOR</strong>" in client.get("/").text
    client.cookies.clear()
    second = client.get(f"/sign-in?ticket={ticket}")
    assert second.status_code == 200
    assert SIGN_IN_WORDS["ticket_used"][0] in second.text
    assert "set-cookie" not in second.headers


def test_session_ends_with_its_key(client):
    made = client.post("/v1/api-keys", json={"holder": "BRK-B"}, headers=key_header()).json()
    sign_in(client, made["api_key"])
    assert client.get("/").status_code == 200

    client.post(f"/v1/api-keys/{made['id']}/revoke", headers=key_header())

    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://testserver"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://testserver:81"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://[bad"}, False),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_only_own_pages_write_by_cookie(client, headers, is_ours):
    sign_in(client, seeded_secret(SEED, "EXCHANGE"))

    written = client.post("/v1/trades", json=TRADE, headers=headers)
    read = client.get("/v1/trades", headers=headers)
    signed_in = client.post("/sign-in", data={"key": KEY}, headers=headers)

    assert (written.status_code in (200, 201)) is is_ours
    assert written.status_code in (200, 201, 403)
    assert read.status_code == 200
    assert (signed_in.status_code == 303) is is_ours


def test_key_in_a_header_needs_no_origin_and_goes_before_the_cookie(client):
    sign_in(client)

    answer = client.post("/v1/trades", json=TRADE, headers=key_header("EXCHANGE"))
    wrong = client.get("/v1/trades", headers={"X-Api-Key": "wrong"})

    assert answer.status_code in (200, 201)
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb"]
)
def test_nobody_is_led_elsewhere(client, place):
    assert own_path(place) == "/"
    assert sign_in(client, next=place).headers["location"] == "/"


def test_form_that_is_none_is_refused(client):
    for body in (b"", b"\xff\xfe", b"key", b"&".join(b"a=1" for _ in range(50))):
        assert client.post("/sign-in", content=body, headers=OURS).status_code in (401, 422)


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "interface.sqlite", interface_tables())
    yield opened
    opened.close()


def test_sessions_end_with_time_and_are_bounded(database):
    sessions = Sessions(database)
    sessions.open("first", "key_1", 0)
    for number in range(SESSIONS_MAX):
        sessions.open(str(number), "key_1", 1)

    assert sessions.find("first", 1) is None
    assert sessions.find("0", SESSION_SECONDS_MAX).key_id == "key_1"
    assert sessions.find("0", SESSION_SECONDS_MAX + 1) is None
    reopened = Sessions(database)
    assert reopened.find("0", 1).key_id == "key_1"
    sessions.open("late", "key_2", 2 * SESSION_SECONDS_MAX)
    assert Sessions(database).find("0", 1) is None


@pytest.fixture
def address(tmp_path):
    app = create_app(open_sandbox(tmp_path, SEED, DAY))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", app.state.access
    server.should_exit = True
    thread.join()


@needs_chromium
def test_person_signs_in_looks_around_and_signs_out(address):
    place, access = address
    with opened_page(locale="en-GB") as (page, errors):
        page.goto(f"{place}/chain")
        page.get_by_label("Key").fill(KEY)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("viewing as BRK-A").wait_for()
        assert page.url == f"{place}/chain"
        page.get_by_role("link", name="Today").click()
        page.get_by_text("No cycle yet").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Key").wait_for()
        page.goto(f"{place}/sign-in?ticket={access.ticket()}")
        page.get_by_text("viewing as OPERATOR").wait_for()
        assert page.url == f"{place}/"

    assert errors == []
