"""The pages of cycles: what was netted, who signed, what waits, and closing a cycle by hand."""

import re
from dataclasses import replace
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from api.web.cycles.parties import ASKED, OBJECTS, SIGNED, SILENT, asked_parties, signed_parties
from api.web.cycles.shown import Asked, cycle_shown
from api.web.cycles.timeline import kept_timeline, watched_timeline
from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.reasons import Reason
from nodes.api_keys import OPERATOR
from nodes.clearing_house.cycle_watch import RECONCILED, STAGES, CycleWatch
from nodes.clock import SimulatedClock
from nodes.explorer.live import explorer_of
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY
from tests.support.pages import BusyMarket, serious_violations
from tests.support.servers import served

BROKER = KeyHolder("BRK-A", KeyRole.BROKER, "BRK-A")


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """A market in which cycles are struck by hand alone, with trades that wait."""
    folder = tmp_path_factory.mktemp("by-hand") / "state"
    sandbox = open_sandbox(folder, SEED, DAY, options=SandboxOptions(cycle_seconds=0))
    with served(sandbox) as place:
        market = BusyMarket(sandbox, f"http://{place.place}")
        market.post("/v1/sandbox/trades", {"count": 60, "seed": 7})
        with sandbox.lock:
            sandbox._take_in()
        yield market


@pytest.fixture
def shown(market):
    return shown_to(market, OPERATOR)


def shown_to(market, holder, asked=None):
    sandbox = market.sandbox
    with sandbox.lock:
        row = sandbox.consortium.clearing_house.cycles.get(1)
        explorer = explorer_of(sandbox.consortium)
        return cycle_shown(sandbox.consortium, explorer, holder, row, asked or Asked())


def rows_of(market, holder, **asked):
    """All lines, or trades, page by page."""
    found, place = [], 0
    [(part, participant)] = asked.items()
    while True:
        where = Asked(participant=participant, **{part: place})
        page = getattr(shown_to(market, holder, where), f"{part}s")
        found += page.rows
        place += page.a_page
        if place >= page.total:
            return found


def refused(ask):
    """The status and the page that something is refused with."""
    with pytest.raises(HTTPError) as caught:
        ask()
    with caught.value as error:
        return error.code, error.read().decode()


def post_form(market, path, fields, name="OPERATOR", **headers):
    """Where a form leads to, once it is sent."""
    sent = Request(f"{market.url}{path}", urlencode(fields).encode())
    for key, value in {**key_header(name), **headers}.items():
        sent.add_header(key, value)
    with urlopen(sent) as answer:
        return answer.geturl()


def test_lines_of_a_cycle_cancel_out_in_every_asset(market):
    sums = {}
    for each in rows_of(market, OPERATOR, line=None):
        amount = float(each.amount.replace(",", ""))
        sums[each.asset] = sums.get(each.asset, 0) + (-amount if each.pays else amount)

    assert set(sums.values()) == {0}
    assert "CNY" in sums


def test_lines_of_one_participant_are_its_own(market):
    number = market.sandbox.consortium.network.participant_number("BRK-B")
    rows = rows_of(market, OPERATOR, line=number)

    assert {each.participant for each in rows} == {"BRK-B"}
    assert rows[0].is_cash


def test_page_shows_as_many_lines_and_trades_as_the_cycle_has(market, shown):
    view = market.json("/v1/cycles/1")

    assert shown.lines.total == view["securities_lines"] + view["cash_lines"]
    assert len(rows_of(market, OPERATOR, trade=None)) == view["trades"] == 200


def test_everybody_in_the_cycle_has_signed_and_the_time_of_it_is_known(shown):
    assert shown.parties.signed == shown.cycle.parties == len(shown.parties.staying)
    assert all(each.after_ms is not None for each in shown.parties.staying)
    assert shown.parties.cut_out == []


def test_how_soon_others_have_signed_is_not_told(market):
    staying = shown_to(market, BROKER).parties.staying

    assert {each.standing for each in staying} == {SIGNED}
    assert [each.id for each in staying if each.after_ms is not None] == ["BRK-A"]


def test_way_of_a_cycle_adds_up_to_the_time_it_took(shown):
    timeline = shown.timeline

    assert [step.stage for step in timeline.steps] == [*STAGES, RECONCILED]
    assert all(step.is_reached for step in timeline.steps)
    assert sum(step.took_ms for step in timeline.steps[:-1]) == timeline.total_ms
    assert timeline.total_ms <= shown.cycle.finality_ms


def test_transaction_and_block_of_a_cycle_are_those_of_the_chain(market, shown):
    page = market.get(f"/chain/transactions/{shown.transactions[-1]}")

    assert shown.block.number == shown.cycle.block
    assert "200" in page


def test_broker_sees_every_line_but_only_its_own_trades(market, shown):
    of_broker = shown_to(market, BROKER)
    trades = rows_of(market, BROKER, trade=None)

    assert of_broker.lines.total == shown.lines.total
    assert 0 < len(trades) < 200
    assert all("BRK-A" in f"{each.seller} {each.buyer}" for each in trades)


def test_trade_that_left_its_cycle_is_shown_with_the_reason(market):
    page = market.get("/cycles/2")

    assert "None could stay in it" in page
    assert "UNAFFIRMED" in page


def test_cycle_that_is_not_there_is_refused_as_a_page(market):
    code, page = refused(lambda: market.get("/cycles/999"))

    assert code == 404
    assert "<h1" in page


def test_list_leads_to_cycles_and_filters_by_state(market):
    assert 'href="/cycles/1?' in market.get("/cycles")
    assert 'href="/cycles/1?' not in market.get("/cycles?state=empty")
    assert 'href="/cycles/1?' in market.get("/cycles?below=2")


def test_past_cycle_has_the_time_it_took_in_all_only():
    kept = kept_timeline(120, is_settled=True)

    assert kept.total_ms == kept.steps[-1].after_ms == 120
    assert all(step.took_ms is None for step in kept.steps)


class TestWatching:
    """A cycle under way, as far as it has come."""

    @pytest.fixture
    def watch(self, market):
        watch = CycleWatch(SimulatedClock.at(DAY))
        watch.reached("struck", 5, 10)
        watch.asks(5, self.numbers(market, "BRK-A", "BRK-B", "BRK-C"))
        watch.answered(5, self.numbers(market, "BRK-A")[0], None)
        watch.answered(5, self.numbers(market, "BRK-B")[0], Reason.SILENT)
        return watch

    @staticmethod
    def numbers(market, *ids):
        return tuple(map(market.sandbox.consortium.network.participant_number, ids))

    def test_signed_silent_and_asked_are_told_apart(self, market, watch):
        network = market.sandbox.consortium.network
        parties = asked_parties(network, OPERATOR, watch.under_way())

        standing = {each.id: each.standing for each in parties.staying}
        assert standing == {"BRK-A": SIGNED, "BRK-B": SILENT, "BRK-C": ASKED}

    def test_who_objects_and_is_cut_out_stays_in_sight(self, market, watch):
        network = market.sandbox.consortium.network
        a, b, c = self.numbers(market, "BRK-A", "BRK-B", "BRK-C")
        watch.answered(5, c, Reason.DISPUTED)
        watch.asks(5, (a,))
        watch.answered(5, a, None)
        parties = asked_parties(network, OPERATOR, watch.under_way())

        assert [(each.id, each.attempt) for each in parties.staying] == [("BRK-A", 2)]
        assert {each.id: each.standing for each in parties.cut_out} == {
            "BRK-B": SILENT,
            "BRK-C": OBJECTS,
        }
        settled = signed_parties(network, OPERATOR, (a,), watch.cycle(5))
        assert settled.cut_out == parties.cut_out
        assert b not in settled.staying

    def test_broker_learns_of_its_own_answer_only(self, market, watch):
        network = market.sandbox.consortium.network
        parties = asked_parties(network, BROKER, watch.under_way())

        assert [each.id for each in parties.staying] == ["BRK-A"]

    def test_stages_that_are_ahead_are_not_reached(self, watch):
        steps = watched_timeline(watch.under_way()).steps

        assert [step.is_reached for step in steps] == [True, False, False, False, False, False]

    def test_cycle_that_is_over_is_no_longer_under_way_but_remembered(self, watch):
        watch.over(5)

        assert watch.under_way() is None
        assert watch.cycle(5).is_over

    def test_number_of_a_cycle_that_broke_off_is_given_again(self, watch):
        watch.reached("struck", 5, 3)

        assert watch.cycle(5).trades == 3
        assert watch.cycle(5).answers == {}


def test_page_of_a_cycle_under_way_needs_no_turn_of_the_clearing_house(by_hand):
    sandbox = by_hand.sandbox
    watch = sandbox.consortium.clearing_house.net.watch
    number = sandbox.consortium.clearing_house.cycles.next_number()
    with sandbox.lock:
        watch.reached("struck", number, 12)
        watch.asks(number, (1, 2))
        watch._cycles[number] = replace(watch._cycles[number], struck_ns=0)
        page = by_hand.get(f"/cycles/{number}")
        part = by_hand.get("/parts/cycles/open")
        watch.over(number)

    assert "12 trades are being settled" in page
    assert "12 trades are being settled" in part
    assert f"/parts/cycles/{number}?" in page


def test_next_cycle_is_previewed_and_closed_by_hand(by_hand):
    before = by_hand.get("/cycles/open")
    number = by_hand.sandbox.consortium.clearing_house.cycles.next_number()
    own = {"Sec-Fetch-Site": "same-origin"}
    place = post_form(by_hand, "/cycles/open", {"lang": "en"}, **own)

    assert "60 trades wait; 60 of them would settle" in before
    assert "Close the cycle now" in before
    assert place == f"{by_hand.url}/cycles/{number}?lang=en"
    assert by_hand.json(f"/v1/cycles/{number}")["state"] == "settled"
    assert "No trade waits to be netted" in by_hand.get("/cycles/open")


def test_party_that_keeps_silent_is_seen_to_be_cut_out(by_hand):
    sandbox = by_hand.sandbox
    by_hand.post("/v1/sandbox/trades", {"count": 40, "seed": 8})
    with sandbox.lock:
        sandbox._take_in()
    by_hand.post("/v1/sandbox/faults", {"fault": "cut-off", "participant": "BRK-C"})
    number = by_hand.post("/v1/cycles", {})["number"]
    by_hand.post("/v1/sandbox/faults", {"fault": "heal", "participant": "BRK-C"})
    page = by_hand.get(f"/cycles/{number}")
    of_other = by_hand.get(f"/cycles/{number}", "BRK-A")

    assert "Cut out, since they did not sign" in page
    assert "silent" in page
    assert "2 of 2 have signed" in page
    assert "Trades that left it" in page
    assert "Cut out" not in of_other


def test_only_the_operator_closes_cycles_and_only_from_its_own_pages(by_hand):
    own = {"Sec-Fetch-Site": "same-origin"}
    other = {"Sec-Fetch-Site": "cross-site"}
    by_broker, _ = refused(lambda: post_form(by_hand, "/cycles/open", {}, "BRK-A", **own))
    elsewhere, _ = refused(lambda: post_form(by_hand, "/cycles/open", {}, **other))
    page = by_hand.get("/cycles/open", "BRK-A")

    assert by_broker == elsewhere == 403
    assert "<form method=" not in re.sub(r"<header>.*?</header>", "", page, flags=re.DOTALL)


@needs_chromium
def test_cycle_is_read_line_by_line_with_the_keyboard_and_mouse(market):
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        page.goto(f"{market.url}/cycles")
        page.get_by_role("link", name="1", exact=True).first.click()
        page.get_by_label("participant").select_option("BRK-C")
        page.get_by_role("button", name="Show").click()
        accounts = page.locator("#lines ~ .scroll tbody td:first-child").all_inner_texts()
        page.get_by_text("Advanced").click()
        root = page.get_by_text("Merkle root").is_visible()
        found = serious_violations(page)

    assert {each.partition("/")[0] for each in accounts} == {"BRK-C"}
    assert root
    assert found == []
    assert errors == []
