"""What serves a sandbox, and what is said of it."""

import socket
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path

from fastapi import FastAPI
from web3 import Web3

from api.access.access import Access, RateOptions
from api.app import create_app
from api.cli.terminal import file_trouble
from nodes.api_keys import KEY_FILE, write_key_file
from nodes.sandbox.network import developer_key
from nodes.sandbox.sandbox import Sandbox
from nodes.validators import DEVELOPER
from nodes.webhooks.addresses import AddressRules


def application(
    state: Path, sandbox: Sandbox, rates: RateOptions, webhooks: AddressRules
) -> FastAPI:
    """Serves a sandbox, whose keys stand in its folder."""
    _write_keys(state, sandbox)
    return create_app(sandbox, rates, webhooks)


def webhook_rules(listener: socket.socket, *, to_loopback: bool | None) -> AddressRules:
    """Where webhooks may be sent: to this machine too when it alone is listened to, or as said."""
    host, port = listener.getsockname()[:2]
    is_local = ip_address(host).is_loopback
    wished = is_local if to_loopback is None else to_loopback
    return AddressRules(to_loopback=wished, own_port=port)


def address_of(host: str, port: int) -> str:
    """The address of a server, for people."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _write_keys(state: Path, sandbox: Sandbox) -> None:
    try:
        write_key_file(state, sandbox.consortium.network)
    except OSError as error:
        file_trouble(error)


def greeting(sandbox: Sandbox, access: Access, address: str) -> str:
    """What is said when a sandbox is served at an address."""
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
    return "\n".join(lines)


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
