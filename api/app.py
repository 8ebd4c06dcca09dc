"""The HTTP application: REST interface, JSON-RPC and pages over one sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.body_guard import BodyGuard
from api.routers import chain, health, ledger, rpc, trades
from api.web import chain_pages, pages
from ledger.chain.rpc.backend import open_backend
from nodes.explorer import Explorer
from nodes.explorer.finality import finality_of
from nodes.sandbox.sandbox import Sandbox
from nodes.sandbox.time_control import time_control_of

WEB_FOLDER: Final = Path(__file__).parent / "web"


def create_app(sandbox: Sandbox) -> FastAPI:
    """The application of one sandbox; it starts and stops the sandbox with itself."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sandbox.start()
        async with _json_rpc(app, sandbox):
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
    app.state.explorer = _explorer_of(sandbox)
    errors.install(app)
    app.add_middleware(BodyGuard)
    for module in (trades, ledger, chain, health, pages, chain_pages):
        app.include_router(module.router)
    if sandbox.consortium.own_chain:
        app.include_router(rpc.router)
    app.mount("/static", StaticFiles(directory=WEB_FOLDER / "static"), name="static")
    return app


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


def _explorer_of(sandbox: Sandbox) -> Explorer:
    consortium = sandbox.consortium
    return Explorer(
        consortium.network,
        consortium.engine.w3,
        consortium.contracts.addresses,
        finality_of(consortium.engine),
    )
