"""The HTTP application: REST interface and pages over one sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.routers import chain, health, ledger, trades
from api.web import chain_pages, pages
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

WEB_FOLDER: Final = Path(__file__).parent / "web"


def create_app(sandbox: Sandbox) -> FastAPI:
    """The application of one sandbox; it starts and stops the sandbox with itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sandbox.start()
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
    for module in (trades, ledger, chain, health, pages, chain_pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=WEB_FOLDER / "static"), name="static")
    return app


def _explorer_of(sandbox: Sandbox) -> Explorer:
    consortium = sandbox.consortium
    return Explorer(consortium.network, consortium.w3, consortium.contracts.addresses)
