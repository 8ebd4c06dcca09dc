"""``novate up``: a sandbox that stays up, with REST interface and pages."""

import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.cli.terminal import bad_input, file_trouble, output
from nodes.clock import WallClock
from nodes.sandbox.sandbox import DEFAULT_SEED, Sandbox, open_sandbox
from nodes.state_folder import StateFolderError

BACKLOG = 2_048


def up(
    state: Annotated[Path, typer.Option(help="State folder; made when it is missing.")] = Path(
        ".novate"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    seed: Annotated[
        str | None,
        typer.Option(help=f"Seed of the keys; {DEFAULT_SEED} for a new sandbox."),
    ] = None,
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    with _listen(host, port) as listener:
        sandbox = _open(state, seed)
        _greet(sandbox, f"http://{f'[{host}]' if ':' in host else host}:{port}")
        config = uvicorn.Config(create_app(sandbox), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


def _open(state: Path, seed: str | None) -> Sandbox:
    try:
        return open_sandbox(state, seed, WallClock().business_time().date())
    except StateFolderError as error:
        bad_input(str(error))
    except OSError as error:
        file_trouble(error)


def _listen(host: str, port: int) -> socket.socket:
    """The socket to serve; taken before anything is opened or said."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        bad_input(
            f"cannot listen on {host} port {port}: {error.strerror}",
            "Name another --port or --host, or stop the program that has it.",
        )


def _greet(sandbox: Sandbox, address: str) -> None:
    traders = ", ".join(trader.id for trader in sandbox.consortium.traders())
    symbols = ", ".join(each.symbol for each in sandbox.consortium.network.instruments[:6])
    console = output()
    console.print(f"Novate  {address}/  (stop with Ctrl-C)", markup=False)
    console.print(
        f"  REST    {address}/v1/trades  described in {address}/openapi.json", markup=False
    )
    console.print(f"  traders {traders}", markup=False)
    console.print(f"  traded  {symbols}", markup=False)
    console.print("  Keys follow from the seed and are publicly known: for simulation only.")
