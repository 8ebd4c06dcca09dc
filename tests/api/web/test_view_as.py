"""Looking as somebody else: the operator alone may, and is then nothing but the other one."""

import sqlite3

import pytest
from fastapi.testclient import TestClient

from api.access.route_table import RouteTable
from api.app import create_app
from api.policies import CALLERS, Caller, roles_for
from ledger.books.database import open_database
from ledger.books.interface.sessions import Sessions
from ledger.books.interface.tables import interface_tables
from nodes.api_keys import holders, seeded_secret
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY

OURS = {"Origin": "http://testserver"}
OPERATOR = "OPERATOR"
VIEWED = ["EXCHANGE", "BRK-A", "BANK-1", "CLEARING-HOUSE", "REGISTRAR", "REGULATOR"]
EVERYBODY = [OPERATOR, *VIEWED]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    return create_app(open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY, options=options))


@pytest.fixture(scope="module")
def running(app):
    with TestClient(app, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def browser(running):
    """A browser that has not been here before."""
    running.cookies.clear()
    return running


def sign_in(browser, name):
    key = seeded_secret(SEED, name)
    assert browser.post("/sign-in", data={"key": key}, headers=OURS).status_code == 303


def view_as(browser, name, headers=OURS, **fields):
    return browser.post("/view-as", data={"holder": name, **fields}, headers=headers)


def who_looks(browser):
    """As whom the pages are shown; None: as nobody."""
    page = browser.get("/")
    if page.status_code == 303:
        return None
    return page.text.partition("viewing as <strong>")[2].partition("<")[0]


@pytest.mark.parametrize("name", VIEWED)
def test_operator_looks_as_anybody_and_comes_back(browser, name):
    sign_in(browser, OPERATOR)

    there = view_as(browser, name, next="/chain?lang=en")
    assert (there.status_code, there.headers["location"]) == (303, "/chain?lang=en")
    assert who_looks(browser) == name
    assert "Back to OPERATOR" in browser.get("/").text

    assert view_as(browser, OPERATOR).status_code == 303
    assert who_looks(browser) == OPERATOR


@pytest.mark.parametrize("name", VIEWED)
def test_nobody_else_looks_as_anybody(browser, name):
    sign_in(browser, name)

    for other in EVERYBODY:
        answer = view_as(browser, other)
        assert answer.status_code == 403
        assert "expected OPERATOR" in answer.text
    assert who_looks(browser) == name
    assert 'name="holder"' not in browser.get("/").text
    assert "Sign in with another key" in browser.get("/").text


@pytest.mark.parametrize("name", VIEWED)
def test_who_is_looked_as_has_its_own_rights_and_no_more(app, browser, name):
    """Every route without a body, by the cookie of the view and by the key of who is viewed."""
    role = holders(app.state.sandbox.consortium.network)[name].role
    sign_in(browser, OPERATOR)
    view_as(browser, name)
    differing, forbidden = [], 0
    for each in RouteTable(app.routes).served:
        is_open = CALLERS[each.name] is Caller.ANYBODY
        if each.method not in ("GET", "POST", "PUT", "DELETE") or is_open or "stream" in each.path:
            continue
        path = each.path.replace("{participant}", "BRK-C").replace("{", "").replace("}", "")
        viewed = browser.request(each.method, path, headers=OURS)
        if role not in roles_for(each.name):
            forbidden += 1
            if viewed.status_code != 403:
                differing.append((each.name, viewed.status_code))
        elif each.method == "GET" and each.path.startswith("/v1") and "requests" not in path:
            own = browser.get(path, headers=key_header(name))
            if (viewed.status_code, len(viewed.content)) != (own.status_code, len(own.content)):
                differing.append((each.name, viewed.text[:200], own.text[:200]))

    assert forbidden > 20
    assert differing == []


def test_log_of_requests_names_both(browser):
    sign_in(browser, OPERATOR)
    view_as(browser, "BRK-A")
    browser.get("/v1/queue")
    browser.post("/sandbox/webhooks", data={"url": "nonsense"}, headers=OURS)
    seen_by_the_broker = browser.get("/v1/requests").json()["data"]
    view_as(browser, OPERATOR)

    seen = browser.get("/v1/requests?path=/v1/queue").json()["data"]
    assert seen[0]["caller"] == "OPERATOR as BRK-A"
    forms = browser.get("/v1/requests?method=POST").json()["data"]
    by_path = {each["path"]: each["caller"] for each in reversed(forms)}
    assert by_path["/sandbox/webhooks"] == "OPERATOR as BRK-A"
    assert by_path["/view-as"] == "OPERATOR as BRK-A"
    assert seeded_secret(SEED, OPERATOR) not in browser.get("/v1/requests").text
    assert {each["caller"] for each in seen_by_the_broker} <= {"BRK-A"}


def test_signing_out_ends_both_whoever_kept_the_cookie(browser):
    sign_in(browser, OPERATOR)
    view_as(browser, "BRK-A")
    kept = dict(browser.cookies)

    browser.post("/sign-out", headers=OURS)
    browser.cookies.update(kept)

    assert who_looks(browser) is None
    refused = view_as(browser, OPERATOR)
    assert refused.status_code == 401
    assert who_looks(browser) is None


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}],
    ids=["nothing", "cross-site", "another origin"],
)
def test_pages_of_others_change_nothing(browser, headers):
    sign_in(browser, OPERATOR)

    assert view_as(browser, "BRK-A", headers).status_code == 403
    assert who_looks(browser) == OPERATOR


def test_name_that_nobody_has_is_refused_in_words(browser):
    sign_in(browser, OPERATOR)
    for name in ("BRK-Z", "<b>", "x" * 5_000, ""):
        refused = view_as(browser, name)
        assert refused.status_code == 404
        assert "<b>" not in refused.text
        assert "What to do" in refused.text
    assert who_looks(browser) == OPERATOR


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere(browser, place):
    sign_in(browser, OPERATOR)

    assert view_as(browser, "BRK-A", next=place).headers["location"] == "/"


def test_view_ends_with_the_key_that_the_session_was_begun_with(browser):
    made = browser.post("/v1/api-keys", json={"holder": OPERATOR}, headers=key_header()).json()
    browser.post("/sign-in", data={"key": made["api_key"]}, headers=OURS)
    view_as(browser, "BRK-A")
    assert who_looks(browser) == "BRK-A"

    browser.post(f"/v1/api-keys/{made['id']}/revoke", headers=key_header())

    assert who_looks(browser) is None


def test_view_outlives_the_process_so_that_nobody_has_more_rights_after_it(tmp_path):
    file = tmp_path / "interface.sqlite"
    database = open_database(file, interface_tables())
    sessions = Sessions(database)
    sessions.open("token", "key_1", 0)
    sessions.view("token", "BRK-A")
    sessions.view("nobody's", "BRK-A")
    database.close()

    database = open_database(file, interface_tables())
    sessions = Sessions(database)
    assert sessions.find("token", 1).viewed == "BRK-A"
    sessions.view("token", None)
    assert sessions.find("token", 1).viewed is None
    sessions.view("token", "BRK-B")
    sessions.close("token")
    sessions.open("token", "key_1", 0)
    assert Sessions(database).find("token", 1).viewed is None
    database.close()


def test_folder_from_before_there_were_views_opens_with_its_sessions(tmp_path):
    file = tmp_path / "interface.sqlite"
    database = open_database(file, interface_tables())
    Sessions(database).open("token", "key_1", 0)
    database.close()
    with sqlite3.connect(file) as older:
        older.execute("DROP TABLE session_views")
    older.close()

    database = open_database(file, interface_tables())
    sessions = Sessions(database)
    assert sessions.find("token", 1).key_id == "key_1"
    sessions.view("token", "BRK-A")
    assert Sessions(database).find("token", 1).viewed == "BRK-A"
    database.close()
