"""Methods about transactions: send one, look one up."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.chain.blocks import Header
from ledger.chain.reader import Included
from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import SERVER_ERROR, RpcError
from ledger.chain.rpc.forms import included_form, receipt_form, transaction_form
from ledger.chain.rpc.methods import Method
from ledger.chain.rpc.values import Json, data, parse_data, parse_hash
from ledger.chain.transactions import InvalidTransactionError


def send_raw(backend: Backend, params: Sequence[Json]) -> Json:
    """Submits a signed transaction; its hash. The same one again is answered as before."""
    try:
        return data(backend.chain.submit(parse_data(params[0])))
    except InvalidTransactionError as error:
        raise RpcError(SERVER_ERROR, str(error)) from error


def by_hash(backend: Backend, params: Sequence[Json]) -> Json:
    """A transaction, in a block or accepted for one; null when it is unknown."""
    included, header = _located(backend, params[0])
    if included and header:
        return included_form(included, header)
    waiting = backend.chain.pending(parse_hash(params[0]))
    return transaction_form(waiting) if waiting else None


def raw_by_hash(backend: Backend, params: Sequence[Json]) -> Json:
    """A transaction as it was signed; null when it is unknown."""
    digest = parse_hash(params[0])
    included = backend.chain.store.transaction(digest)
    found = included.transaction if included else backend.chain.pending(digest)
    return data(found.raw) if found else None


def receipt(backend: Backend, params: Sequence[Json]) -> Json:
    """What became of a transaction; null while it is in no block."""
    included, header = _located(backend, params[0])
    if included is None or header is None:
        return None
    return receipt_form(included, header)


def _located(backend: Backend, value: Json) -> tuple[Included | None, Header | None]:
    included = backend.chain.store.transaction(parse_hash(value))
    return included, backend.header(included.block) if included else None


METHODS: Final[Mapping[str, Method]] = {
    "eth_getRawTransactionByHash": Method(raw_by_hash, needs=1),
    "eth_getTransactionByHash": Method(by_hash, needs=1),
    "eth_getTransactionReceipt": Method(receipt, needs=1),
    "eth_sendRawTransaction": Method(send_raw, needs=1),
}
