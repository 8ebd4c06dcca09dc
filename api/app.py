"""The HTTP application: REST interface, JSON-RPC and pages over one sandbox."""

import asyncio
import sys
from collections import ChainMap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.access.access import DEFAULT_RATES, RateOptions, open_access
from api.access.admission import Admission, TakesPlace, UnderWay
from api.access.guard import AccessGuard
from api.access.route_table import RouteTable
from api.body_guard import BodyGuard, bounds_of
from api.conventions.etags import ETags
from api.conventions.idempotency import Idempotency
from api.conventions.request_log import RequestLog
from api.description import description_of
from api.event_stream import EventStreams
from api.metrics.registry import Metrics
from api.metrics.request_metrics import RequestTimer
from api.recursion import RECURSION_MAX
from api.routers import (
    api_keys,
    backups,
    breaks,
    chain,
    clock,
    dry_run,
    events,
    faults,
    health,
    index,
    instructions,
    ledger,
    metrics,
    operations,
    proofs,
    queue,
    requests,
    rpc,
    sandbox_controls,
    settled,
    sides,
    statements,
    trades,
    webhooks,
)
from api.routers.webhooks import LOOK_UPS_MAX
from api.waiting import WAITERS_MAX
from api.web import status
from api.web.chain import page as chain_pages
from api.web.cycles import page as cycle_pages
from api.web.liquidity import page as liquidity_pages
from api.web.outcomes import Outcomes
from api.web.participants import page as participant_pages
from api.web.reconciliation import break_page, stream_page
from api.web.reconciliation import page as reconciliation
from api.web.sandbox import (
    clock_page,
    events_page,
    faults_page,
    requests_page,
    scenarios_page,
    snapshots_page,
    webhooks_page,
)
from api.web.sandbox import page as sandbox_page
from api.web.sign_in import page as sign_in
from api.web.sign_in import view_as
from api.web.today import page as today
from api.web.trades import page as trade_pages
from ledger.books.interface.webhooks import WebhookStore
from ledger.chain.rpc.backend import open_backend
from nodes.clock import WallClock
from nodes.explorer.live import explorer_of
from nodes.sandbox.sandbox import Sandbox
from nodes.sandbox.time_control import time_control_of
from nodes.webhooks.addresses import PUBLIC_ONLY, AddressRules
from nodes.webhooks.dispatch import Dispatcher

WEB_FOLDER: Final = Path(__file__).parent / "web"


def create_app(
    sandbox: Sandbox,
    rates: RateOptions = DEFAULT_RATES,
    webhook_rules: AddressRules = PUBLIC_ONLY,
) -> FastAPI:
    """The application of one sandbox; it starts and stops the sandbox with itself.

    ``webhook_rules`` say where webhooks may be sent.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Both wait for threads and disks: meanwhile others are told that they have to wait.
        try:
            await asyncio.to_thread(sandbox.start)
            async with _webhooks(app, sandbox, webhook_rules), _json_rpc(app, sandbox):
                yield
        finally:
            await asyncio.to_thread(sandbox.stop)

    app = FastAPI(
        title="Novate",
        version=version("novate"),
        summary="Clearing and settlement on a permissioned ledger, simulated.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    sys.setrecursionlimit(RECURSION_MAX)
    app.state.sandbox = sandbox
    app.state.waiters = asyncio.Semaphore(WAITERS_MAX)
    app.state.webhooks = WebhookStore(sandbox.interface.database)
    app.state.webhook_rules = webhook_rules
    app.state.look_ups = BoundedSemaphore(LOOK_UPS_MAX)
    app.state.scenario_turn = BoundedSemaphore(1)
    app.state.backup_turn = BoundedSemaphore(1)
    app.state.event_streams = EventStreams()
    app.state.outcomes = Outcomes()
    app.state.explorer = explorer_of(sandbox.consortium)
    errors.install(app)
    modules = (
        trades,
        instructions,
        sides,
        queue,
        dry_run,
        operations,
        proofs,
        ledger,
        breaks,
        statements,
        clock,
        sandbox_controls,
        backups,
        faults,
        requests,
        events,
        settled,
        webhooks,
        chain,
        api_keys,
        health,
        metrics,
        index,
        sign_in,
        view_as,
        status,
        today,
        cycle_pages,
        liquidity_pages,
        trade_pages,
        reconciliation,
        break_page,
        stream_page,
        participant_pages,
        chain_pages,
        sandbox_page,
        clock_page,
        faults_page,
        scenarios_page,
        snapshots_page,
        requests_page,
        events_page,
        webhooks_page,
    )
    for module in modules:
        app.include_router(module.router)
    declared = [bounds_of(module.router.routes) for module in modules]
    if sandbox.consortium.own_chain:
        app.include_router(rpc.router)
    app.mount("/static", StaticFiles(directory=WEB_FOLDER / "static"), name="static")
    app.state.access = open_access(sandbox, rates)
    app.state.metrics = Metrics(
        sandbox, app.state.event_streams, app.state.webhooks, app.state.access
    )
    # Each goes around those before it. Who may not come in is not read, but stands in the log.
    wall_clock, under_way = WallClock(), UnderWay()
    app.add_middleware(Idempotency, clock=wall_clock)
    app.add_middleware(TakesPlace, under_way=under_way)
    app.add_middleware(BodyGuard, bounds_by_path=dict(ChainMap(*declared)))
    app.add_middleware(ETags)
    app.add_middleware(AccessGuard, routes=RouteTable(app.routes), access=app.state.access)
    app.add_middleware(RequestLog, clock=wall_clock)
    app.add_middleware(Admission, under_way=under_way)
    app.add_middleware(RequestTimer, clock=wall_clock, times=app.state.metrics.requests)
    # Made when it is asked for: it takes longer than all else that is done here.
    described = cache(lambda: description_of(app))
    app.openapi = described  # type: ignore[method-assign] # the documented way to replace it
    return app


@asynccontextmanager
async def _webhooks(app: FastAPI, sandbox: Sandbox, rules: AddressRules) -> AsyncIterator[None]:
    """Sends webhooks meanwhile."""
    dispatcher = Dispatcher(
        app.state.webhooks, sandbox.journal.events, sandbox.consortium.clock, rules
    )
    dispatcher.start()
    try:
        yield
    finally:
        await asyncio.to_thread(dispatcher.stop)


@asynccontextmanager
async def _json_rpc(app: FastAPI, sandbox: Sandbox) -> AsyncIterator[None]:
    """Opens the way in to the chain of this process; a chain elsewhere has its own."""
    chain, clock = sandbox.consortium.own_chain, sandbox.consortium.clock
    if chain is None:
        yield
        return
    backend = open_backend(chain, clock.stopwatch_ns, time_control_of(clock))
    async with rpc.open_rpc(backend) as app.state.rpc:
        yield
