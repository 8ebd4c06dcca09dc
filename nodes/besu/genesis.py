"""The genesis file of a free-gas QBFT chain: the first validators, no fees, no money.

Validators stand in the header's extra data, as RLP of: 32 bytes of vanity, their addresses, no
vote, round 0, no seals. Besu computes the genesis hash from this file: all nodes need the same.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import rlp

BLOCK_GAS_LIMIT: Final = 10_000_000_000
CONTRACT_BYTES_MAX: Final = 24_576
EPOCH_BLOCKS: Final = 30_000
QBFT_MIX_HASH: Final = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
"""By which Besu knows a block of its Byzantine fault tolerant engines."""

GENESIS_TIMESTAMP: Final = "0x58ee40ba"
_BLOCK_FORKS: Final = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
    "londonBlock",
)
_TIME_FORKS: Final = ("shanghaiTime", "cancunTime")


def genesis(chain_id: int, validators: Sequence[bytes], block_seconds: int) -> dict[str, Any]:
    """The genesis of a chain with these validators' addresses and a block every so many seconds."""
    return {
        "config": {
            "chainId": chain_id,
            **dict.fromkeys(_BLOCK_FORKS, 0),
            # The contracts use opcodes of Cancun; Osaka would cap a transaction at 2^24 gas.
            **dict.fromkeys(_TIME_FORKS, 0),
            "zeroBaseFee": True,
            "contractSizeLimit": CONTRACT_BYTES_MAX,
            "qbft": {
                "blockperiodseconds": block_seconds,
                "requesttimeoutseconds": 2 * block_seconds,
                "epochlength": EPOCH_BLOCKS,
            },
        },
        "nonce": "0x0",
        "timestamp": GENESIS_TIMESTAMP,
        "extraData": "0x" + extra_data(validators).hex(),
        "gasLimit": hex(BLOCK_GAS_LIMIT),
        "difficulty": "0x1",
        "mixHash": QBFT_MIX_HASH,
        "coinbase": "0x" + "00" * 20,
        "alloc": {},
    }


def extra_data(validators: Sequence[bytes]) -> bytes:
    """The extra data that names the first validators, in ascending order of address."""
    assert len(set(validators)) == len(validators) > 0
    vanity, vote, round_number, seals = bytes(32), [], b"", []  # type: ignore[var-annotated] # empty lists of RLP
    return bytes(rlp.encode([vanity, sorted(validators), vote, round_number, seals]))


def genesis_text(form: dict[str, Any]) -> str:
    """A genesis as it is written to a file."""
    return json.dumps(form, indent=2) + "\n"
