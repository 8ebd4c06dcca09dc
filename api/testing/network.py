"""A settlement network as a test has it: client, clock, faults, events, and what has to hold.

Everything goes over HTTP, so that it makes no difference where the network runs. This module needs
pytest and the standard library only.
"""

import http.client
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import pytest

ANSWER_SECONDS_MAX: Final = 60.0
WAIT_SECONDS: Final = 10.0
"""How long is waited for what settles by itself, unless a test says otherwise."""
POLL_SECONDS: Final = 0.02

Json = Any
"""What JSON holds, as ``/openapi.json`` describes it."""


class RefusedError(Exception):
    """The interface has refused something.

    Attributes:
        status: of HTTP.
        problem: the answer, as ``/openapi.json`` describes a problem.
        reason: its name, such as DUPLICATE; ``novate reasons`` lists them all.
    """

    def __init__(self, asked: str, status: int, problem: dict[str, Json]) -> None:
        self.status = status
        self.problem = problem
        self.reason: str = problem.get("reason", "")
        detail, remedy = problem.get("detail", ""), problem.get("remedy", "")
        super().__init__(f"{asked}: {status} {self.reason}: {detail}. {remedy}".rstrip(". "))


class Client:
    """The REST interface, as one holder of a key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self.key = key

    def get(self, path: str, **query: Json) -> Json:
        """Reads something; what is None is left out of the query."""
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: Json = None, **query: Json) -> Json:
        """Has something done."""
        return self.ask("POST", path, {} if body is None else body, query)

    def put(self, path: str, body: Json, **query: Json) -> Json:
        """Sets something."""
        return self.ask("PUT", path, body, query)

    def delete(self, path: str, **query: Json) -> Json:
        """Takes something away."""
        return self.ask("DELETE", path, query=query)

    def pages(self, path: str, **query: Json) -> Iterator[Json]:
        """Every item of a list, page by page."""
        page = self.get(path, **query)
        yield from page["data"]
        while page["next_cursor"] is not None:
            page = self.get(path, **query, cursor=page["next_cursor"])
            yield from page["data"]

    def ask(
        self, method: str, path: str, body: Json = None, query: Mapping[str, Json] | None = None
    ) -> Json:
        """One request, on a connection of its own. Raises RefusedError, OSError."""
        __tracebackhide__ = True
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(given)}" if given else path
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        address = urlsplit(self.url)
        connect = (
            http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        )
        connection = connect(address.netloc, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request(method, f"{address.path}{target}", content, headers)
            answer = connection.getresponse()
            received = answer.read()
        finally:
            connection.close()
        decoded = json.loads(received) if received else None
        if answer.status >= http.client.BAD_REQUEST:
            raise RefusedError(f"{method} {target}", answer.status, decoded or {})
        return decoded


class Clock:
    """The business clock: freeze it, move it forward, end the day."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def now(self) -> str:
        """Business time in UTC, such as 2026-02-10T17:30:00."""
        return str(self._client.get("/v1/clock")["business_time"])

    def freeze(self) -> Json:
        """It stands still from now on."""
        return self.set(frozen=True)

    def run(self) -> Json:
        """It goes on from where it stands."""
        return self.set(frozen=False)

    def advance(self, seconds: int) -> Json:
        """Moves forward; what is past its expiry then has failed when this returns."""
        return self.set(advance=seconds)

    def move_to(self, moment: str) -> Json:
        """Moves forward to a time of day, or to a date and time."""
        return self.set(time=moment)

    def end_of_day(self) -> Json:
        """Ends the business date: what has not settled fails."""
        return self.set(end_of_day=True)

    def next_day(self) -> Json:
        """Moves to the opening of the next business date."""
        return self.set(next_day=True)

    def set(self, **change: Json) -> Json:
        """Whatever ``POST /v1/clock`` takes."""
        return self._client.post("/v1/clock", change)


class Faults:
    """What goes wrong on purpose with nodes and desks."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def inject(self, fault: str, participant: str, milliseconds: int | None = None) -> Json:
        """Makes something go wrong, such as ``kill`` or ``blotter-missing``."""
        body = {"fault": fault, "participant": participant, "milliseconds": milliseconds}
        return self._client.post("/v1/sandbox/faults", body)

    def heal(self, participant: str) -> Json:
        """Nothing is wrong with it any more."""
        return self._client.delete(f"/v1/sandbox/faults/{participant}")

    def standing(self) -> list[Json]:
        """What is wrong now."""
        return list(self._client.get("/v1/sandbox/faults")["standing"])


class Events:
    """What has happened since the network began: on a live one, since long ago."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, type: str | None = None, subject: str | None = None) -> list[Json]:
        """Oldest first; of a type such as ``trade.settled`` or ``trade.*``."""
        return list(self._client.pages("/v1/events", type=type, subject=subject, since=0))

    def wait_for(
        self, type: str, subject: str | None = None, seconds: float = WAIT_SECONDS, **data: Json
    ) -> Json:
        """The first event of a type, a subject, and such data; fails when none comes in time."""
        __tracebackhide__ = True
        until = time.monotonic() + seconds
        while True:
            for event in self.all(type, subject):
                if all(event["data"].get(name) == value for name, value in data.items()):
                    return event
            if time.monotonic() > until:
                break
            time.sleep(POLL_SECONDS)
        wanted = " ".join(filter(None, [type, subject, json.dumps(data) if data else ""]))
        seen = "\n".join(f"  {e['type']} {e['subject']} {e['data']}" for e in self.all()[-20:])
        pytest.fail(f"no event {wanted} within {seconds:g} s; the last ones were:\n{seen}")


class Network:
    """A settlement network: three brokers, two banks, an exchange, a registrar, all funded.

    Attributes:
        url: where it is served.
        client: speaks as the operator, who may do everything; ``as_`` gives the others.
        setup_seconds: from being asked for until every node had reconciled.
        log: what its process has said; None where that is not known.
    """

    def __init__(self, url: str, key: str, log: Path | None = None) -> None:
        self.url = url
        self.client = Client(url, key)
        self.clock = Clock(self.client)
        self.faults = Faults(self.client)
        self.setup_seconds = 0.0
        self.log = log
        ready = self.client.get("/readyz")
        self._first_block = int(ready["head_block"])
        self.events = Events(self.client)

    def as_(self, holder: str) -> Client:
        """A client that speaks as one participant, and sees what it may see."""
        made = self.client.post("/v1/api-keys", {"holder": holder})
        return Client(self.url, made["api_key"])

    @contextmanager
    def refuses(self, reason: str) -> Iterator[None]:
        """What is done in the block has to be refused, for this reason."""
        __tracebackhide__ = True
        try:
            yield
        except RefusedError as refused:
            if refused.reason != reason:
                pytest.fail(f"expected a refusal with {reason}, found {refused}")
        else:
            pytest.fail(f"expected a refusal with {reason}, but it was taken")

    def assert_settled(self, what: Json, seconds: float = WAIT_SECONDS) -> Json:
        """Waits until a trade or an instruction is final; returns it as it stands then.

        ``what`` is an answer of the interface, the id of a trade or the label of an instruction.
        """
        __tracebackhide__ = True
        path = _path_of(what)
        until = time.monotonic() + seconds
        while True:
            found = self.client.get(path)
            if found["state"] == "settled":
                return found
            is_over = found["state"] in ("failed", "cancelled", "refused")
            if is_over or time.monotonic() > until:
                break
            time.sleep(POLL_SECONDS)
        pytest.fail(f"{path} is {found['state']}, not settled: {_why(found)}")

    def assert_no_breaks(self, seconds: float = 1.0) -> None:
        """Everybody's own records agree with the ledger, or will in a moment; all can be asked."""
        __tracebackhide__ = True
        until = time.monotonic() + seconds
        while found := self._breaks():
            if time.monotonic() > until:
                pytest.fail("\n".join(["records do not agree:", *found]))
            time.sleep(POLL_SECONDS)

    def assert_conserved(self, brought_in: Mapping[str, int] | None = None) -> None:
        """Of each asset there is as much as when the test began, and nothing is below zero.

        ``brought_in`` is what the test itself brought in (less what it took out), by symbol or
        currency: units, or hundredths.
        """
        __tracebackhide__ = True
        before = self._totals(as_of_block=self._first_block)
        now = self._totals()
        expected = {
            each: before[each] + (brought_in or {}).get(each, 0) for each in {*before, *now}
        }
        wrong = [
            f"  {each}: {now[each]}, expected {expected[each]}"
            for each in sorted(expected)
            if now[each] != expected[each]
        ]
        if wrong:
            pytest.fail("\n".join(["not conserved, in units or hundredths:", *wrong]))

    def _breaks(self) -> list[str]:
        """What is open, and who cannot be asked, in words."""
        page = self.client.get("/v1/breaks", limit=500)
        standing = [each for each in page["data"] if each["state"] != "closed"]
        words = [
            f"  {each['owner']}: {each['kind_text']}, {each['subject']}:"
            f" has {each['ours']}, not {each['theirs']}"
            for each in standing
        ]
        return words + [f"  {each}: its node does not answer" for each in page["away"]]

    def _totals(self, **query: int) -> dict[str, int]:
        totals: dict[str, int] = defaultdict(int)
        for each in self.client.pages("/v1/positions", limit=500, **query):
            for amount in (each["available"], each["held"]):
                if amount.startswith("-"):
                    pytest.fail(f"{each['account']} holds {amount} {each['symbol']}")
                totals[each["symbol"]] += int(amount.replace(".", ""))
        return totals


def _why(found: Json) -> str:
    """What a trade or an instruction says of its not being settled."""
    why = found.get("why")
    if why is None:
        return found.get("reason") or "nothing is said of why"
    return f"{why['reason']}: {why['cause']} {why['remedy']}"


def _path_of(what: Json) -> str:
    if isinstance(what, str):
        is_trade = what.count(".") >= 3  # VENUE.DATE.ISIN.NUMBER
        return f"/v1/{'trades' if is_trade else 'instructions'}/{quote(what, safe='')}"
    return _path_of(what["label"] if "label" in what else what["id"])
