"""``novate up``: a sandbox that stays up, with REST interface, JSON-RPC and pages."""

import socket
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI
from web3 import Web3

from api.access.access import Access, RateOptions
from api.access.rate_limits import RATE, RATE_MAX
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
from api.cli.terminal import bad_input, file_trouble, output
from api.hosting import Hosting
from api.server import server_of
from ledger.domain.errors import MalformedError
from nodes.api_keys import KEY_FILE, write_key_file
from nodes.clock import WallClock
from nodes.engine import Engine
from nodes.folder_meta import StateFolderError
from nodes.sandbox.home import SandboxHome
from nodes.sandbox.network import developer_key
from nodes.sandbox.sandbox import (
    CYCLE_SECONDS,
    DEFAULT_SEED,
    Sandbox,
    SandboxOptions,
    open_sandbox,
)
from nodes.validators import DEVELOPER, Seating
from nodes.webhooks.addresses import AddressRules

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
    validators: ValidatorsOption = None,
    executor: ExecutorOption = None,
    engine: EngineOption = EMBEDDED,
    finality: FinalityOption = "0",
    patience: PatienceOption = PATIENCE_SECONDS,
    cycle_trades: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Strike a cycle at so many trades; new folder."),
    ] = None,
    cycle_seconds: Annotated[
        float,
        typer.Option(min=0, max=86_400, help="And when trades waited so long; 0: not by time."),
    ] = CYCLE_SECONDS,
    dense_sequence: Annotated[
        bool | None,
        typer.Option(
            "--dense-sequence", help="Numbers run 1, 2, 3 an instrument: report gaps; new folder."
        ),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=1, max=RATE_MAX, help="Requests a second that one key may make.")
    ] = RATE,
    burst: Annotated[
        int | None,
        typer.Option(min=1, max=RATE_MAX, help="And at once; two seconds' worth if not given."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A rule (see novate rules), such as partial=on or gridlock=fifo; new folder.",
        ),
    ] = None,
    webhooks_to_loopback: Annotated[
        bool | None,
        typer.Option(
            "--webhooks-to-loopback/--no-webhooks-to-loopback",
            help="Send webhooks to this machine too; by default when it alone is listened to.",
        ),
    ] = None,
) -> None:
    """Serve a sandbox: the one in the state folder, or a new one with three funded brokers."""
    if seed == "":
        bad_input("--seed: expected at least one character")
    chain = open_engine(engine, finality, patience)
    seats = seating(engine, validators, executor)
    options = SandboxOptions(
        cycle_seconds=cycle_seconds,
        cycle_trades=cycle_trades,
        dense_sequence=dense_sequence,
        rules=tuple(rule or ()),
    )
    with _listen(host, port) as listener:
        home = SandboxHome(state, lambda other: _open(state, other or seed, chain, seats, options))
        rates = RateOptions(rate, burst)
        is_local = ip_address(listener.getsockname()[0]).is_loopback
        to_loopback = is_local if webhooks_to_loopback is None else webhooks_to_loopback
        addresses = AddressRules(to_loopback=to_loopback, own_port=port)
        hosting = Hosting(home, lambda sandbox: _application(state, sandbox, rates, addresses))
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _greet(hosting.sandbox, hosting.application.state.access, address)
        server_of(hosting, host, port).run(sockets=[listener])


def _application(
    state: Path, sandbox: Sandbox, rates: RateOptions, addresses: AddressRules
) -> FastAPI:
    """Serves a sandbox, whose keys stand in its folder."""
    _write_keys(state, sandbox)
    return create_app(sandbox, rates, addresses)


def _open(
    state: Path,
    seed: str | None,
    chain: Engine | None,
    seats: Seating | None,
    options: SandboxOptions,
) -> Sandbox:
    today = WallClock().business_time().date()
    try:
        with engine_failures("Run the same command again: it goes on where it stopped."):
            return open_sandbox(state, seed, today, chain, seats, options)
    except MalformedError as error:
        bad_input(f"--rule: {error}")
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


def _write_keys(state: Path, sandbox: Sandbox) -> None:
    try:
        write_key_file(state, sandbox.consortium.network)
    except OSError as error:
        file_trouble(error)


def _greet(sandbox: Sandbox, access: Access, address: str) -> None:
    network, ticket, folder = sandbox.consortium.network, access.ticket(), sandbox.consortium.path
    lines = [
        f"Novate  {address}/  (stop with Ctrl-C)",
        *([f"  open    {address}/sign-in?ticket={ticket}  signs you in, once"] if ticket else []),
        f"  keys    {folder}/{KEY_FILE}  (novate key, novate key BRK-A); to sign in, and for REST",
        f"  REST    {address}/v1/trades  described in {address}/openapi.json",
        *_rpc_lines(sandbox, address),
        *_contract_lines(sandbox),
        f"  traders {', '.join(trader.id for trader in sandbox.consortium.traders())}",
        f"  traded  {', '.join(instrument.symbol for instrument in network.instruments[:6])}",
        "  Keys follow from the seed and are publicly known: for simulation only.",
    ]
    output().print("\n".join(lines), markup=False, soft_wrap=True)


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
