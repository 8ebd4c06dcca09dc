"""Methods about the present state: calls, estimates, nonces, code, storage. No history is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ledger.chain.admission import intrinsic_gas
from ledger.chain.blocks import Receipt
from ledger.chain.executor import Call
from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import SERVER_ERROR, RpcError, invalid_params, reverted
from ledger.chain.rpc.methods import Method
from ledger.chain.rpc.params import parse_call, refuse_overrides, require_present_state
from ledger.chain.rpc.values import (
    Json,
    data,
    parse_address,
    parse_hash,
    parse_list,
    parse_object,
    parse_slot,
    quantity,
)
from ledger.chain.transactions import InvalidTransactionError

_ACCESS_LIST_MAX: Final = 1_000
_ANYBODY: Final = bytes(20)


def call(backend: Backend, params: Sequence[Json]) -> Json:
    """What a contract answers."""
    question = _question(backend, params)
    answer = _run(backend, question)
    if not answer.succeeded:
        raise _failed(question, answer)
    return data(answer.output)


def estimate_gas(backend: Backend, params: Sequence[Json]) -> Json:
    """Gas that was seen to suffice, at most a quarter more than is needed."""
    question = _question(backend, params)
    listed_gas = _access_list_gas(params[0])
    answer = _run(backend, question)
    if not answer.succeeded:
        raise _failed(question, answer)
    # Refunds come after the fact, and 1/64 stays behind at every inner call: use is not need.
    gas = max(answer.gas_used, intrinsic_gas(question.to, question.data))
    while gas < question.gas and not _run(backend, replace(question, gas=gas)).succeeded:
        gas = min(gas * 5 // 4, question.gas)
    return quantity(gas + listed_gas)


def balance(backend: Backend, params: Sequence[Json]) -> Json:
    """Zero: there is no native currency."""
    parse_address(params[0])
    require_present_state(backend.chain, params, 1)
    return quantity(0)


def code(backend: Backend, params: Sequence[Json]) -> Json:
    """The code of a contract."""
    address = parse_address(params[0])
    require_present_state(backend.chain, params, 1)
    return data(backend.chain.code_of(address))


def storage(backend: Backend, params: Sequence[Json]) -> Json:
    """The value of a storage slot."""
    address, slot = parse_address(params[0]), parse_slot(params[1])
    require_present_state(backend.chain, params, 2)
    return data(backend.chain.storage_at(address, slot).to_bytes(32, "big"))


def nonce(backend: Backend, params: Sequence[Json]) -> Json:
    """The nonce of an address; with "pending", after what it has waiting."""
    address = parse_address(params[0])
    if require_present_state(backend.chain, params, 1):
        return quantity(backend.chain.pending_nonce_of(address))
    return quantity(backend.chain.nonce_of(address))


def _question(backend: Backend, params: Sequence[Json]) -> Call:
    question = parse_call(params[0], backend.limits.call_gas)
    require_present_state(backend.chain, params, 1)
    refuse_overrides(params, 2)
    return question


def _failed(question: Call, answer: Receipt) -> RpcError:
    if not answer.output and answer.gas_used >= question.gas:
        return RpcError(SERVER_ERROR, f"out of gas, or an invalid instruction ({question.gas} gas)")
    return reverted(answer.output)


def _run(backend: Backend, question: Call) -> Receipt:
    try:
        return backend.chain.call(question)
    except InvalidTransactionError as error:
        raise RpcError(SERVER_ERROR, str(error)) from error


def _access_list_gas(value: Json) -> int:
    """What an access list costs on top; calls are run without one."""
    entries = parse_object(value, "a call").get("accessList")
    if entries is None:
        return 0
    listed = parse_list(entries, "an access list")
    if len(listed) > _ACCESS_LIST_MAX:
        raise invalid_params(f"an access list has at most {_ACCESS_LIST_MAX} entries")
    access_list = [_parse_access(entry) for entry in listed]
    return intrinsic_gas(_ANYBODY, b"", access_list) - intrinsic_gas(_ANYBODY, b"")


def _parse_access(value: Json) -> tuple[bytes, list[int]]:
    fields = parse_object(value, "an access list entry")
    slots = parse_list(fields.get("storageKeys", []), "storage keys")
    address = parse_address(fields.get("address"))
    return address, [int.from_bytes(parse_hash(slot), "big") for slot in slots]


METHODS: Final[Mapping[str, Method]] = {
    "eth_call": Method(call, needs=1),
    "eth_estimateGas": Method(estimate_gas, needs=1),
    "eth_getBalance": Method(balance, needs=1),
    "eth_getCode": Method(code, needs=1),
    "eth_getStorageAt": Method(storage, needs=2),
    "eth_getTransactionCount": Method(nonce, needs=1),
}
