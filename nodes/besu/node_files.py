"""The files of one Besu node: its configuration, its peers, and who may connect and send.

Besu reads TOML whose keys are its command line options.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from nodes.keys import Key

P2P_PORT: Final = 30_303
RPC_PORT: Final = 8_545
CALL_GAS_MAX: Final = 1_000_000_000
SELECTION_PERCENT: Final = 75
SELECTION_MS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Validator:
    """A validator: its name among the files, its node key, and the IPv4 address of its host."""

    name: str
    key: Key
    host: str

    @property
    def enode(self) -> str:
        """The URL by which peers know it."""
        return f"enode://{self.key.public.hex()}@{self.host}:{P2P_PORT}"


def config_toml(validator: Validator, block_seconds: int, *, is_closed: bool) -> str:
    """The options of a validator. ``is_closed`` lets only listed accounts send transactions."""
    selection_ms = min(10 * SELECTION_PERCENT * block_seconds, SELECTION_MS_MAX)
    return f"""\
# Options of Besu for {validator.name}. Paths are those inside the container.
data-path="/opt/besu/data"
genesis-file="/opt/besu/genesis.json"
node-private-key-file="/opt/besu/data/key"
static-nodes-file="/opt/besu/data/static-nodes.json"

# Peers: the listed ones only; nobody is discovered.
p2p-host="{validator.host}"
p2p-port={P2P_PORT}
nat-method="NONE"
discovery-enabled=false
permissions-nodes-config-file-enabled=true
permissions-accounts-config-file-enabled={str(is_closed).lower()}

# Gas costs nothing.
min-gas-price=0

# The pool: few senders, each with many transactions, in the order in which they came.
tx-pool="SEQUENCED"
tx-pool-limit-by-account-percentage=1.0

# How long a block may take to fill; the second is what versions without the mend of issue 11005
# go by.
poa-block-txs-selection-max-time={SELECTION_PERCENT}
block-txs-selection-max-time={selection_ms}

# JSON-RPC: what the product asks for, and nothing that holds keys or changes the node.
rpc-http-enabled=true
rpc-http-host="0.0.0.0"
rpc-http-port={RPC_PORT}
rpc-http-api=["ETH","NET","WEB3"]
host-allowlist=["localhost","127.0.0.1"]
rpc-gas-cap={CALL_GAS_MAX}
revert-reason-enabled=true

# Every block and every state stays readable.
data-storage-format="FOREST"
sync-mode="FULL"
"""


def static_nodes_json(validator: Validator, validators: Sequence[Validator]) -> str:
    """The peers that a validator connects to: all others."""
    return json.dumps([each.enode for each in validators if each != validator], indent=2) + "\n"


def permissions_toml(validators: Sequence[Validator], senders: Sequence[bytes]) -> str:
    """Which nodes may connect, and whose transactions are taken; the same file for every node."""
    return (
        "# Who may connect.\n"
        f"nodes-allowlist={_list(each.enode for each in validators)}\n\n"
        "# Whose transactions are taken.\n"
        f"accounts-allowlist={_list('0x' + each.hex() for each in sorted(senders))}\n"
    )


def _list(items: Iterable[str]) -> str:
    return "[\n" + "".join(f'  "{item}",\n' for item in items).removesuffix(",\n") + "\n]"
