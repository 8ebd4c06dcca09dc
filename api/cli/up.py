"""``novate up``: a sandbox that stays up, with REST interface, JSON-RPC and pages."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from web3 import Web3

from api.app import create_app
from api.cli.engines import (
    EMBEDDED,
    PATIENCE_SECONDS,
    EngineOption,
    ExecutorOption,
    FinalityOption,
    PatienceOption,
    ValidatorsOption,
    engine_failures,
    open_engine,
    seating,
)
from api.cli.terminal import bad_input, output
from api.server import server_of
from nodes.clock import WallClock
from nodes.sandbox.network import developer_key
from nodes.sandbox.sandbox import Sandbox, open_sandbox
from nodes.state_folder import StateFolderError
from nodes.validators import DEVELOPER


def up(
    state: Annotated[Path, typer.Option(help="State folder; made when it is missing.")] = Path(
        ".novate"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    seed: Annotated[str, typer.Option(help="Seed of the sandbox keys.")] = "novate",
    validators: ValidatorsOption = None,
    executor: ExecutorOption = None,
    engine: EngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    chain = open_engine(engine, finality, patience)
    seats = seating(validators, executor)
    today = WallClock().business_time().date()
    try:
        with engine_failures("Run the same command again: it goes on where it stopped."):
            sandbox = open_sandbox(state, seed, today, chain, seats)
    except StateFolderError as error:
        bad_input(str(error))
    network = sandbox.consortium.network
    address = f"http://{host}:{port}"
    lines = [
        f"Novate  {address}/  (stop with Ctrl-C)",
        f"  REST    {address}/v1/trades  described in {address}/openapi.json",
        *_rpc_lines(sandbox, address),
        *_contract_lines(sandbox),
        f"  traders {', '.join(trader.id for trader in sandbox.consortium.traders())}",
        f"  traded  {', '.join(instrument.symbol for instrument in network.instruments[:6])}",
        "  Keys follow from the seed and are publicly known: for simulation only.",
    ]
    output().print("\n".join(lines), markup=False, soft_wrap=True)
    server_of(create_app(sandbox), host, port).run()


def _rpc_lines(sandbox: Sandbox, address: str) -> list[str]:
    """Where Ethereum tools connect, and with which key; nothing where the chain is elsewhere."""
    network = sandbox.consortium.network
    if sandbox.consortium.own_chain is None:
        return []
    return [
        f"  RPC     {address}/rpc  for Ethereum tools, by WebSocket too; chain {network.chain_id}",
        f"  sender  {_shown(developer_key(network.seed).address)}  the key '{DEVELOPER}'",
    ]


def _contract_lines(sandbox: Sandbox) -> list[str]:
    addresses = asdict(sandbox.consortium.contracts.addresses)
    return [f"          {name:<13} {_shown(address)}" for name, address in addresses.items()]


def _shown(address: bytes) -> str:
    """An address with its checksum, which web3.py insists on."""
    return str(Web3.to_checksum_address(address))
