"""What parameters mean: which block, which call, which logs."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.chain.blocks import Header
from ledger.chain.chain import Chain
from ledger.chain.executor import Call
from ledger.chain.log_index import LogFilter
from ledger.chain.rpc.errors import SERVER_ERROR, RpcError, invalid_params
from ledger.chain.rpc.values import (
    Json,
    parse_address,
    parse_data,
    parse_hash,
    parse_list,
    parse_object,
    parse_quantity,
    quantity,
    shown,
)

TOPICS_MAX: Final = 4
ALTERNATIVES_MAX: Final = 1_000
_FINAL_TAGS: Final = frozenset({"safe", "finalized"})
_HEAD_TAGS: Final = frozenset({"latest", "pending"})
_NOBODY: Final = bytes(20)


def parse_height(chain: Chain, value: Json) -> int:
    """The number of a block, from a tag or a quantity. Raises RpcError."""
    if value == "earliest":
        return 0
    if isinstance(value, str) and value in _HEAD_TAGS:
        return chain.head.number
    if isinstance(value, str) and value in _FINAL_TAGS:
        return chain.final.number
    if isinstance(value, str) and not value.startswith("0x"):
        raise invalid_params(
            f"expected latest, pending, safe, finalized, earliest or a hex number,"
            f" found {shown(value)}"
        )
    return parse_quantity(value)


def require_present_state(chain: Chain, params: Sequence[Json], place: int) -> bool:
    """Holds a question about state to the last block; says whether "pending" was asked for.

    Reads tags, numbers and EIP-1898 objects; a missing one is the last block. Raises RpcError.
    """
    value = params[place] if len(params) > place else None
    if value is None:
        return False
    number = _stated_height(chain, value)
    head = chain.head.number
    if number > head:
        raise RpcError(SERVER_ERROR, f"there is no block {number}: the last is {head}")
    if number < head:
        raise RpcError(SERVER_ERROR, f"state of block {number} is not kept; only latest ({head})")
    return value == "pending"


def _stated_height(chain: Chain, value: Json) -> int:
    if not isinstance(value, Mapping):
        return parse_height(chain, value)
    if ("blockHash" in value) == ("blockNumber" in value):
        raise invalid_params("a block object has either blockHash or blockNumber (EIP-1898)")
    if "blockNumber" in value:
        return parse_height(chain, value["blockNumber"])
    return parse_block_hash(chain, value["blockHash"]).number


def parse_block_hash(chain: Chain, value: Json) -> Header:
    """The header with a hash. Raises RpcError when there is none."""
    header = chain.store.header_by_hash(parse_hash(value))
    if header is None:
        raise RpcError(SERVER_ERROR, f"there is no block with the hash {value}")
    return header


def parse_call(value: Json, gas_max: int) -> Call:
    """A call. Fees, type and chain id mean nothing here and are ignored. Raises RpcError."""
    fields = parse_object(value, "a call")
    if fields.get("value") and parse_quantity(fields["value"]):
        raise RpcError(SERVER_ERROR, "this chain has no native currency: value must be 0")
    bodies = {parse_data(fields[name]) for name in ("input", "data") if fields.get(name)}
    if len(bodies) > 1:
        raise invalid_params("'input' and 'data' differ: give one of them")
    to, gas = fields.get("to"), fields.get("gas")
    return Call(
        sender=parse_address(fields["from"]) if fields.get("from") else _NOBODY,
        to=parse_address(to) if to else None,
        data=bodies.pop() if bodies else b"",
        gas=min(parse_quantity(gas), gas_max) if gas else gas_max,
    )


def refuse_overrides(params: Sequence[Json], first: int) -> None:
    """Raises RpcError when state or block overrides are given, from a place on."""
    if any(params[first:]):
        raise invalid_params("state and block overrides are not supported")


def parse_log_filter(chain: Chain, value: Json) -> LogFilter:
    """Which logs are wanted. Raises RpcError."""
    fields = parse_object(value, "a log filter")
    addresses, topics = parse_log_kinds(fields)
    if fields.get("blockHash") is not None:
        if fields.get("fromBlock") is not None or fields.get("toBlock") is not None:
            raise invalid_params("a log filter has either blockHash or fromBlock and toBlock")
        number = parse_block_hash(chain, fields["blockHash"]).number
        return LogFilter(number, number, addresses, topics)
    first, last = fields.get("fromBlock"), fields.get("toBlock")
    from_block = chain.head.number if first is None else parse_height(chain, first)
    to_block = chain.head.number if last is None else parse_height(chain, last)
    if first is not None and last is not None and from_block > to_block:
        raise invalid_params(
            f"fromBlock {quantity(from_block)} is after toBlock {quantity(to_block)}"
        )
    return LogFilter(from_block, to_block, addresses, topics)


def parse_log_kinds(
    fields: Mapping[str, Json],
) -> tuple[tuple[bytes, ...], tuple[tuple[bytes, ...], ...]]:
    """The addresses and topics of a log filter. Raises RpcError."""
    addresses = _alternatives(fields.get("address"), "addresses")
    places = fields.get("topics")
    topics = parse_list(places, "topics") if places is not None else ()
    if len(topics) > TOPICS_MAX:
        raise invalid_params(f"'topics' has at most {TOPICS_MAX} places")
    return (
        tuple(parse_address(each) for each in addresses),
        tuple(
            tuple(parse_hash(each) for each in _alternatives(place, "topics")) for place in topics
        ),
    )


def _alternatives(value: Json, what: str) -> Sequence[Json]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    several = parse_list(value, what)
    if len(several) > ALTERNATIVES_MAX:
        raise invalid_params(f"at most {ALTERNATIVES_MAX} {what} in one place")
    return several
