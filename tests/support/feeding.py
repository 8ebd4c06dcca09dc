"""A flow of trades, instructions, sides and funding that goes on whatever becomes of the nodes.

Every step names its content, so it may be sent again until it is acknowledged. Accounts have enough
of everything: where all is settled, the end does not depend on the order or on who was away.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from threading import Event, Thread
from time import monotonic, sleep
from urllib.error import URLError

PARTIES = ("BRK-A", "BRK-B", "BRK-C", "BRK-A/client", "BRK-B/client", "BRK-C/client")
SECONDS_MAX = 120
REQUEST_SECONDS_MAX = 10
AGAIN = {409, 429, 503, 507}
"""What may be refused now and taken later."""


@dataclass(frozen=True)
class Step:
    """Something that is asked for; ``name`` is its own."""

    name: str
    path: str
    body: dict


def flow(case, date, rounds=2):
    """The steps of a case, by number: the same number has the same ones."""
    steps = []
    for turn in range(rounds):
        key = f"{case}-{turn}"
        for place in range(5):
            seller, buyer = PARTIES[(case + place) % 6], PARTIES[(case + turn + 2 * place + 1) % 6]
            if seller == buyer:
                buyer = PARTIES[(PARTIES.index(seller) + 1) % 6]
            steps.append(_trade(f"{key}-{place}", seller, buyer, 10 * (place + 1)))
        seller, buyer = PARTIES[case % 3], PARTIES[(case + 1 + turn) % 3]
        if seller == buyer:
            buyer = PARTIES[(case + 2) % 3]
        terms = {"instrument": "NOVA2", "quantity": str(3 + turn), "amount": f"{30 + case}.00"}
        entered = {**terms, "kind": "dvp", "label": f"D{key}", "seller": seller, "buyer": buyer}
        steps.append(Step(f"D{key}", "/v1/instructions", entered))
        steps += _sides(key, seller, buyer, {**terms, "settlement_date": date})
        for direction, amount in (("in", "7.00"), ("out", "2.00")):
            money = {"kind": "cash", "account": seller, "amount": amount, "direction": direction}
            steps.append(_funding(f"F{direction}{key}", money))
        security = {"kind": "securities", "account": buyer, "instrument": "NOVA3"}
        steps.append(_funding(f"I{key}", {**security, "quantity": "5", "direction": "in"}))
    return steps


def _trade(number, seller, buyer, quantity):
    body = {"number": number, "instrument": "NOVA1", "seller": seller, "buyer": buyer}
    return Step(number, "/v1/trades", {**body, "quantity": str(quantity), "price": "12.50"})


def _sides(key, seller, buyer, terms):
    for name, side, own, other in (("S", "seller", seller, buyer), ("P", "buyer", buyer, seller)):
        asked = {"reference": f"{name}{key}", "kind": "dvp", "side": side, "account": own}
        yield Step(f"{name}{key}", "/v1/sides", {**terms, **asked, "counterparty": other})


def _funding(reference, body):
    return Step(reference, "/v1/sandbox/fund", {**body, "reference": reference})


class Feeding:
    """Feeds steps from a thread of its own until all are acknowledged."""

    def __init__(self, running, steps):
        self._running = running
        self._left = list(steps)
        self._thread = Thread(target=self._feed, daemon=True)
        self._wrong = ""
        self._last = {}
        self.is_half = Event()
        self._half = len(self._left) // 2

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._left.clear()
        self._thread.join(REQUEST_SECONDS_MAX + 5)

    def finish(self):
        """Waits until all are acknowledged."""
        self._thread.join(SECONDS_MAX)
        assert not self._wrong, self._wrong
        assert not self._left, f"not taken: {self._last}"

    def _feed(self):
        began = monotonic()
        while self._left and monotonic() - began < SECONDS_MAX:
            for step in list(self._left):
                status, answer = self._sent(step)
                if status in (200, 201, 202):
                    self._left.remove(step)
                    self._last.pop(step.name, None)
                elif status in AGAIN:
                    self._last[step.name] = answer
                else:
                    self._wrong = f"{step}: {status} {answer}"
                    return
                if len(self._left) <= self._half:
                    self.is_half.set()
            sleep(0.05)

    def _sent(self, step):
        try:
            return self._running.ask("POST", step.path, step.body, REQUEST_SECONDS_MAX)
        except (OSError, URLError, HTTPException, json.JSONDecodeError) as error:
            sleep(0.05)
            return 503, repr(error)


class Striking:
    """Strikes cycles from a thread of its own, as time would."""

    def __init__(self, running):
        self._running = running
        self._ends = Event()
        self._thread = Thread(target=self._strike, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join(REQUEST_SECONDS_MAX + 5)

    def _strike(self):
        while not self._ends.wait(0.2):
            with suppress(OSError, HTTPException, json.JSONDecodeError):
                self._running.ask("POST", "/v1/cycles", {}, REQUEST_SECONDS_MAX)


def pages(running, path):
    """Everything of a list."""
    found, cursor = [], ""
    while cursor is not None:
        status, page = running.ask("GET", f"/v1/{path}?limit=500{cursor}")
        assert status == 200, page
        found += page["data"]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return found
