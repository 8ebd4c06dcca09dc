"""The screen of reconciliation shows what the interface shows, and its forms do what that does."""

import re

import httpx2
import pytest

from api.settled_rows import SettledRows
from api.web.reconciliation.versions import sides_of_version
from ledger.books.break_life import BreakVersion
from ledger.domain.break_actions import BreakSubject
from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import BreakKind
from ledger.domain.key_holders import KeyHolder, KeyRole
from nodes.api_keys import OPERATOR
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import key_header
from tests.support.event_streams import frames_of
from tests.support.pages import busy_market, serious_violations

WAITS_MAX = 400
BROKER = KeyHolder("BRK-A", KeyRole.BROKER, "BRK-A")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    with busy_market(tmp_path_factory.mktemp("breaks") / "state", trades=30) as market:
        market.post("/v1/sandbox/faults", {"fault": "blotter-terms", "participant": "BRK-B"})
        for number in range(3):
            market.post("/v1/trades", trade(f"BROKEN{number}"))
        market.until(lambda seen: len(seen["breaks"]) == 7)
        yield market


def trade(number):
    return {
        "number": number,
        "instrument": "NOVA1",
        "quantity": "100",
        "price": "10.50",
        "seller": "BRK-A",
        "buyer": "BRK-B",
    }


@pytest.fixture
def browse(own):
    """Asks as somebody, and does not follow where it is led."""

    def ask(method, path, name="OPERATOR", **form):
        headers = key_header(name) | {"Origin": own.url}
        with httpx2.Client(base_url=own.url, headers=headers, timeout=30) as client:
            return client.request(method, path, data=form or None)

    return ask


def breaks_on(page):
    return re.findall(
        r'class="break-kind" href="/reconciliation/breaks/([\w-]+/[0-9a-f]{16})', page
    )


def breaks_of(own, query):
    return [f"{each['owner']}/{each['id']}" for each in own.json(f"/v1/breaks?{query}")["data"]]


def test_overview_says_what_is_open_and_what_it_puts_at_risk(own):
    page = own.get("/reconciliation?lang=en")
    part = own.get("/parts/reconciliation?lang=zh")

    lead = re.sub(r"<[^>]+>", "", page[page.index('id="agreement"') :].partition("</p>")[0])
    assert re.search(r"As of block [\d,]+: 7 breaks are open, value at risk 4,231.50 CNY\.", lead)
    assert "7 项差异未结" in part
    assert re.findall(r'class="count"[^>]*>(\d+)', page) == ["7"]


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("", "state=open"),
        ("state=all", "state=all"),
        ("state=closed", "state=closed"),
        ("kind=quantity", "state=open&kind=quantity"),
        ("owner=BRK-A&kind=", "state=open&owner=BRK-A"),
        ("assignee=-", "state=open&assignee="),
        ("assignee=li.na", "state=open&assignee=li.na"),
        ("bucket=0", "state=open&bucket=0"),
        ("bucket=1", "state=open&bucket=1"),
        ("asset=CNY", "state=open&asset=CNY"),
        ("asset=ZZ0000NOVA12", "state=open&asset=ZZ0000NOVA12"),
        ("text=broken1", "state=open&subject=broken1"),
    ],
)
def test_list_has_what_the_interface_has_for_the_same_filter(own, shown, asked):
    expected = breaks_of(own, asked)

    assert breaks_on(own.get(f"/reconciliation?{shown}")) == expected
    assert breaks_on(own.get(f"/parts/reconciliation/breaks?{shown}")) == expected


def test_pages_of_the_list_hold_together(own):
    whole = breaks_on(own.get("/reconciliation"))

    assert breaks_on(own.get("/reconciliation?from=3")) == whole[3:]


def test_nobody_is_shown_the_breaks_of_others(own, browse):
    theirs = breaks_of(own, "owner=BRK-B")

    for path in (
        "/reconciliation?state=all",
        "/parts/reconciliation/breaks",
        "/parts/reconciliation",
    ):
        page = browse("GET", path, "BRK-A").text
        assert not set(breaks_on(page)) & set(theirs)
        assert "BRK-B</a>" not in page
    for path in ("/reconciliation?owner=BRK-B", f"/reconciliation/breaks/{theirs[0]}"):
        assert browse("GET", path, "BRK-A").status_code == 403
    assert browse("GET", "/reconciliation?block=1&show=BRK-B", "BRK-A").status_code == 403
    assert browse("GET", "/reconciliation?block=1&show=BRK-A", "BRK-A").status_code == 200


def test_versions_stand_side_by_side_with_what_differs_marked(own):
    page = own.get("/reconciliation?kind=quantity&lang=en")

    assert "BRK-A to BRK-B: <mark>101</mark> at 10.50" in page
    assert "BRK-A to BRK-B: <mark>100</mark> at 10.50" in page


@pytest.mark.parametrize(
    ("subject", "ours", "theirs", "sides"),
    [
        (
            BreakSubject.POSITION,
            "1000.00",
            "ledger 1000.00, statement 10.00",
            {"side_own_book": "1,000.00", "side_ledger": "1,000.00", "side_statement": "10.00"},
        ),
        (
            BreakSubject.POSITION,
            "-",
            "ledger 5, no statement",
            {"side_own_book": "", "side_ledger": "5", "side_statement": ""},
        ),
        (
            BreakSubject.STATEMENT,
            "7",
            "ledger 7, march line 3 8",
            {"side_own_book": "7", "side_ledger": "7", "side_statement": "march line 3 8"},
        ),
        (
            BreakSubject.CYCLE,
            "house abandoned",
            "ledger settled in block 5",
            {"side_own_book": "house abandoned", "side_ledger": "settled in block 5"},
        ),
        (BreakSubject.ISSUE, "-", "issued 5", {"side_own_book": "", "side_ledger": "issued 5"}),
    ],
)
def test_every_record_of_a_break_has_its_side(subject, ours, theirs, sides):
    version = BreakVersion(
        kind=BreakKind.AMOUNT,
        subject="BRK-A CNY",
        ours=ours,
        theirs=theirs,
        cause=LikelyCause.UNBOOKED,
    )

    found = sides_of_version(subject, version)

    assert {side.name: side.text for side in found} == sides


def test_work_on_a_break_is_done_once_and_shown(own, browse):
    place = breaks_of(own, "owner=BRK-B")[0]
    path = f"/reconciliation/breaks/{place}"

    def history():
        return [each["act"] for each in own.json(f"/v1/breaks/{place}")["history"]]

    seen = re.search(r'name="seen" value="(\d+)"', own.get(path))[1]
    noted = {"act": "comment", "text": "asked them", "by": "li.na", "seen": seen}
    answers = [browse("POST", path, "BRK-B", **noted) for _ in range(2)]
    browse("POST", path, "BRK-B", act="assign", to="li.na", by="wang")
    browse("POST", path, "BRK-B", act="resolve", reason="rounding", by="li.na")
    page = own.get(f"{path}?lang=en&done=resolve")

    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0].headers["location"] == f"{path}?lang=en&done=comment"
    assert history() == ["opened", "commented", "assigned", "resolved"]
    assert "asked them" in page
    assert "Noted as dealt with" in page
    assert "◐ resolved" in page
    assert place not in breaks_on(own.get("/reconciliation"))

    browse("POST", path, "BRK-B", act="reopen", by="li.na")
    assert history()[-1] == "reopened"

    nobody = browse("POST", path, "BRK-B", act="assign", to="", by="li.na")
    assert nobody.status_code == 303
    assert own.json(f"/v1/breaks/{place}")["assignee"] is None


def test_command_that_is_shown_takes_what_others_have_written_for_one_word(own, browse):
    path = f"/reconciliation/breaks/{breaks_of(own, 'owner=BRK-B')[0]}"
    browse("POST", path, "BRK-B", act="assign", to="$(reboot)", by="wang")

    page = own.get(path)
    assert "&#39;$(reboot)&#39;" in page


@pytest.mark.parametrize(
    ("name", "form", "status", "said"),
    [
        ("BRK-A", {"act": "resolve", "reason": " ", "by": "li"}, 422, "1001 INVALID"),
        ("BRK-A", {"act": "assign", "to": "li"}, 422, "1001 INVALID"),
        ("BRK-A", {"act": "delete", "by": "li"}, 422, "1001 INVALID"),
        ("CLEARING-HOUSE", {"act": "comment", "text": "hm", "by": "li"}, 403, "UNAUTHORISED"),
    ],
)
def test_refusal_of_a_form_stands_on_the_page_with_what_to_do(
    own, browse, name, form, status, said
):
    place = breaks_of(own, "owner=BRK-A")[0]
    before = own.json(f"/v1/breaks/{place}")["history"]

    answer = browse("POST", f"/reconciliation/breaks/{place}", name, **form)

    assert answer.status_code == status
    assert said in answer.text
    assert "What to do" in answer.text
    assert own.json(f"/v1/breaks/{place}")["history"] == before


def test_form_from_elsewhere_and_break_of_nobody_are_refused(own, browse):
    place = breaks_of(own, "owner=BRK-A")[0]
    headers = key_header() | {"Origin": "https://elsewhere.example"}
    with httpx2.Client(base_url=own.url, headers=headers) as client:
        foreign = client.post(f"/reconciliation/breaks/{place}", data={"act": "reopen", "by": "x"})

    assert foreign.status_code == 403
    assert browse("GET", "/reconciliation/breaks/BRK-A/0123456789abcdef").status_code == 404
    assert browse("GET", "/reconciliation/breaks/NOBODY/0123456789abcdef").status_code == 404


def test_earlier_block_is_shown_as_it_was_and_leads_back(own, browse):
    height = own.json("/v1/reconciliation")["as_of_block"]
    first = own.json("/v1/breaks")["data"][0]["first_seen_block"]

    early = own.get("/reconciliation?lang=en&block=1")
    then = own.get(f"/reconciliation?lang=en&block={first}&show=BRK-A")

    assert "all books agreed." in early
    assert breaks_on(early) == []
    assert breaks_on(then) == breaks_of(own, f"as_of_block={first}")
    assert 'role="note"' in then
    assert "Back to now" in then
    assert "hx-trigger" not in then.partition("<main")[2]
    shown = re.findall(r'title="CNY">CNY</td><td class="number">([\d,.]+)<', then)
    held = own.json(f"/v1/positions?participant=BRK-A&as_of_block={first}")["data"]
    assert shown == [f"{float(each['total']):,.2f}" for each in held if each["asset"] == "CNY"]
    assert browse("GET", f"/reconciliation?block={height + 1000}").status_code == 404


def rows_of(market, holder):
    events = market.sandbox.journal.events
    kept = events.after(0, events.last_sequence)
    return [row for part in SettledRows(market.sandbox, holder).of(kept) for row in part]


def test_everything_that_settles_is_a_row_for_whom_it_concerns(own):
    settled = own.json("/v1/trades?limit=500")["data"]
    ids = {each["id"] for each in settled if each["state"] == "settled"}

    everything, mine = rows_of(own, OPERATOR), rows_of(own, BROKER)

    assert {row.about for row in everything if row.kind == "trade"} == ids
    assert len({row.row for row in everything}) == len(everything)
    assert all(row.agrees for row in everything)
    assert 0 < len(mine) < len(everything)
    assert all("BRK-A" in row.who for row in mine)


def test_stream_shows_a_trade_as_it_becomes_final(own):
    last = own.sandbox.journal.events.last_sequence
    order = {**trade("STREAMED"), "seller": "BRK-C", "buyer": "BRK-C/client"}
    own.post("/v1/trades", order)
    seen = []
    with httpx2.Client(base_url=f"{own.url}/v1", headers=key_header(), timeout=30) as client:
        path = f"/reconciliation/stream?last_event_id={last}"
        for _, rows in frames_of(client, path):
            seen += rows
            if any(row["about"].endswith(".STREAMED") for row in seen):
                break

    kinds = {row["kind"] for row in seen}
    assert kinds == {"trade", "position"}
    assert {row["agrees"] for row in seen} == {True}


def test_page_of_the_stream_has_a_table_for_who_has_no_script(own, browse):
    page = browse("GET", "/reconciliation/stream?lang=en", "BRK-A").text
    table = page.partition("<noscript>")[2].partition("</noscript>")[0]

    whose = re.findall(r"<td>(BRK-[^<]+)</td>", table)
    assert whose
    assert all("BRK-A" in each for each in whose)


@pytest.mark.parametrize("name", ["BANK-1", "EXCHANGE", "REGISTRAR", "CLEARING-HOUSE"])
@pytest.mark.parametrize("path", ["", "?block=1", "/stream"])
def test_every_institution_has_its_own_look(browse, name, path):
    page = browse("GET", f"/reconciliation{path}", name)

    assert page.status_code == 200
    assert name in page.text


def test_who_is_away_is_named_and_nothing_is_said_to_agree(own, browse):
    own.post("/v1/sandbox/faults", {"fault": "cut-off", "participant": "BRK-C"})
    try:
        operator, broker = (
            own.get("/parts/reconciliation"),
            browse("GET", "/reconciliation", "BRK-C"),
        )
    finally:
        own.post("/v1/sandbox/faults", {"fault": "heal", "participant": "BRK-C"})

    for page in (operator, broker.text):
        assert re.search(r"Whose breaks are not known now:</span> BRK-C", page)
        assert "All books agree" not in page
    assert "All books agree" in browse("GET", "/reconciliation?lang=en", "BRK-C").text


def test_every_page_shows_the_request_behind_it(own):
    place = breaks_of(own, "owner=BRK-A")[0]

    assert "/v1/breaks?state=open&amp;kind=quantity" in own.get("/reconciliation?kind=quantity")
    assert f"/v1/breaks/{place}/resolve" in own.get(f"/reconciliation/breaks/{place}")
    assert "/v1/reconciliation/stream" in own.get("/reconciliation/stream")


def until(page, holds):
    """Waits until an expression is true; the page's policy forbids the browser to."""
    for _ in range(WAITS_MAX):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(holds)


@needs_chromium
def test_grid_keeps_few_rows_in_the_page_and_is_filtered_sorted_and_read_with_keys(own):
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        page.goto(f"{own.url}/reconciliation/stream")
        grid = page.locator("#grid")
        until(page, "document.getElementById('grid').ariaRowCount > 30")
        whole = int(grid.get_attribute("aria-rowcount"))
        lines = page.locator(".grid-body .grid-row").count()
        page.locator("#filter").fill("nova2")
        until(page, f"document.getElementById('grid').ariaRowCount < {whole}")
        until(
            page,
            """[...document.querySelectorAll('.grid-body .grid-row:not([hidden]) .asset')]
               .every((cell) => cell.textContent === 'NOVA2')""",
        )
        page.locator("#filter").fill("")
        page.get_by_role("columnheader", name="block").get_by_role("button").click()
        sorted_by = page.get_by_role("columnheader", name="block").get_attribute("aria-sort")
        grid.focus()
        page.keyboard.press("ArrowDown")
        page.locator(".grid-row.active").wait_for()
        active = grid.get_attribute("aria-activedescendant")
        violations = serious_violations(page)

    assert lines < 60
    assert sorted_by == "ascending"
    assert active == "grid-row-1"
    assert violations == []
    assert errors == []
