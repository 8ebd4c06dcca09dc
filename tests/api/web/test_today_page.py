"""The page of the day: its figures add up, it stays readable, and it changes while one looks."""

import re

import pytest

from api.web.today.breaks import breaks_of
from api.web.today.figures import funnel_of
from api.web.today.shown import INSTITUTIONS_SHOWN, today_of
from ledger.domain.key_holders import KeyHolder, KeyRole
from nodes.api_keys import OPERATOR
from nodes.explorer.live import explorer_of
from nodes.sandbox.sandbox import open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY
from tests.support.pages import BusyMarket
from tests.support.servers import served

BROKER = KeyHolder("BRK-C", KeyRole.BROKER, "BRK-C")
BANK = KeyHolder("BANK-1", KeyRole.BANK, "BANK-1")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("empty") / "state", SEED, DAY)
    with served(sandbox) as place:
        yield BusyMarket(sandbox, f"http://{place.place}")


@pytest.fixture
def today(market):
    sandbox = market.sandbox
    with sandbox.lock:
        return today_of(sandbox, explorer_of(sandbox.consortium), OPERATOR)


def seen_by(market, holder):
    with market.sandbox.lock:
        return today_of(market.sandbox, explorer_of(market.sandbox.consortium), holder)


def lines_of_large_figures(page, width):
    """On how many lines each figure of the day stands when it is large."""
    page.set_viewport_size({"width": width, "height": 900})
    return set(
        page.evaluate(
            """() => [...document.querySelectorAll(".figures dd")].map((dd) => {
              dd.textContent = "6,508,423,254,000.00";
              return Math.round(dd.offsetHeight / parseFloat(getComputedStyle(dd).lineHeight));
            })"""
        )
    )


def test_figures_of_the_day_add_up(today):
    figures = today.figures

    ended = figures.cancelled + figures.failed + figures.unaffirmed
    parts = figures.settled + figures.waiting + ended
    assert figures.captured == parts == 201
    assert today.for_cycle + today.queued == figures.waiting


def test_funnel_narrows_from_captured_to_reconciled(today):
    counts = [stage.count for stage in today.funnel]

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 201
    assert counts[1] == 200
    assert counts[3] == 200


def test_trade_on_which_records_differ_is_settled_but_not_reconciled(market, today):
    waits = today.figures.unaffirmed
    pulse, block = market.sandbox.pulse, today.as_of_block
    [*_, whole] = funnel_of(today.figures, pulse, block, broken=waits)
    [*_, broken] = funnel_of(today.figures, pulse, block, broken=waits + 1)

    assert whole.count == broken.count + 1


def test_trade_that_is_not_affirmed_is_not_taken_from_the_settled_ones_too(today):
    *_, settled, reconciled = today.funnel

    assert today.figures.unaffirmed == today.breaks.trades == 1
    assert reconciled.count == settled.count


def test_what_is_far_behind_is_not_yet_reconciled(market):
    pulse = market.sandbox.pulse

    assert pulse.settled_by(pulse.totals.last_block, 1_000) == pulse.totals.trades
    assert pulse.settled_by(0, 1_000) == 0


def test_cash_of_a_bank_is_what_its_customers_hold(market, today):
    positions = market.json("/v1/positions?limit=500")["data"]
    banks = {each["id"]: each["settlement_bank"] for each in participants(market)}

    for shown in today.cash:
        held_there = [
            each
            for each in positions
            if each["kind"] == "cash" and banks[each["account"].split("/")[0]] == shown.bank
        ]
        total = sum(float(each["available"]) for each in held_there)
        assert float(shown.available.replace(",", "")) == total


def participants(market):
    return market.json("/v1/participants")["data"]


def test_bank_sees_the_cash_of_its_customers_and_a_broker_its_own(market):
    [own] = seen_by(market, BROKER).cash
    of_bank = seen_by(market, BANK).cash

    assert own.customers == 1
    assert {each.bank for each in of_bank} == {"BANK-1"}


def test_broker_sees_its_own_breaks_trades_and_instructions_only(market):
    seen = seen_by(market, BROKER)

    assert seen.breaks.total == 0
    assert seen.queue.total == 0
    assert all("BRK-C" in f"{each.seller} {each.buyer}" for each in seen.trades)
    assert all(each.open_breaks is None for each in seen.institutions.shown if each.id != "BRK-C")


def test_those_in_trouble_come_first_and_the_list_is_bounded(market, today):
    shown = today.institutions.shown

    assert shown[0].open_breaks
    assert len(shown) <= INSTITUTIONS_SHOWN
    assert today.institutions.total == len(participants(market))


def test_oldest_breaks_are_shown_and_all_are_counted(market):
    found = breaks_of(market.sandbox.consortium, OPERATOR)

    assert found.total == sum(count for _, count in found.count_by_kind)
    assert len(found.oldest) == min(found.total, 3)
    assert not found.agrees


def test_page_says_how_the_day_stands_and_leads_on(market):
    page = market.get("/")

    assert "200 of 201 trades that were captured are settled" in page
    for path in ("/trades/", "/cycles/1?", "/cycles?", "/reconciliation?", "/liquidity?"):
        assert f'href="{path}' in page


def test_empty_market_says_three_things_to_try_that_work(empty):
    page = empty.get("/")
    body = re.search(r"-d '(\{.*?\})'", page, re.DOTALL)

    assert "no trade has been captured yet" in page
    assert f".venv/bin/novate sandbox trades 200 --seed 42 --url {empty.url}" in page
    assert f".venv/bin/novate events --follow --url {empty.url}" in page
    assert body is not None


def test_who_may_not_make_trades_is_not_told_to(empty):
    assert "novate sandbox trades" not in empty.get("/", "BRK-A")


@needs_chromium
def test_trade_appears_on_the_open_page_without_reloading(empty):
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        page.goto(empty.url)
        page.get_by_text("No cycle yet").wait_for()
        page.request.post(
            f"{empty.url}/v1/trades",
            data={
                "number": "SEEN",
                "instrument": "NOVA1",
                "quantity": "100",
                "price": "10.50",
                "seller": "BRK-A",
                "buyer": "BRK-B",
            },
        )
        page.locator("#trades ~ .scroll tbody tr").first.wait_for(timeout=20_000)
        page.locator("#cycles ~ .scroll tbody tr").first.wait_for(timeout=20_000)
        figures = page.locator(".figures").first.inner_text()
        broken = [lines_of_large_figures(page, width) for width in (1400, 420)]
        page.get_by_role("link", name="\u4e2d\u6587").click()
        page.get_by_text("\u6700\u8fd1\u6279\u6b21").first.wait_for()

    assert "1,050.00" in figures
    assert broken == [{1}, {1}]
    assert errors == []
