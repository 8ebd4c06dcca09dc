"""Methods about blocks.

There is no block in the making to look at: transactions are sealed as they come. So "pending" is
the last block, with its number and hash; transactions that wait are found by their hash.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.chain.blocks import Header
from ledger.chain.reader import Included
from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import SERVER_ERROR, RpcError, invalid_params
from ledger.chain.rpc.forms import block_form, included_form, receipt_form
from ledger.chain.rpc.methods import Method
from ledger.chain.rpc.params import parse_height
from ledger.chain.rpc.values import (
    Json,
    data,
    parse_count,
    parse_hash,
    parse_list,
    quantity,
    shown,
)

FEE_HISTORY_BLOCKS_MAX: Final = 1_024
PERCENTILES_MAX: Final = 100


def block_number(backend: Backend, _: Sequence[Json]) -> Json:
    """The number of the last block."""
    return quantity(backend.chain.head.number)


def block_by_number(backend: Backend, params: Sequence[Json]) -> Json:
    """A block; null when there is none."""
    return _block(backend, _by_number(backend, params[0]), params)


def block_by_hash(backend: Backend, params: Sequence[Json]) -> Json:
    """A block; null when there is none."""
    return _block(backend, _by_hash(backend, params[0]), params)


def transaction_count_by_number(backend: Backend, params: Sequence[Json]) -> Json:
    """How many transactions a block has; null when there is none."""
    return _count(backend, _by_number(backend, params[0]))


def transaction_count_by_hash(backend: Backend, params: Sequence[Json]) -> Json:
    """How many transactions a block has; null when there is none."""
    return _count(backend, _by_hash(backend, params[0]))


def transaction_by_number_and_index(backend: Backend, params: Sequence[Json]) -> Json:
    """A transaction by its place; null when there is none."""
    return _at(backend, _by_number(backend, params[0]), params[1])


def transaction_by_hash_and_index(backend: Backend, params: Sequence[Json]) -> Json:
    """A transaction by its place; null when there is none."""
    return _at(backend, _by_hash(backend, params[0]), params[1])


def block_receipts(backend: Backend, params: Sequence[Json]) -> Json:
    """All receipts of a block (tag, number, hash or EIP-1898 object); null when there is none."""
    header = _by_anything(backend, params[0])
    if header is None:
        return None
    return [receipt_form(included, header) for included in _included(backend, header)]


def uncle_count(backend: Backend, params: Sequence[Json]) -> Json:
    """No block has uncles; null when there is no such block."""
    return quantity(0) if _by_anything(backend, params[0]) else None


def uncle(_: Backend, __: Sequence[Json]) -> Json:
    """There is none."""
    return None


def fee_history(backend: Backend, params: Sequence[Json]) -> Json:
    """Fees, which are zero, and how full the last blocks were."""
    count = min(parse_count(params[0]), FEE_HISTORY_BLOCKS_MAX)
    columns = _count_percentiles(params[2]) if len(params) > 2 else 0
    newest, head = parse_height(backend.chain, params[1]), backend.chain.head.number
    if newest > head:
        raise RpcError(SERVER_ERROR, f"there is no block {newest}: the last is {head}")
    oldest = max(newest - count + 1, 0)
    headers = [backend.header(number) for number in range(oldest, newest + 1)]
    ratios = [header.gas_used / header.gas_limit for header in headers if header]
    form: dict[str, Json] = {
        "oldestBlock": quantity(oldest),
        "baseFeePerGas": ["0x0"] * (len(ratios) + 1),
        "gasUsedRatio": ratios,
        "baseFeePerBlobGas": ["0x0"] * (len(ratios) + 1),
        "blobGasUsedRatio": [0.0] * len(ratios),
    }
    if columns:
        form["reward"] = [["0x0"] * columns for _ in ratios]
    return form


def _count_percentiles(value: Json) -> int:
    percentiles = parse_list(value, "reward percentiles") if value is not None else ()
    if len(percentiles) > PERCENTILES_MAX:
        raise invalid_params(f"at most {PERCENTILES_MAX} reward percentiles")
    least: float = 0
    for each in percentiles:
        if isinstance(each, bool) or not isinstance(each, int | float) or not least <= each <= 100:
            raise invalid_params(
                f"reward percentiles are numbers from 0 to 100, ascending; found {shown(each)}"
            )
        least = each
    return len(percentiles)


def _by_number(backend: Backend, value: Json) -> Header | None:
    return backend.header(parse_height(backend.chain, value))


def _by_hash(backend: Backend, value: Json) -> Header | None:
    return backend.chain.store.header_by_hash(parse_hash(value))


def _by_anything(backend: Backend, value: Json) -> Header | None:
    if isinstance(value, Mapping):
        if "blockHash" in value:
            return _by_hash(backend, value["blockHash"])
        return _by_number(backend, value.get("blockNumber"))
    if isinstance(value, str) and len(value) == 2 + 2 * 32:
        return _by_hash(backend, value)
    return _by_number(backend, value)


def _block(backend: Backend, header: Header | None, params: Sequence[Json]) -> Json:
    if header is None:
        return None
    full = params[1] if len(params) > 1 else False
    if not isinstance(full, bool):
        raise invalid_params("the second parameter says whether transactions are full: a boolean")
    body = backend.chain.store.body(header.number)
    size = len(header.encode()) + body.transactions.size
    if not full:
        return block_form(header, size, [data(digest) for digest in body.transactions.digests])
    included = _included(backend, header)
    return block_form(header, size, [included_form(each, header) for each in included])


def _count(backend: Backend, header: Header | None) -> Json:
    return quantity(len(backend.chain.store.hashes_of(header.number))) if header else None


def _at(backend: Backend, header: Header | None, index: Json) -> Json:
    place = parse_count(index)
    included = backend.chain.store.included_at(header.number, place) if header else None
    return included_form(included, header) if included and header else None


def _included(backend: Backend, header: Header) -> list[Included]:
    return backend.chain.store.transactions_of(header.number)


METHODS: Final[Mapping[str, Method]] = {
    "eth_blockNumber": Method(block_number),
    "eth_feeHistory": Method(fee_history, needs=2),
    "eth_getBlockByHash": Method(block_by_hash, needs=1),
    "eth_getBlockByNumber": Method(block_by_number, needs=1),
    "eth_getBlockReceipts": Method(block_receipts, needs=1),
    "eth_getBlockTransactionCountByHash": Method(transaction_count_by_hash, needs=1),
    "eth_getBlockTransactionCountByNumber": Method(transaction_count_by_number, needs=1),
    "eth_getTransactionByBlockHashAndIndex": Method(transaction_by_hash_and_index, needs=2),
    "eth_getTransactionByBlockNumberAndIndex": Method(transaction_by_number_and_index, needs=2),
    "eth_getUncleByBlockHashAndIndex": Method(uncle),
    "eth_getUncleByBlockNumberAndIndex": Method(uncle),
    "eth_getUncleCountByBlockHash": Method(uncle_count, needs=1),
    "eth_getUncleCountByBlockNumber": Method(uncle_count, needs=1),
}
