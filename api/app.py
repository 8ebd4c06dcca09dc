"""The HTTP application: REST interface and pages over one sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.routers import health, ledger, trades
from api.web import pages
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
    errors.install(app)
    for router in (trades.router, ledger.router, health.router, pages.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=WEB_FOLDER / "static"), name="static")
    return app
