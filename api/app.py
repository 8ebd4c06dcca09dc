"""The HTTP application: REST interface, JSON-RPC and pages over one sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.body_guard import BodyGuard
from api.routers import health, ledger, rpc, trades
from api.web import pages
from ledger.chain.rpc.backend import open_backend
from nodes.sandbox.sandbox import Sandbox
from nodes.sandbox.time_control import time_control_of

WEB_FOLDER: Final = Path(__file__).parent / "web"


def create_app(sandbox: Sandbox) -> FastAPI:
    """The application of one sandbox; it starts and stops the sandbox with itself."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        clock = sandbox.consortium.clock
        backend = open_backend(sandbox.consortium.chain, clock.stopwatch_ns, time_control_of(clock))
        sandbox.start()
        async with rpc.open_rpc(backend) as app.state.rpc:
            yield
        sandbox.stop()

    app = FastAPI(
        title="Novate",
        version="0.1.0",
        summary="Clearing and settlement on a permissioned ledger, simulated.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.sandbox = sandbox
    errors.install(app)
    app.add_middleware(BodyGuard)
    for router in (trades.router, ledger.router, health.router, rpc.router, pages.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=WEB_FOLDER / "static"), name="static")
    return app
