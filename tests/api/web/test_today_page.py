"""The page of the day: its figures add up, and it changes while one looks."""

import threading
import time

import pytest
import uvicorn

from api.app import create_app
from api.web.today.shown import today_of
from nodes.api_keys import OPERATOR
from nodes.explorer.live import explorer_of
from nodes.sandbox.sandbox import open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import key_header
from tests.support.consortia import DAY


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    return open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)


@pytest.fixture(scope="module")
def address(sandbox):
    config = uvicorn.Config(create_app(sandbox), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


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


def test_figures_of_the_day_add_up(sandbox, address):
    today = today_of(sandbox.consortium, explorer_of(sandbox.consortium), OPERATOR, None)

    parts = today.settled + today.waiting + today.cancelled + today.unaffirmed
    assert today.captured == parts


@needs_chromium
def test_trade_appears_on_the_open_page_without_reloading(address):
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        page.goto(address)
        page.get_by_text("No cycle yet").wait_for()
        page.request.post(
            f"{address}/v1/trades",
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
        figures = page.locator(".figures").inner_text()
        broken = [lines_of_large_figures(page, width) for width in (1400, 420)]
        page.get_by_role("link", name="\u4e2d\u6587").click()
        page.get_by_text("\u51c0\u989d\u6279\u6b21").first.wait_for()

    assert "1,050.00" in figures
    assert broken == [{1}, {1}]
    assert errors == []
