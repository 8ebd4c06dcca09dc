"""``novate up``: a sandbox that stays up, with REST interface and pages."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.cli.engines import (
    EMBEDDED,
    PATIENCE_SECONDS,
    EngineOption,
    FinalityOption,
    PatienceOption,
    engine_failures,
    open_engine,
)
from api.cli.terminal import bad_input, output
from nodes.clock import WallClock
from nodes.sandbox.sandbox import open_sandbox
from nodes.state_folder import StateFolderError


def up(
    state: Annotated[Path, typer.Option(help="State folder; made when it is missing.")] = Path(
        ".novate"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    seed: Annotated[str, typer.Option(help="Seed of the sandbox keys.")] = "novate",
    engine: EngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    chain = open_engine(engine, finality, patience)
    try:
        with engine_failures("Run the same command again: it goes on where it stopped."):
            sandbox = open_sandbox(state, seed, WallClock().business_time().date(), chain)
    except StateFolderError as error:
        bad_input(str(error))
    network = sandbox.consortium.network
    address = f"http://{host}:{port}"
    traders = ", ".join(trader.id for trader in sandbox.consortium.traders())
    symbols = ", ".join(instrument.symbol for instrument in network.instruments[:6])
    console = output()
    console.print(f"Novate  {address}/  (stop with Ctrl-C)", markup=False)
    console.print(
        f"  REST    {address}/v1/trades  described in {address}/openapi.json", markup=False
    )
    console.print(f"  traders {traders}", markup=False)
    console.print(f"  traded  {symbols}", markup=False)
    console.print("  Keys follow from the seed and are publicly known: for simulation only.")
    uvicorn.run(create_app(sandbox), host=host, port=port, log_level="warning", access_log=False)
