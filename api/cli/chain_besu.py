"""``novate chain besu``: the files of a QBFT network on Hyperledger Besu."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Final

import typer

from api.cli.terminal import bad_input, messages
from nodes.besu.folder import (
    VALIDATORS_MAX,
    BesuNetwork,
    known_senders,
    make_validators,
    write_folder,
)
from nodes.clock import WallClock
from nodes.network import CHAIN_ID
from nodes.sandbox.network import sandbox_network

_ADDRESS_BYTES: Final = 20


def besu(
    out: Annotated[Path, typer.Option(help="Folder to write; new or empty.")],
    validators: Annotated[
        int, typer.Option(min=1, max=VALIDATORS_MAX, help="How many; four bear one that fails.")
    ] = 4,
    host: Annotated[
        list[str] | None,
        typer.Option(help="IPv4 address of a validator's machine; one for each, or none."),
    ] = None,
    chain_id: Annotated[int, typer.Option(min=1, help="Chain id; the networks' own.")] = CHAIN_ID,
    block_seconds: Annotated[int, typer.Option(min=1, max=60, help="Seconds between blocks.")] = 2,
    seed: Annotated[str, typer.Option(help="Seed of the network that will use it.")] = "novate",
    sender: Annotated[
        list[str] | None,
        typer.Option(help="One more account whose transactions are taken, as 0x and 40 digits."),
    ] = None,
    open_accounts: Annotated[
        bool, typer.Option("--open-accounts", help="Take everybody's transactions.")
    ] = False,
    key_seed: Annotated[
        str | None, typer.Option(help="Node keys from this seed, not from chance: tests only.")
    ] = None,
) -> None:
    """Write genesis, node keys, configuration and compose file of a QBFT network.

    Ends with status 2, having written nothing, when an option is not valid or the folder is used.
    """
    hosts = [_host(text) for text in host or []]
    if hosts and len(set(hosts)) != validators:
        bad_input(f"--host: expected {validators} different addresses or none, found {len(hosts)}")
    senders = known_senders(seed, _participants(seed)) + [_address(text) for text in sender or []]
    network = BesuNetwork(
        chain_id=chain_id,
        validators=make_validators(validators, hosts, key_seed),
        senders=() if open_accounts else senders,
        block_seconds=block_seconds,
    )
    try:
        write_folder(network, out)
    except (FileExistsError, NotADirectoryError):
        bad_input(f"{out} is not a new or empty folder", "Nothing was written.")
    messages().print(
        f"{out}: genesis, keys and configuration of {validators} validators; see {out}/README.md",
        markup=False,
    )


def _participants(seed: str) -> list[str]:
    """Those who send transactions: their names are the same in every network that is made here."""
    network = sandbox_network(seed, WallClock().business_time().date())
    return [participant.id for participant in network.participants]


def _host(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        bad_input(f"--host: expected an IPv4 address such as 10.0.0.1, found {text!r}")


def _address(text: str) -> bytes:
    try:
        address = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        address = b""
    if not text.startswith("0x") or len(address) != _ADDRESS_BYTES:
        bad_input(f"--sender: expected 0x and 40 hex digits, found {text!r}")
    return address
