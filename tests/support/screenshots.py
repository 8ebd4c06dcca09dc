"""Pictures of every screen, with a busy day in it: ``make screenshots``."""

import sys
import tempfile
from pathlib import Path
from time import sleep

from nodes.api_keys import OPERATOR, seeded_secret
from tests.support.browser import opened_page
from tests.support.clients import SEED
from tests.support.pages import busy_market

WIDTH, HEIGHT = 1400, 900
TALLEST = 1_800
"""In pixels: what is longer is cut, or the pictures would be of tables."""
ROUNDS = 12
CYCLE_SECONDS = 1
"""Longer than the market waits between two cycles."""
LIQUIDITY = [
    ("RING-1", "BRK-A", "BRK-C", "NOVA3", "3000000000.00"),
    ("RING-2", "BRK-C", "BRK-B/client", "NOVA2", "2600000000.00"),
    ("RING-3", "BRK-B/client", "BRK-A", "NOVA4", "2900000000.00"),
    ("ALONE-1", "BRK-B", "BRK-A/client", "NOVA5", "4100000000.00"),
    ("ALONE-2", "BRK-C/client", "BRK-B", "NOVA6", "2200000000.00"),
]


def live_through_a_day(market):
    """Trades in many cycles, payments that wait for each other, and a standing fault."""
    market.post("/v1/sandbox/faults", {"fault": "heal", "participant": "BRK-A"})
    for number in range(ROUNDS):
        market.post("/v1/sandbox/trades", {"count": 120 + 40 * (number % 4), "seed": number})
        sleep(CYCLE_SECONDS)
    for label, seller, buyer, instrument, amount in LIQUIDITY:
        market.post(
            "/v1/instructions",
            {
                "label": label,
                "kind": "dvp",
                "seller": seller,
                "buyer": buyer,
                "instrument": instrument,
                "quantity": "100",
                "amount": amount,
            },
        )
    market.post("/v1/sandbox/faults", {"fault": "blotter-missing", "participant": "BRK-B"})
    market.post("/v1/sandbox/trades", {"count": 3, "seed": 99})
    market.until(lambda seen: len(seen["breaks"]) > 1)


def paths(market):
    """What is shown, by the name of the picture."""
    cycles = market.json("/v1/cycles?limit=100")["data"]
    cycle = max(cycles, key=lambda each: each["trades"])
    trade = market.json("/v1/trades?limit=1")["data"][0]
    found = market.json("/v1/breaks?limit=1")["data"][0]
    return {
        "today": "/",
        "trades": "/trades",
        "trade": f"/trades/{trade['id']}",
        "cycles": "/cycles",
        "cycle": f"/cycles/{cycle['number']}",
        "reconciliation": "/reconciliation",
        "break": f"/reconciliation/breaks/{found['owner']}/{found['id']}",
        "stream": "/reconciliation/stream",
        "liquidity": "/liquidity",
        "participants": "/participants",
        "participant": "/participants/BRK-A",
        "chain-blocks": "/chain",
        "chain-block": f"/chain/blocks/{cycle['block']}",
        "chain-transaction": f"/chain/transactions/{trade['transaction_hash']}",
        "sandbox": "/sandbox",
        "sandbox-clock": "/sandbox/clock",
        "sandbox-faults": "/sandbox/faults",
        "sandbox-scenarios": "/sandbox/scenarios",
        "sandbox-requests": "/sandbox/requests",
    }


def main(folder):
    """Writes the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp()) / "state"
    viewport = {"width": WIDTH, "height": HEIGHT}
    with busy_market(place) as market, opened_page(viewport=viewport) as (page, errors):
        live_through_a_day(market)
        page.goto(f"{market.url}/sign-in")
        page.locator("#key").fill(seeded_secret(SEED, OPERATOR.name))
        page.keyboard.press("Enter")
        for name, path in paths(market).items():
            for language in ("en", "zh"):
                page.goto(f"{market.url}{path}{'&' if '?' in path else '?'}lang={language}")
                page.locator("#status .alive").wait_for()
                page.wait_for_timeout(800)
                height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
                page.screenshot(
                    path=str(folder / f"{name}-{language}.png"),
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": WIDTH, "height": height},
                )
                print(name, language, height)
        assert errors == [], errors


if __name__ == "__main__":
    main(Path(sys.argv[1]))
