"""How the chain's data looks in JSON-RPC: hex quantities, hex data, camel-case objects."""

from collections.abc import Sequence
from typing import Final

import rlp
from eth_hash.auto import keccak

from ledger.chain.blocks import ZERO_HASH, Header, logs_bloom
from ledger.chain.reader import Included, LocatedLog
from ledger.chain.rpc.values import Json, data, quantity
from ledger.chain.transactions import DYNAMIC_FEE_TYPE, Transaction

_EMPTY_UNCLES: Final = keccak(rlp.encode([]))
_EMPTY_WITHDRAWALS: Final = keccak(rlp.encode(b""))


def header_form(header: Header) -> dict[str, Json]:
    """The head of a block."""
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
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "mixHash": data(ZERO_HASH),
        "nonce": data(bytes(8)),
        "baseFeePerGas": "0x0",
        "withdrawalsRoot": data(_EMPTY_WITHDRAWALS),
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": data(ZERO_HASH),
    }


def block_form(header: Header, size: int, transactions: Sequence[Json]) -> Json:
    """A block with its transactions, which are objects or hashes. ``size`` is in bytes."""
    return header_form(header) | {
        "size": quantity(size),
        "withdrawals": [],
        "uncles": [],
        "transactions": transactions,
    }


def included_form(included: Included, header: Header) -> Json:
    """A transaction in a block, and where it stands."""
    return transaction_form(included.transaction) | {
        "blockHash": data(header.hash()),
        "blockNumber": quantity(header.number),
        "transactionIndex": quantity(included.position),
    }


def transaction_form(transaction: Transaction) -> dict[str, Json]:
    """A transaction that is in no block yet: where it stands is null."""
    form: dict[str, Json] = {
        "hash": data(transaction.hash),
        "type": quantity(transaction.type),
        "chainId": quantity(transaction.chain_id),
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
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
    if transaction.type == DYNAMIC_FEE_TYPE:
        form["maxFeePerGas"] = quantity(transaction.gas_price)
        form["maxPriorityFeePerGas"] = quantity(transaction.tip)
        form["gasPrice"] = quantity(min(transaction.gas_price, transaction.tip))
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
