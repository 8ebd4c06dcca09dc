"""While a node is away: what is on the ledger is shown, and what is not known is not made up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from time import monotonic, sleep

import pytest

from api.app import create_app
from api.web.today.words import TODAY_WORDS
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of, key_header

DAY = date(2026, 2, 10)
SECONDS_MAX = 30
FAULTS = ("kill", "cut-off")
NODES = ("EXCHANGE", "BRK-A", "BRK-B", "BRK-C", "BANK-1", "BANK-2", "REGISTRAR")
BALANCES = ("account", "asset", "symbol", "kind", "available", "held", "total")
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A market in which something has settled."""
    folder = tmp_path_factory.mktemp("state")
    with client_of(create_app(open_sandbox(folder, "test", DAY))) as opened:
        settled = opened.post("/v1/trades?wait=final&timeout=30", json=TRADE)
        assert settled.json()["state"] == "settled", settled.text
        until_agreed(opened)
        yield opened


def until(holds):
    """Waits until something holds."""
    deadline = monotonic() + SECONDS_MAX
    while not holds():
        assert monotonic() < deadline
        sleep(0.05)


def until_agreed(client):
    until(lambda: client.get("/v1/reconciliation").json()["agrees"])


@pytest.fixture
def fresh(tmp_path):
    """A market in which nothing has happened."""
    with client_of(create_app(open_sandbox(tmp_path / "state", "test", DAY))) as opened:
        yield opened


@pytest.fixture(params=FAULTS)
def fault(request):
    return request.param


@pytest.fixture(params=NODES)
def away(client, fault, request):
    """Whose node is away."""
    before = listed(client, "positions")
    answer = client.post("/v1/sandbox/faults", json={"fault": fault, "participant": request.param})
    assert answer.status_code == 200, answer.text
    yield request.param, before
    assert client.delete(f"/v1/sandbox/faults/{request.param}").status_code == 204
    until_agreed(client)
    assert listed(client, "positions") == before


def listed(client, what):
    answer = client.get(f"/v1/{what}", params={"limit": 500})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def balances(positions):
    return [[each[name] for name in BALANCES] for each in positions]


def test_who_is_away_still_holds_what_the_ledger_says(client, away):
    whose, before = away
    now = listed(client, "positions")
    assert balances(now) == balances(before)
    own = client.get("/v1/positions", params={"participant": whose, "limit": 500}).json()["data"]
    assert own == [each for each in now if each["account"].partition("/")[0] == whose]
    for each in now:
        is_away = each["account"].partition("/")[0] == whose
        own_says = (each["is_away"], each["own_book"] is None, each["agrees"])
        assert own_says == ((True, True, None) if is_away else (False, False, True))


def test_pages_of_positions_follow_each_other_while_somebody_is_away(client, away):
    found, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/positions", params=query).json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == listed(client, "positions")


def test_participants_are_listed_with_who_is_away(client, away):
    whose, _ = away
    shown = {each["id"]: each for each in listed(client, "participants")}
    assert [id for id, each in shown.items() if each["is_away"]] == [whose]
    assert (shown[whose]["as_of_block"], shown[whose]["open_breaks"]) == (None, None)
    assert all(each["as_of_block"] >= 0 for id, each in shown.items() if id != whose)
    assert len(shown[whose]["address"]) == len("0x") + 40


@pytest.mark.parametrize("place", [0, 1], ids=["en", "zh"])
def test_the_page_shows_the_day_with_who_is_away(client, away, place):
    whose, _ = away
    language = ("en", "zh")[place]
    for path in ("/", "/parts/today"):
        page = client.get(path, params={"lang": language, "show": whose})
        assert page.status_code == 200, page.text
        [row] = [line for line in page.text.splitlines() if f"<strong>{whose}</strong>" in line]
        assert TODAY_WORDS["is_away"][place] in row
        assert TODAY_WORDS["breaks_unknown"][place] in page.text
        assert TODAY_WORDS["breaks_none"][place] not in page.text
        assert (TODAY_WORDS["exchange_away"][place] in page.text) == (whose == "EXCHANGE")
        is_trader = whose.startswith("B")
        assert (TODAY_WORDS["away_positions"][place] in page.text) == is_trader
        assert ">T1<" in page.text


def test_the_page_says_nothing_of_away_while_everybody_answers(client):
    page = client.get("/", params={"lang": "en"}).text
    for word in ("is_away", "breaks_unknown", "exchange_away", "away_positions"):
        assert TODAY_WORDS[word][0] not in page
    assert TODAY_WORDS["breaks_none"][0] in page


def test_what_breaks_it_has_is_not_known_of_who_is_away(client, away):
    whose, _ = away
    told = client.get("/v1/reconciliation").json()
    assert not told["agrees"]
    for each in told["nodes"]:
        is_away = each["participant"] == whose
        expected = ("away", True, None) if is_away else ("live", False, 0)
        assert (each["state"], each["is_away"], each["open_breaks"]) == expected
    assert client.get("/v1/breaks").json()["away"] == [whose]
    refused = client.get("/v1/breaks", params={"owner": whose})
    assert (refused.status_code, refused.json()["reason"]) == (409, "SILENT")
    other = "BRK-C" if whose == "BRK-A" else "BRK-A"
    answer = client.get("/v1/breaks", params={"owner": other})
    assert (answer.status_code, answer.json()["away"]) == (200, [])


def test_who_looks_is_told_of_its_own_absence_and_not_of_that_of_others(client, away):
    whose, _ = away
    for holder in ("BRK-A", "BRK-B"):
        headers = key_header(holder)
        told = client.get("/v1/reconciliation", headers=headers).json()
        assert told["agrees"] == (holder != whose)
        listed_away = client.get("/v1/breaks", headers=headers).json()["away"]
        assert listed_away == ([whose] if holder == whose else [])


def test_a_break_of_who_is_away_is_neither_shown_nor_said_not_to_be(client, fault):
    client.post("/v1/sandbox/faults", json={"fault": "blotter-missing", "participant": "BRK-B"})
    number = f"MISSING{FAULTS.index(fault)}"
    assert client.post("/v1/trades", json=TRADE | {"number": number}).status_code == 201
    until(lambda: client.get("/v1/breaks", params={"owner": "BRK-B"}).json()["data"])
    client.post("/v1/sandbox/faults", json={"fault": fault, "participant": "BRK-B"})

    told, answer = (client.get(f"/v1/{what}").json() for what in ("reconciliation", "breaks"))
    [node] = [each for each in told["nodes"] if each["participant"] == "BRK-B"]
    assert (node["open_breaks"], told["breaks"], told["agrees"]) == (None, [], False)
    assert (answer["data"], answer["away"]) == ([], ["BRK-B"])

    assert client.delete("/v1/sandbox/faults/BRK-B").status_code == 204
    until_agreed(client)
    assert client.get("/v1/breaks").json()["away"] == []


def test_waiting_for_finality_waits_for_a_trade_that_is_not_affirmed(fresh):
    fresh.post("/v1/sandbox/faults", json={"fault": "blotter-missing", "participant": "BRK-C"})
    trade = TRADE | {"number": "LATE1", "buyer": "BRK-C"}
    begun = monotonic()
    early = fresh.post("/v1/trades?wait=final&timeout=1", json=trade).json()
    assert (early["state"], monotonic() - begun >= 1) == ("unaffirmed", True)

    with ThreadPoolExecutor(1) as pool:
        path = f"/v1/trades/{early['id']}?wait=final&timeout=30"
        waiting = pool.submit(lambda: fresh.get(path).json())
        assert fresh.delete("/v1/sandbox/faults/BRK-C").status_code == 204
        assert waiting.result()["state"] == "settled"


@pytest.mark.parametrize("whose", ["BRK-A", "BRK-B"])
def test_a_trade_of_who_is_away_waits_for_its_silence_and_nothing_else(fresh, fault, whose):
    fresh.post("/v1/sandbox/faults", json={"fault": fault, "participant": whose})
    trade = TRADE | {"number": f"SILENT{FAULTS.index(fault)}{whose[-1]}"}
    path = f"/v1/trades/{fresh.post('/v1/trades', json=trade).json()['id']}"
    until(lambda: fresh.get(path).json()["state"] == "queued")

    reasons = set()
    ends = monotonic() + 1
    while monotonic() < ends:
        reasons.add(fresh.get(path).json()["reason"])
    assert reasons == {"SILENT"}
