"""The HTTP application: REST interface and pages over one sandbox."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.body_limit import BodyLimit
from api.routers import health, ledger, trades
from api.web import pages
from nodes.sandbox.sandbox import Sandbox

WEB_FOLDER: Final = Path(__file__).parent / "web"
RECURSION_MAX: Final = 1_000


def create_app(sandbox: Sandbox) -> FastAPI:
    """The application of one sandbox; it starts and stops the sandbox with itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sandbox.start()
        yield
        sandbox.stop()

    app = FastAPI(
        title="Novate",
        version=version("novate"),
        summary="Clearing and settlement on a permissioned ledger, simulated.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    # A library among the imports raises the limit so far that deep nesting would end in a crash.
    sys.setrecursionlimit(RECURSION_MAX)
    app.state.sandbox = sandbox
    app.add_middleware(BodyLimit)
    errors.install(app)
    for router in (trades.router, ledger.router, health.router, pages.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=WEB_FOLDER / "static"), name="static")
    described = errors.description_of(app)
    app.openapi = lambda: described  # type: ignore[method-assign] # the documented way to replace it
    return app
