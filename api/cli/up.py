"""``novate up``: a sandbox that stays up, with REST interface, JSON-RPC and pages."""

from pathlib import Path
from typing import Annotated

import typer

from api.app import create_app
from api.cli.terminal import bad_input, output
from api.server import server_of
from nodes.clock import WallClock
from nodes.sandbox.network import DEVELOPER, developer_key
from nodes.sandbox.sandbox import open_sandbox
from nodes.state_folder import StateFolderError


def up(
    state: Annotated[Path, typer.Option(help="State folder; made when it is missing.")] = Path(
        ".novate"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    seed: Annotated[str, typer.Option(help="Seed of the sandbox keys.")] = "novate",
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    try:
        sandbox = open_sandbox(state, seed, WallClock().business_time().date())
    except StateFolderError as error:
        bad_input(str(error))
    network = sandbox.consortium.network
    developer = developer_key(network.seed).address
    address = f"http://{host}:{port}"
    traders = ", ".join(trader.id for trader in sandbox.consortium.traders())
    symbols = ", ".join(instrument.symbol for instrument in network.instruments[:6])
    console = output()
    console.print(f"Novate  {address}/  (stop with Ctrl-C)", markup=False)
    console.print(
        f"  REST    {address}/v1/trades  described in {address}/openapi.json", markup=False
    )
    console.print(f"  RPC     {address}/rpc  chain {network.chain_id}, WebSocket too", markup=False)
    console.print(f"  may use 0x{developer.hex()}, the key of '{DEVELOPER}'", markup=False)
    console.print(f"  traders {traders}", markup=False)
    console.print(f"  traded  {symbols}", markup=False)
    console.print("  Keys follow from the seed and are publicly known: for simulation only.")
    server_of(create_app(sandbox), host, port).run()
