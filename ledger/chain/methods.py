"""The JSON-RPC methods, one table: name to function, for every way in (in process, HTTP).

Answers are of the Ethereum JSON-RPC form. Every block that can be seen is final, so the tags
``latest``, ``safe``, ``finalized`` and ``pending`` all mean the last block.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ledger.chain.admission import TRANSACTION_GAS_MAX
from ledger.chain.blocks import Header
from ledger.chain.chain import Chain
from ledger.chain.executor import Call
from ledger.chain.json_forms import (
    Json,
    block_form,
    data,
    log_form,
    parse_address,
    parse_data,
    parse_hash,
    parse_quantity,
    quantity,
    receipt_form,
    transaction_form,
)
from ledger.chain.log_index import LogFilter
from ledger.chain.reader import Included
from ledger.chain.rpc_errors import RpcError, invalid_params, reverted
from ledger.chain.transactions import InvalidTransactionError

CLIENT_VERSION: Final = "Novate/v0.1.0"
_LATEST_TAGS: Final = frozenset({"latest", "safe", "finalized", "pending"})

Method = Callable[[Chain, Sequence[Json]], Json]


def handle(chain: Chain, method: str, params: Sequence[Json]) -> Json:
    """The result of one request. Raises RpcError with the standard code."""
    function = METHODS.get(method)
    if function is None:
        raise RpcError(-32601, f"the method {method} does not exist or is not available")
    try:
        return function(chain, params)
    except InvalidTransactionError as error:
        raise RpcError(-32000, str(error)) from error
    except IndexError:
        raise invalid_params(f"{method} needs more parameters") from None


def _send_raw_transaction(chain: Chain, params: Sequence[Json]) -> Json:
    return data(chain.submit(parse_data(params[0])))


def _call(chain: Chain, params: Sequence[Json]) -> Json:
    receipt = chain.call(_parse_call(params[0]))
    if not receipt.succeeded:
        raise reverted(receipt.output)
    return data(receipt.output)


def _estimate_gas(chain: Chain, params: Sequence[Json]) -> Json:
    receipt = chain.call(_parse_call(params[0]))
    if not receipt.succeeded:
        raise reverted(receipt.output)
    # Refunds come after the fact and 1/64 of the gas stays behind at every inner call.
    return quantity(min(receipt.gas_used * 5 // 4, TRANSACTION_GAS_MAX))


def _block_by_number(chain: Chain, params: Sequence[Json]) -> Json:
    return _block(chain, chain.store.header_by_number(_height(chain, params[0])), params)


def _block_by_hash(chain: Chain, params: Sequence[Json]) -> Json:
    return _block(chain, chain.store.header_by_hash(parse_hash(params[0])), params)


def _block(chain: Chain, header: Header | None, params: Sequence[Json]) -> Json:
    if header is None:
        return None
    included = chain.store.transactions_of(header.number)
    full = len(params) > 1 and params[1] is True
    transactions: list[Json] = [
        transaction_form(each, header) if full else data(each.transaction.hash) for each in included
    ]
    return block_form(header, transactions)


def _transaction_by_hash(chain: Chain, params: Sequence[Json]) -> Json:
    included, header = _located(chain, params[0])
    return transaction_form(included, header) if included and header else None


def _transaction_receipt(chain: Chain, params: Sequence[Json]) -> Json:
    included, header = _located(chain, params[0])
    return receipt_form(included, header) if included and header else None


def _located(chain: Chain, value: Json) -> tuple[Included | None, Header | None]:
    included = chain.store.transaction(parse_hash(value))
    return included, chain.store.header_by_number(included.block) if included else None


def _logs(chain: Chain, params: Sequence[Json]) -> Json:
    wanted = params[0]
    if not isinstance(wanted, Mapping):
        raise invalid_params("a log filter is an object")
    return [log_form(located) for located in chain.store.logs(_parse_filter(chain, wanted))]


def _parse_filter(chain: Chain, wanted: Mapping[str, Json]) -> LogFilter:
    addresses = wanted.get("address") or []
    topics = wanted.get("topics") or []
    if not isinstance(topics, Sequence) or isinstance(topics, str) or len(topics) > 4:
        raise invalid_params("'topics' is a list of at most four places")
    return LogFilter(
        from_block=_height(chain, wanted.get("fromBlock", "earliest")),
        to_block=_height(chain, wanted.get("toBlock", "latest")),
        addresses=tuple(parse_address(each) for each in _as_list(addresses)),
        topics=tuple(tuple(parse_hash(each) for each in _as_list(place)) for place in topics),
    )


def _parse_call(value: Json) -> Call:
    if not isinstance(value, Mapping):
        raise invalid_params("a call is an object")
    to = value.get("to")
    body = value.get("input", value.get("data")) or "0x"
    gas = value.get("gas")
    return Call(
        sender=parse_address(value.get("from") or "0x" + "00" * 20),
        to=parse_address(to) if to else None,
        data=parse_data(body),
        gas=min(parse_quantity(gas), TRANSACTION_GAS_MAX) if gas else TRANSACTION_GAS_MAX,
    )


def _height(chain: Chain, value: Json) -> int:
    if value == "earliest":
        return 0
    if isinstance(value, str) and value in _LATEST_TAGS:
        return chain.head.number
    return parse_quantity(value)


def _as_list(value: Json) -> Sequence[Json]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value  # type: ignore[return-value] # checked next


METHODS: Final[Mapping[str, Method]] = {
    "eth_accounts": lambda chain, params: [],
    "eth_blockNumber": lambda chain, params: quantity(chain.head.number),
    "eth_call": _call,
    "eth_chainId": lambda chain, params: quantity(chain.config.chain_id),
    "eth_estimateGas": _estimate_gas,
    "eth_gasPrice": lambda chain, params: quantity(0),
    "eth_getBalance": lambda chain, params: quantity(0),
    "eth_getBlockByHash": _block_by_hash,
    "eth_getBlockByNumber": _block_by_number,
    "eth_getCode": lambda chain, params: data(chain.code_of(parse_address(params[0]))),
    "eth_getLogs": _logs,
    "eth_getStorageAt": lambda chain, params: data(
        chain.storage_at(parse_address(params[0]), parse_quantity(params[1])).to_bytes(32, "big")
    ),
    "eth_getTransactionByHash": _transaction_by_hash,
    "eth_getTransactionCount": lambda chain, params: quantity(
        chain.nonce_of(parse_address(params[0]))
    ),
    "eth_getTransactionReceipt": _transaction_receipt,
    "eth_maxPriorityFeePerGas": lambda chain, params: quantity(0),
    "eth_sendRawTransaction": _send_raw_transaction,
    "eth_syncing": lambda chain, params: False,
    "net_version": lambda chain, params: str(chain.config.chain_id),
    "web3_clientVersion": lambda chain, params: CLIENT_VERSION,
}
