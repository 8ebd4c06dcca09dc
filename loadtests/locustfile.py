"""Locust users for a running sandbox: ``locust -f loadtests/locustfile.py --host http://127.0.0.1:8000``.

The key is that of the variable NOVATE_API_KEY (``novate key`` prints the operator's).

Brokers' desks post trades, one by one or in batches of JSON and Arrow; one watcher measures, as a
request type of its own, the time from sending a trade to finality. At the end everything is
counted: what was sent is final, refused or pending, the books agree, or the run fails.
"""

import atexit
import itertools
import json
import os
import time
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
from locust import FastHttpUser, constant_throughput, events, task
from locust.env import Environment
from locust.exception import StopUser

from loadtests.arrow import ARROW_STREAM, arrow_stream
from loadtests.finality import FinalityWatcher
from loadtests.trades import TradeMaker

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LOOK_SECONDS: Final = 0.1
DRAIN_SECONDS_MAX: Final = 30
RATE_A_USER: Final = float(os.environ.get("NOVATE_LOAD_RATE", "20"))
BATCH_USERS: Final = int(os.environ.get("NOVATE_LOAD_BATCH_USERS", "2"))
BATCHES_A_SECOND: Final = 1
BATCH_TRADES: Final = 200
RESENT_EVERY: Final = 5
JSON: Final = "application/json"
KEY: Final = os.environ.get("NOVATE_API_KEY", "")
"""Sent with every request: the operator's, which captures trades and reads everything."""
AUTHORISED: Final = {"Authorization": f"Bearer {KEY}"}
SEED: Final = int(os.environ.get("NOVATE_LOAD_SEED", "42"))


class BrokerDesk(FastHttpUser):
    """Posts trades at a steady rate."""

    wait_time = constant_throughput(RATE_A_USER)
    _numbers = itertools.count(1)

    def on_start(self) -> None:
        """Every desk numbers its trades under a prefix of its own."""
        run = int(time.time()) % 1_000
        self.maker = TradeMaker(f"L{run:03d}{next(self._numbers):02d}", SEED)
        self.watcher: FinalityWatcher = self.environment.watcher

    @task
    def post_trade(self) -> None:
        """Captures one trade."""
        sent_at = time.perf_counter()
        with self.client.post(
            "/v1/trades",
            json=self.maker.next(),
            headers=AUTHORISED,
            name="POST /v1/trades",
            catch_response=True,
        ) as answer:
            if answer.status_code == 201:
                self.watcher.accept(answer.json()["position"], sent_at)
                answer.success()
            else:
                self.watcher.refuse()
                answer.failure(f"status {answer.status_code}")


class BatchDesk(FastHttpUser):
    """Posts batches at a steady rate, in JSON and Arrow by turns; some of them twice."""

    wait_time = constant_throughput(BATCHES_A_SECOND)
    fixed_count = BATCH_USERS
    _numbers = itertools.count(1)

    def on_start(self) -> None:
        """Every desk numbers its trades under a prefix of its own."""
        run = int(time.time()) % 1_000
        self.maker = TradeMaker(f"M{run:03d}{next(self._numbers):02d}", SEED)
        self.watcher: FinalityWatcher = self.environment.watcher
        self.trade_date: date | None = None
        self.sent = 0

    @task
    def post_batch(self) -> None:
        """Captures one batch; now and then sends it again, which must be answered the same."""
        self.sent += 1
        trades = self.maker.batch(BATCH_TRADES)
        if self.sent % 2 == 0 and self.trade_date is not None:
            body, kind = arrow_stream(trades, self.trade_date), ARROW_STREAM
        else:
            body, kind = json.dumps(trades).encode(), JSON
        sent_at = time.perf_counter()
        answer = self._post(body, kind)
        if answer is None:
            self.watcher.refuse(len(trades))
            return
        self.watcher.accept_batch(answer, sent_at)
        if self.trade_date is None:
            self.trade_date = self._business_date(answer["positions"][0]["first_position"])
        if self.sent % RESENT_EVERY == 0 and self._post(body, kind) != answer:
            self.watcher.contradict()

    def _post(self, body: bytes, kind: str) -> dict[str, Any] | None:
        """The answer to a batch; None when it was refused whole."""
        with self.client.post(
            "/v1/trades:batch",
            data=body,  # type: ignore[arg-type] # it takes bytes too
            headers={"Content-Type": kind, **AUTHORISED},
            name=f"POST /v1/trades:batch {'JSON' if kind == JSON else 'Arrow'}",
            catch_response=True,
        ) as answer:
            if answer.status_code in (200, 201, 207):
                answer.success()
                parsed: dict[str, Any] = answer.json()
                return parsed
            answer.failure(f"status {answer.status_code}")
            return None

    def _business_date(self, position: int) -> date:
        """The trade date of a trade that was captured today."""
        path = f"/v1/trades?cursor={position}&limit=1"
        page = self.client.get(path, headers=AUTHORISED, name="GET /v1/trades").json()
        return date.fromisoformat(page["data"][0]["trade_date"])


class Observer(FastHttpUser):
    """Watches trades become final. There is exactly one."""

    fixed_count = 1
    wait_time = constant_throughput(1 / LOOK_SECONDS)

    def on_start(self) -> None:
        """Lends its connection to the watcher."""
        watcher: FinalityWatcher = self.environment.watcher
        watcher.get = self._get
        first = self._get("/v1/trades?limit=1&cursor=0")
        watcher.cursor = watcher.cursor if first["data"] else 0
        self.watcher = watcher

    @task
    def look(self) -> None:
        """Looks once."""
        self.watcher.look()

    def _get(self, path: str) -> dict[str, object]:
        answer = self.client.get(path, headers=AUTHORISED, name="GET /v1/trades")
        if answer.status_code != 200:
            raise StopUser(f"{path} answered {answer.status_code}")
        parsed: dict[str, object] = answer.json()
        return parsed


@events.init.add_listener  # type: ignore[untyped-decorator] # locust ships no types for it
def _prepare(environment: Environment, **_: object) -> None:
    host = urlsplit(environment.host or "").hostname
    if host is not None and host not in LOOPBACK:
        raise SystemExit(f"{host} is not this machine: load goes to 127.0.0.1 only")

    def report(seconds: float) -> None:
        environment.events.request.fire(  # type: ignore[no-untyped-call] # locust ships no types for it
            request_type="FINAL",
            name="submit to final",
            response_time=seconds * 1_000,
            response_length=0,
            exception=None,
            context={},
        )

    watcher = FinalityWatcher(get=_no_observer, report=report)
    environment.watcher = watcher  # type: ignore[attr-defined] # where users find it


@events.test_stop.add_listener  # type: ignore[untyped-decorator] # locust ships no types for it
def _drain(environment: Environment, **_: object) -> None:
    """Waits for what is pending, for a bounded time, and checks the outcome."""
    watcher: FinalityWatcher = environment.watcher  # type: ignore[attr-defined] # see _prepare
    deadline = time.perf_counter() + DRAIN_SECONDS_MAX
    while watcher.pending and time.perf_counter() < deadline:
        watcher.look()
        gevent.sleep(LOOK_SECONDS)
    sent = watcher.accepted + watcher.refused
    counted = watcher.final + watcher.refused + watcher.pending
    books = watcher.get("/v1/reconciliation")
    is_sound = counted == sent and not watcher.pending and bool(books["agrees"])
    is_sound = is_sound and not watcher.contradicted
    verdict = (
        f"{'sound' if is_sound else 'NOT SOUND'}: sent {sent} = final {watcher.final}"
        f" + refused {watcher.refused} + pending {watcher.pending};"
        f" answered otherwise when sent again {watcher.contradicted};"
        f" books agree: {books['agrees']} as of block {books['as_of_block']}"
    )
    # Said last, below Locust's own tables.
    atexit.register(print, verdict)
    if not is_sound:
        environment.process_exit_code = 1


def _no_observer(path: str) -> dict[str, object]:
    raise RuntimeError(f"no observer is running to fetch {path}")
