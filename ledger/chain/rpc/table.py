"""The one table of methods, name to function, for every way in: in process, HTTP, WebSocket."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import METHOD_NOT_FOUND, RpcError, invalid_params
from ledger.chain.rpc.methods import Method, blocks, logs, network, sandbox, state, transactions
from ledger.chain.rpc.values import Json, shown

METHODS: Final[Mapping[str, Method]] = {
    **blocks.METHODS,
    **transactions.METHODS,
    **state.METHODS,
    **logs.METHODS,
    **network.METHODS,
    **sandbox.METHODS,
}

_NO_KEYS: Final = "node-held keys do not exist here: sign it yourself, use eth_sendRawTransaction"
_NO_CONTROL: Final = "a node is not administered through JSON-RPC"
_NO_CHEATS: Final = "state is changed by signed transactions only"
_REASON_BY_NAME: Final = {
    "eth_sendTransaction": _NO_KEYS,
    "eth_sign": _NO_KEYS,
    "eth_signTransaction": _NO_KEYS,
    "eth_subscribe": "subscriptions need a WebSocket: connect to ws://.../rpc",
    "eth_unsubscribe": "subscriptions need a WebSocket: connect to ws://.../rpc",
}
_REASON_BY_PREFIX: Final = {
    "eth_signTypedData": _NO_KEYS,
    "personal_": _NO_KEYS,
    "wallet_": "this is a node, not a wallet",
    "admin_": _NO_CONTROL,
    "miner_": _NO_CONTROL,
    "engine_": _NO_CONTROL,
    "debug_": "the state of past blocks is not kept, and nothing is debugged into being",
    "trace_": "the state of past blocks is not kept",
    "anvil_": _NO_CHEATS,
    "hardhat_": _NO_CHEATS,
    "evm_": _NO_CHEATS,
}


def handle(backend: Backend, method: str, params: Sequence[Json]) -> Json:
    """The result of one request. Raises RpcError with the standard code."""
    found = METHODS.get(method)
    if found is None:
        raise _unknown(method)
    if len(params) < found.needs:
        raise invalid_params(f"{method} needs {found.needs} parameters, found {len(params)}")
    return found.run(backend, params)


def _unknown(method: str) -> RpcError:
    message = f"the method {shown(method)} does not exist or is not available"
    reason = _REASON_BY_NAME.get(method) or next(
        (reason for prefix, reason in _REASON_BY_PREFIX.items() if method.startswith(prefix)), ""
    )
    return RpcError(METHOD_NOT_FOUND, f"{message}: {reason}" if reason else message)
