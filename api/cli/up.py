"""``novate up``: a sandbox that stays up, with REST interface, JSON-RPC and pages."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from web3 import Web3

from api.app import create_app
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
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    try:
        sandbox = open_sandbox(state, seed, WallClock().business_time().date())
    except StateFolderError as error:
        bad_input(str(error))
    network = sandbox.consortium.network
    address = f"http://{host}:{port}"
    lines = [
        f"Novate  {address}/  (stop with Ctrl-C)",
        f"  REST    {address}/v1/trades  described in {address}/openapi.json",
        f"  RPC     {address}/rpc  for Ethereum tools, by WebSocket too; chain {network.chain_id}",
        *_contract_lines(sandbox),
        f"  sender  {_shown(developer_key(network.seed).address)}  the key '{DEVELOPER}'",
        f"  traders {', '.join(trader.id for trader in sandbox.consortium.traders())}",
        f"  traded  {', '.join(instrument.symbol for instrument in network.instruments[:6])}",
        "  Keys follow from the seed and are publicly known: for simulation only.",
    ]
    output().print("\n".join(lines), markup=False, soft_wrap=True)
    server_of(create_app(sandbox), host, port).run()


def _contract_lines(sandbox: Sandbox) -> list[str]:
    addresses = asdict(sandbox.consortium.contracts.addresses)
    return [f"          {name:<13} {_shown(address)}" for name, address in addresses.items()]


def _shown(address: bytes) -> str:
    """An address with its checksum, which web3.py insists on."""
    return str(Web3.to_checksum_address(address))
