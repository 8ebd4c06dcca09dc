"""A busy market behind real pages, in a real browser, and what axe says of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from axe_playwright_python.sync_playwright import Axe

from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY
from tests.support.servers import served

SECONDS_MAX = 60
CYCLES = 2
"""One of trades that settle, one that the trade of the break leaves."""
SERIOUS = {"serious", "critical"}


class BusyMarket:
    """A served sandbox. ``url`` is its address."""

    def __init__(self, sandbox, url):
        self.sandbox = sandbox
        self.url = url

    def get(self, path, name="OPERATOR"):
        """What a path answers to a holder of a key: text."""
        with urlopen(Request(f"{self.url}{path}", headers=key_header(name))) as answer:
            return answer.read().decode()

    def json(self, path):
        """What a path of the interface answers."""
        return json.loads(self.get(path))

    def post(self, path, body, name="OPERATOR"):
        """Writes something; gives the answer."""
        headers = {**key_header(name), "Content-Type": "application/json"}
        request = Request(f"{self.url}{path}", json.dumps(body).encode(), headers)
        try:
            with urlopen(request) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def until(self, holds, path="/v1/reconciliation"):
        """Waits until something holds of an answer."""
        deadline = monotonic() + SECONDS_MAX
        while not holds(seen := self.json(path)):
            assert monotonic() < deadline, seen
            sleep(0.05)
        return seen


@contextmanager
def busy_market(folder, trades=200) -> Iterator[BusyMarket]:
    """A market with a day behind it: settled trades, a break, and an instruction that waits."""
    sandbox = open_sandbox(folder, SEED, DAY)
    with served(sandbox) as place:
        market = BusyMarket(sandbox, f"http://{place.place}")
        market.post("/v1/sandbox/trades", {"count": trades, "seed": 42})
        market.until(_all_settled, "/v1/trades?limit=500")
        fault = {"fault": "blotter-missing", "participant": "BRK-A"}
        market.post("/v1/sandbox/faults", fault)
        market.post(
            "/v1/trades",
            {
                "number": "BUSY1",
                "instrument": "NOVA1",
                "quantity": "100",
                "price": "10.50",
                "seller": "BRK-A",
                "buyer": "BRK-B",
            },
        )
        market.post(
            "/v1/instructions",
            {
                "label": "DVP-LACKING",
                "kind": "dvp",
                "seller": "BRK-A",
                "buyer": "BRK-B",
                "instrument": "NOVA1",
                "quantity": "100",
                "amount": "5000000500.00",
            },
        )
        market.until(lambda seen: seen["breaks"])
        cycles = sandbox.consortium.clearing_house.cycles
        market.until(lambda _: cycles.next_number() > CYCLES)
        yield market


def _all_settled(page):
    return {each["state"] for each in page["data"]} == {"settled"}


def serious_violations(page) -> list[str]:
    """What axe finds on a page that keeps people out, in a line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
