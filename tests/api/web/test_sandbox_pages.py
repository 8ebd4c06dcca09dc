"""The pages of the sandbox: what they do is done, what they refuse says why, others only look."""

import re

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.hosting import Hosting
from api.web.outcomes import OUTCOMES_MAX, Outcome, Outcomes
from api.web.sandbox.scenarios_page import EXAMPLE
from api.web.sandbox.screen import SECTIONS
from api.web.waiting_page import POLICY, STYLE, waiting_page
from nodes.api_keys import seeded_secret
from nodes.sandbox.home import SandboxHome, Snapshot
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.scenario.bundled import pack_index
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY

OURS = {"Origin": "http://testserver"}
OPERATOR = "OPERATOR"
OTHERS = ["BRK-A", "BANK-1", "CLEARING-HOUSE", "REGULATOR"]
PATHS = [section.path for section in SECTIONS]
OPTIONS = SandboxOptions(cycle_seconds=0)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    path = tmp_path_factory.mktemp("state")

    def opened(seed):
        return open_sandbox(
            path, seed or (None if any(path.iterdir()) else SEED), DAY, options=OPTIONS
        )

    hosting = Hosting(SandboxHome(path, opened), create_app)
    with TestClient(hosting, headers={"Accept": "text/html"}) as client:
        yield client


@pytest.fixture
def browser(running):
    """A browser in which the operator is signed in."""
    running.cookies.clear()
    sign_in(running, OPERATOR)
    return running


def sign_in(browser, name, seed=None):
    key = seeded_secret(seed or seed_of(browser), name)
    assert browser.post("/sign-in", data={"key": key}, headers=OURS).status_code == 200


def seed_of(browser):
    return browser.app.sandbox.consortium.network.seed


def send(browser, path, **fields):
    """Sends a form; the page that it leads to."""
    answer = browser.post(path, data=fields, headers=OURS)
    assert answer.status_code == 200, answer.text
    return answer.text


def told(page):
    """What a page says was done."""
    return re.sub(r"<[^>]+>", "", re.search(r'<p id="told".*?</p>', page, re.DOTALL)[0])


def refused(page):
    """What a page says was refused."""
    return re.search(r'<div id="told" class="refusal".*?</div>', page, re.DOTALL)[0]


def test_trades_are_made_and_the_page_says_how_many(browser):
    page = send(browser, "/sandbox/trades", count="20", seed="7")
    again = send(browser, "/sandbox/trades?lang=zh", count="20", seed="7")

    assert "Trades on record: 20; known before: 0." in told(page)
    assert "已记录成交 20 笔" in told(again)


@pytest.mark.parametrize("count", ["0", "abc", "", "9" * 30, "1.5", "<b>"])
def test_refusal_stands_in_the_page_with_number_cause_and_remedy(browser, count):
    page = send(browser, "/sandbox/trades", count=count, seed="7")

    said = refused(page)
    assert "1001 INVALID" in said
    assert "count" in said
    assert "What to do" in said
    assert "<b>" not in page
    assert "on record" not in said


def test_reload_and_links_of_others_do_and_say_nothing(browser):
    answer = browser.post("/sandbox/trades", data={"count": "5", "seed": "9"}, headers=OURS)
    again = browser.get(answer.url)
    browser.post("/sign-out", headers=OURS)
    sign_in(browser, "BRK-A")
    elsewhere = browser.get(answer.url)

    assert "on record: 5;" in told(again.text)
    assert 'id="told"' not in elsewhere.text
    assert 'id="told"' not in browser.get("/sandbox?said=whatever").text


def test_cash_and_securities_come_in_once_a_reference(browser):
    fields = {"account": "BRK-A", "direction": "in", "asset": "CNY", "amount": "1.00"}
    first = send(browser, "/sandbox/fund", reference="F-1", **fields)
    again = send(browser, "/sandbox/fund", reference="F-1", **fields)
    shares = {**fields, "asset": "NOVA1", "amount": "5", "reference": "F-2"}
    of_shares = send(browser, "/sandbox/fund", **shares)
    other = send(browser, "/sandbox/fund", reference="F-1", **{**fields, "amount": "2.00"})

    assert "F-1 is done" in told(first)
    assert told(first) == told(again)
    assert "NOVA1" in told(of_shares)
    assert 'value="F-1"' in other
    assert "DUPLICATE" in refused(other)


def test_somebody_is_stood_in_for_and_no_more(browser):
    on = send(
        browser, "/sandbox/stubs", participant="BRK-B", behaviour="differ", after_seconds="60"
    )
    off = send(browser, "/sandbox/stubs", participant="BRK-B", behaviour="off")
    nobody = send(browser, "/sandbox/stubs", participant="BRK-Z", behaviour="match")

    assert "BRK-B is stood in for." in told(on)
    assert "one unit more</td>" in on
    assert "no more" in told(off)
    assert "UNKNOWN" in refused(nobody)


def test_clock_is_frozen_moved_and_its_day_ended(browser):
    assert "The clock stands at" in told(send(browser, "/sandbox/clock", act="freeze"))
    before = browser.get("/v1/clock").json()["business_time"]
    assert "The clock stands at" in told(
        send(browser, "/sandbox/clock", act="advance", seconds="60")
    )
    after = browser.get("/v1/clock").json()
    assert after["business_time"] > before
    past = send(browser, "/sandbox/clock", act="to", time="2000-01-01T00:00")
    assert "INVALID" in refused(past)
    assert "This business date has ended" in send(browser, "/sandbox/clock", act="end_of_day")
    assert " 09:00" in told(send(browser, "/sandbox/clock", act="next_day"))
    send(browser, "/sandbox/clock", act="end_of_day_at", time="18:00")
    assert browser.get("/v1/clock").json()["end_of_day_at"] == "18:00:00"
    send(browser, "/sandbox/clock", act="end_of_day_at", time="")
    assert browser.get("/v1/clock").json()["end_of_day_at"] is None
    assert "INVALID" in refused(send(browser, "/sandbox/clock", act="nonsense"))
    assert "runs from" in told(send(browser, "/sandbox/clock", act="run"))


def test_fault_stands_until_it_is_healed(browser):
    page = send(browser, "/sandbox/faults", fault="slow", participant="BRK-C", milliseconds="3")
    without = send(browser, "/sandbox/faults", fault="slow", participant="BRK-C")
    healed = send(browser, "/sandbox/faults/heal", participant="BRK-C")

    assert "BRK-C: slow is done" in told(page)
    assert "Heal BRK-C" in page
    assert "milliseconds" in refused(without)
    assert "Heal BRK-C" not in healed
    assert "All nodes and desks are well" in healed


def test_scenarios_are_found_played_and_told_step_by_step(browser):
    everything = browser.get("/sandbox/scenarios").text
    found = browser.get("/sandbox/scenarios?q=back-to-back").text
    page = send(browser, "/sandbox/scenarios/dvp-back-to-back/run")

    assert f"{len(pack_index())} / {len(pack_index())}" in everything
    assert "/sandbox/scenarios/dvp-back-to-back?" in found
    assert "/sandbox/scenarios/cancel-a-trade?" not in found
    assert "✓ passed" in page
    assert page.count("<strong>instruct</strong>") == 2
    assert page.count("✓ holds") >= 6
    assert "▲" not in page.partition('id="outcome"')[2]


def test_scenario_of_ones_own_fails_where_it_fails(browser):
    passed = send(browser, "/sandbox/scenarios", scenario=EXAMPLE.replace("\n", "\r\n"))
    failed = send(browser, "/sandbox/scenarios", scenario=EXAMPLE.replace("750.00", "751.00"))
    none = send(browser, "/sandbox/scenarios", scenario="scenario: x\nevents: [{explode: A}]")

    assert "✓ passed" in passed
    assert "▲ failed" in failed
    assert re.search(r"cash.A.CNY</td>\s*<td[^>]*>751.00</td>\s*<td[^>]*>750.00", failed)
    assert failed.count("▲ differs") == 1
    assert "a verb among" in refused(none)
    assert "explode" in none.partition("<textarea")[2]


def test_market_is_kept_begun_anew_and_gone_back_to(browser):
    seed, block = seed_of(browser), browser.get("/v1/sandbox").json()["block"]
    assert "Kept as before" in told(send(browser, "/sandbox/snapshots", name="before"))
    twice = send(browser, "/sandbox/snapshots", name="before")
    assert "DUPLICATE" in refused(twice)
    assert "Choose another name" in refused(twice)

    same = browser.get("/sandbox/snapshots/confirm?act=reset").text
    asked = browser.get("/sandbox/snapshots/confirm?act=reset&seed=another").text
    assert "captured trades" in asked
    assert "keys will be others" in asked
    assert "keys will be others" not in same
    begun = send(browser, "/sandbox/snapshots/reset", seed="another")
    assert "seed another" in told(begun)
    assert browser.get("/v1/trades").json()["data"] == []

    asked = browser.get("/sandbox/snapshots/confirm?act=restore&name=before").text
    assert "Go back to before" in asked
    assert "keys will be others" in asked
    restored = send(browser, "/sandbox/snapshots/restore", name="before")
    assert "as it was in before" in told(restored)
    now = browser.get("/v1/sandbox").json()
    assert (now["block"], now["seed"]) == (block, seed)
    assert "Drop before" in browser.get("/sandbox/snapshots/confirm?act=drop&name=before").text
    assert "is dropped" in told(send(browser, "/sandbox/snapshots/drop", name="before"))
    assert "UNKNOWN" in refused(send(browser, "/sandbox/snapshots/drop", name="before"))


@pytest.mark.parametrize("query", ["act=nonsense", "act=restore&name=none", "act=drop&name=../x"])
def test_what_cannot_be_confirmed_is_not_asked(browser, query):
    answer = browser.get(f"/sandbox/snapshots/confirm?{query}")

    assert answer.status_code in (404, 422)
    assert '<button class="danger"' not in answer.text


def test_log_of_requests_is_filtered_and_shows_bodies(browser):
    browser.post(
        "/v1/sandbox/trades",
        json={"count": 0, "seed": 3},
        headers={**OURS, "Idempotency-Key": "K-<b>"},
    )
    page = browser.get("/sandbox/requests?status=4xx&method=POST&path=/v1/sandbox&caller=OPERATOR")
    id = re.search(r"/sandbox/requests/(req_\w+)", page.text)[1]
    one = browser.get(f"/sandbox/requests/{id}").text

    assert "▲ 422" in page.text
    assert "K-&lt;b&gt;" in page.text
    assert "/parts/" not in browser.get("/sandbox/requests").text.partition("<tbody>")[2]
    assert "&#34;count&#34;: 0" in one
    assert "1001 INVALID" in one
    assert browser.get("/sandbox/requests?status=nonsense").status_code == 422


def test_events_are_newest_first_and_filtered(browser):
    send(browser, "/sandbox/faults", fault="restart", participant="BRK-B")
    page = browser.get("/sandbox/events?type=fault.*&participant=BRK-B").text
    kinds = re.findall(r'<td class="code">([\w.]+)</td>', page)
    numbers = [int(each) for each in re.findall(r"evt-[\w-]+\?lang=en\">(\d+)</a>", page)]
    id = re.search(r"/sandbox/events/(evt-[\w-]+)", page)[1]

    assert set(kinds) == {"fault.injected"}
    assert numbers == sorted(numbers, reverse=True)
    assert "&#34;fault&#34;: &#34;restart&#34;" in browser.get(f"/sandbox/events/{id}").text
    assert "No event is like that" in browser.get("/sandbox/events?subject=none").text


def test_endpoint_is_added_shown_its_secret_once_switched_and_removed(browser):
    refusal = send(browser, "/sandbox/webhooks", url="http://127.0.0.1/hook")
    fields = {"url": "http://93.184.216.34/hook", "types": "trade.*, cycle.*"}
    shown = browser.post("/sandbox/webhooks", data=fields, headers=OURS)
    page = shown.text
    id = re.search(r"/sandbox/webhooks/(whe-\w+)", page)[1]

    assert "url" in refused(refusal)
    assert "whsec_" in page
    assert "whsec_" not in browser.get(shown.url).text
    assert "whsec_" not in browser.get("/sandbox/webhooks").text
    assert "trade.* cycle.*" in page
    assert "is disabled" in told(send(browser, f"/sandbox/webhooks/{id}", act="disable"))
    assert "Nothing has been sent yet" in browser.get(f"/sandbox/webhooks/{id}").text
    assert "UNKNOWN" in refused(send(browser, f"/sandbox/webhooks/{id}", act="resend", event="x"))
    event = browser.get("/v1/events?limit=1&type=trade*").json()["data"][0]["id"]
    assert "once more" in told(send(browser, f"/sandbox/webhooks/{id}", act="resend", event=event))
    assert "is removed" in told(send(browser, f"/sandbox/webhooks/{id}", act="remove"))
    assert browser.get(f"/sandbox/webhooks/{id}").status_code == 404


@pytest.fixture(scope="module")
def broken(running):
    """A market with a fault and a snapshot, which are the operator's affair."""
    running.cookies.clear()
    sign_in(running, OPERATOR)
    send(running, "/sandbox/faults", fault="slow", participant="BRK-C", milliseconds="3")
    kept = Snapshot(
        name="kept", seed=SEED, business_time="2026-02-10T09:00:00", block=1, state_hash=""
    )
    folder = running.app.home.path / "snapshots/kept"
    folder.mkdir(parents=True)
    (folder / "snapshot.json").write_bytes(msgspec.json.encode(kept))


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("name", OTHERS)
def test_others_look_and_are_told_why_they_may_not(browser, name):
    browser.cookies.clear()
    sign_in(browser, name)
    pages = {path: browser.get(path).text for path in PATHS}

    for path in ("/sandbox", "/sandbox/clock", "/sandbox/faults", "/sandbox/snapshots"):
        assert "only the operator of the sandbox may" in pages[path], path
        main = pages[path].partition("<main")[2]
        main = re.sub(r"<fieldset[^>]* disabled>.*?</fieldset>", "", main, flags=re.DOTALL)
        open_to_it = re.findall(r"<button(?![^>]* disabled)[^>]*>[^<]*", main)
        may_fund = path == "/sandbox" and name == "BANK-1"
        assert [each.partition(">")[2] for each in open_to_it] == ["Move it"] * may_fund
    assert "Heal BRK-C" not in pages["/sandbox/faults"]
    assert "<strong>kept</strong>" not in pages["/sandbox/snapshots"]
    assert f">{seed_of(browser)}<" not in pages["/sandbox"]
    if name in ("BRK-A", "BANK-1"):
        rows = pages["/sandbox/requests"].partition("<tbody>")[2]
        assert OPERATOR not in rows.partition("</tbody>")[0]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_speaks_its_language_and_asks_nobody_else(browser, path, language):
    page = browser.get(f"{path}?lang={language}").text

    assert page.count("<h1") == 1
    assert "style=" not in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    assert ("沙箱" in page) is (language == "zh") or "中文" in page
    assert not re.search(r">(done|seen|fault|only|section)_[\w-]+<", page)


@pytest.mark.parametrize(
    "path", ["trades", "fund", "stubs", "clock", "faults", "faults/heal", "snapshots/reset"]
)
def test_forms_of_other_origins_do_nothing(browser, path):
    before = browser.get("/v1/sandbox").json()["block"]

    answer = browser.post(f"/sandbox/{path}", data={"count": "5", "act": "freeze"})

    assert answer.status_code == 403
    assert browser.get("/v1/sandbox").json()["block"] == before


def test_while_one_market_is_replaced_a_calm_page_waits():
    headers = [(b"accept", b"text/html"), (b"accept-language", b"zh-CN")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    answer = waiting_page(scope)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    text = answer.body.decode()
    assert "正在切换市场" in text
    assert STYLE in text
    assert '<meta http-equiv="refresh" content="2">' in text
    assert answer.headers["content-security-policy"] == POLICY


def test_outcomes_are_bounded_and_of_who_sent_the_form():
    outcomes = Outcomes()
    first = outcomes.keep("OPERATOR", Outcome(said="first"))
    assert outcomes.find("OPERATOR", first) == Outcome(said="first")
    assert outcomes.find("BRK-A", first) is None
    for _ in range(OUTCOMES_MAX):
        outcomes.keep("BRK-A", Outcome())
    assert outcomes.find("OPERATOR", first) is None


def test_broker_is_let_in_by_its_key_as_well(running):
    running.cookies.clear()

    assert running.get("/sandbox/clock", headers=key_header("BRK-A")).status_code == 200
