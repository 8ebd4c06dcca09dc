"""How the application is served: one process, bounded messages."""

import socket

import uvicorn
from fastapi import FastAPI

from api.hosting import Hosting
from ledger.chain.rpc.request import BODY_BYTES_MAX


class StreamingServer(uvicorn.Server):
    """Ends the event streams before it waits for what is still being answered."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops."""
        app = self.config.app
        served = app.application if isinstance(app, Hosting) else app
        assert isinstance(served, FastAPI)
        served.state.event_streams.close()
        await super().shutdown(sockets)


def server_of(app: FastAPI | Hosting, host: str, port: int) -> uvicorn.Server:
    """A server of an application; port 0 is any free one."""
    return StreamingServer(
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
