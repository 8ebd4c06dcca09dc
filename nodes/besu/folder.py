"""A folder with everything for a QBFT network of so many validators, and how to start it.

The folder is written once and never over another: its node keys are the validators' power.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nodes.besu.genesis import genesis, genesis_text
from nodes.besu.node_files import (
    P2P_PORT,
    RPC_PORT,
    Validator,
    config_toml,
    permissions_toml,
    static_nodes_json,
)
from nodes.keys import Key
from nodes.validators import DEPLOYER

BESU_IMAGE: Final = "hyperledger/besu:25.11.0"
SUBNET: Final = "172.28.47.0/24"
VALIDATORS_MAX: Final = 100
_HOST_FORM: Final = "172.28.47.{}"
_FIRST_HOST: Final = 11


@dataclass(frozen=True, slots=True)
class BesuNetwork:
    """A network on paper.

    Attributes:
        senders: addresses whose transactions are taken; everybody's when there is none.
    """

    chain_id: int
    validators: Sequence[Validator]
    senders: Sequence[bytes]
    block_seconds: int


def make_validators(count: int, hosts: Sequence[str], seed: str | None) -> list[Validator]:
    """Validators with keys from chance, or (for tests only) from a seed.

    Hosts are IPv4 addresses, one a validator; those of the compose file when none are given.
    """
    assert 0 < count <= VALIDATORS_MAX
    assert not hosts or len(hosts) == count
    places = hosts or [_HOST_FORM.format(_FIRST_HOST + i) for i in range(count)]
    return [
        Validator(
            name := f"node-{number}", Key.of_seed(seed, name) if seed else Key.of_chance(), host
        )
        for number, host in enumerate(places, start=1)
    ]


def known_senders(seed: str, participants: Sequence[str]) -> list[bytes]:
    """The addresses that send the transactions of a network with these participants."""
    return [Key.of_seed(seed, name).address for name in (DEPLOYER, *participants)]


def write_folder(network: BesuNetwork, out: Path) -> None:
    """Writes all files. Raises FileExistsError when something is there already."""
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty")
    for name, text in _texts(network):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for validator in network.validators:
        validator.key.write(out / validator.name / "data" / "key")


def _texts(network: BesuNetwork) -> Iterator[tuple[str, str]]:
    """Name and text of every file that holds no secret."""
    addresses = [validator.key.address for validator in network.validators]
    form = genesis(network.chain_id, addresses, network.block_seconds)
    permissions = permissions_toml(network.validators, network.senders)
    yield "genesis.json", genesis_text(form)
    yield "docker-compose.yml", compose_text(network.validators)
    yield "README.md", readme_text(network)
    for each in network.validators:
        data = f"{each.name}/data"
        yield (
            f"{each.name}/config.toml",
            config_toml(each, network.block_seconds, is_closed=bool(network.senders)),
        )
        yield f"{data}/static-nodes.json", static_nodes_json(each, network.validators)
        yield f"{data}/permissions_config.toml", permissions


def compose_text(validators: Sequence[Validator]) -> str:
    """A compose file that runs all validators on one machine."""
    services = "".join(
        f"""\
  {each.name}:
    image: "${{BESU_IMAGE:-{BESU_IMAGE}}}"
    user: "${{BESU_USER:-1000:1000}}"
    command: ["--config-file=/opt/besu/config.toml"]
    restart: unless-stopped
    volumes:
      - ./genesis.json:/opt/besu/genesis.json:ro
      - ./{each.name}/config.toml:/opt/besu/config.toml:ro
      - ./{each.name}/data:/opt/besu/data
    ports:
      - "127.0.0.1:{RPC_PORT + place}:{RPC_PORT}"
    networks:
      consortium:
        ipv4_address: {each.host}
"""
        for place, each in enumerate(validators)
    )
    return f"""\
# All validators on one machine. JSON-RPC is reached from this machine only.
services:
{services}
networks:
  consortium:
    driver: bridge
    ipam:
      config:
        - subnet: {SUBNET}
"""


def readme_text(network: BesuNetwork) -> str:
    """What the folder is and how it is used."""
    count = len(network.validators)
    quorum = -(-2 * count // 3)
    rows = "".join(
        f"| {each.name} | `0x{each.key.address.hex()}` | {each.host}:{P2P_PORT} |"
        f" http://127.0.0.1:{RPC_PORT + place} |\n"
        for place, each in enumerate(network.validators)
    )
    senders = (
        f"Transactions are taken from {len(network.senders)} accounts only, those in\n"
        "`permissions_config.toml`."
        if network.senders
        else "Transactions are taken\nfrom everybody: keep others from JSON-RPC."
    )
    return f"""\
# A QBFT network of {count} validators for Novate

Chain {network.chain_id}, a block every {network.block_seconds} s, no fees, no native money.
{senders}

It goes on while {quorum} of {count} validators do, and stops, never forks, when fewer are up.

| validator | address | peers | JSON-RPC under compose |
|---|---|---|---|
{rows}
`NAME/data/key` is a validator's node key, mode 0600: move each to its own machine and keep no
copy. The files have to be readable by the user that Besu runs as:

    BESU_USER=$(id -u):$(id -g) docker compose up -d
    novate day --trades FILE --folder FOLDER --engine http://127.0.0.1:{RPC_PORT}

What each setting is for, and what was never run by the makers of this folder: docs/besu.md.
"""
