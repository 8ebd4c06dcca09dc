"""How the chain's data looks in JSON-RPC: hex quantities, hex data, camel-case objects."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import rlp
from eth_hash.auto import keccak

from ledger.chain.blocks import ZERO_HASH, Header, logs_bloom
from ledger.chain.reader import Included, LocatedLog
from ledger.chain.rpc_errors import invalid_params

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})", re.ASCII)
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_EMPTY_UNCLES: Final = keccak(rlp.encode([]))
_EMPTY_WITHDRAWALS: Final = keccak(rlp.encode(b""))


def quantity(number: int) -> str:
    """A number as JSON-RPC writes it."""
    return hex(number)


def data(value: bytes) -> str:
    """Bytes as JSON-RPC writes them."""
    return "0x" + value.hex()


def parse_quantity(value: Json) -> int:
    """A number that JSON-RPC wrote. Raises RpcError."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid_params(f"expected a hex quantity such as 0x1f, found {value!r}")
    return int(value, 16)


def parse_data(value: Json) -> bytes:
    """Bytes that JSON-RPC wrote. Raises RpcError."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise invalid_params("expected hex data such as 0x00ff, of an even number of digits")
    return bytes.fromhex(value[2:])


def parse_address(value: Json) -> bytes:
    """An address of 20 bytes. Raises RpcError."""
    return _sized(value, 20, "an address")


def parse_hash(value: Json) -> bytes:
    """A hash or topic of 32 bytes. Raises RpcError."""
    return _sized(value, 32, "a hash")


def _sized(value: Json, size: int, what: str) -> bytes:
    parsed = parse_data(value)
    if len(parsed) != size:
        raise invalid_params(f"expected {what} of {size} bytes, found {len(parsed)}")
    return parsed


def block_form(header: Header, transactions: Sequence[Json]) -> Json:
    """A block with the given transactions (hashes or objects)."""
    return {
        "number": quantity(header.number),
        "hash": data(header.hash()),
        "parentHash": data(header.parent_hash),
        "sha3Uncles": data(_EMPTY_UNCLES),
        "logsBloom": data(header.logs_bloom),
        "transactionsRoot": data(header.transactions_root),
        "receiptsRoot": data(header.receipts_root),
        "stateRoot": data(header.state_root),
        "miner": data(header.proposer),
        "difficulty": "0x0",
        "extraData": data(b"novate"),
        "size": quantity(len(header.encode())),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "mixHash": data(ZERO_HASH),
        "nonce": data(bytes(8)),
        "baseFeePerGas": "0x0",
        "withdrawalsRoot": data(_EMPTY_WITHDRAWALS),
        "withdrawals": [],
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": data(ZERO_HASH),
        "uncles": [],
        "transactions": transactions,
    }


def transaction_form(included: Included, header: Header) -> Json:
    """A transaction and where it stands."""
    transaction = included.transaction
    form: dict[str, Json] = {
        "hash": data(transaction.hash),
        "type": quantity(transaction.type),
        "chainId": quantity(transaction.chain_id),
        "blockHash": data(header.hash()),
        "blockNumber": quantity(header.number),
        "transactionIndex": quantity(included.position),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "nonce": quantity(transaction.nonce),
        "gas": quantity(transaction.gas),
        "gasPrice": quantity(transaction.gas_price),
        "value": quantity(transaction.value),
        "input": data(transaction.data),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
    }
    if transaction.type == 0:
        form["v"] = quantity(transaction.chain_id * 2 + 35 + transaction.y_parity)
    else:
        form["v"] = form["yParity"] = quantity(transaction.y_parity)
        form["accessList"] = [
            {"address": data(address), "storageKeys": [data(s.to_bytes(32, "big")) for s in slots]}
            for address, slots in transaction.access_list
        ]
    if transaction.type == 2:
        form["maxFeePerGas"] = form["gasPrice"]
        form["maxPriorityFeePerGas"] = "0x0"
    return form


def receipt_form(included: Included, header: Header) -> Json:
    """The receipt of a transaction."""
    transaction, receipt = included.transaction, included.receipt
    logs: list[Json] = [
        log_form(
            LocatedLog(
                log,
                included.block,
                included.position,
                included.first_log_index + i,
                header.hash(),
                transaction.hash,
            )
        )
        for i, log in enumerate(receipt.logs)
    ]
    form: dict[str, Json] = {
        "transactionHash": data(transaction.hash),
        "transactionIndex": quantity(included.position),
        "blockHash": data(header.hash()),
        "blockNumber": quantity(header.number),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "contractAddress": data(receipt.contract) if receipt.contract else None,
        "cumulativeGasUsed": quantity(included.cumulative_gas),
        "gasUsed": quantity(receipt.gas_used),
        "effectiveGasPrice": "0x0",
        "logs": logs,
        "logsBloom": data(logs_bloom([receipt])),
        "status": quantity(int(receipt.succeeded)),
        "type": quantity(transaction.type),
    }
    if not receipt.succeeded:
        form["revertReason"] = data(receipt.output)
    return form


def log_form(located: LocatedLog) -> Json:
    """An event and where it stands."""
    return {
        "address": data(located.log.address),
        "topics": [data(topic) for topic in located.log.topics],
        "data": data(located.log.data),
        "blockNumber": quantity(located.block),
        "blockHash": data(located.block_hash),
        "transactionHash": data(located.transaction_hash),
        "transactionIndex": quantity(located.position),
        "logIndex": quantity(located.log_index),
        "removed": False,
    }
