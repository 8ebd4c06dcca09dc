"""How the application is served: one process, bounded messages."""

import uvicorn
from starlette.types import ASGIApp

from ledger.chain.rpc.request import BODY_BYTES_MAX


def server_of(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """A server of an application; port 0 is any free one."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            # Nobody stands before it: what a caller says of its own address is not believed.
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=BODY_BYTES_MAX,
            ws_per_message_deflate=False,
        )
    )
