"""Methods that move a sandbox's time. Where time is the wall clock's they are refused."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.chain.rpc.backend import Backend, TimeControl
from ledger.chain.rpc.errors import NOT_SUPPORTED, RpcError, invalid_params
from ledger.chain.rpc.methods import Method
from ledger.chain.rpc.values import Json, parse_count, quantity


def increase_time(backend: Backend, params: Sequence[Json]) -> Json:
    """Moves the clock by some seconds; says by how many."""
    time, seconds = _time(backend), parse_count(params[0])
    _move(time, time.now() + seconds)
    return seconds


def set_next_timestamp(backend: Backend, params: Sequence[Json]) -> Json:
    """Moves the clock to the timestamp that the next block will have."""
    timestamp = parse_count(params[0])
    if timestamp < backend.chain.head.timestamp:
        raise invalid_params(f"timestamp {timestamp} is before the last block's")
    _move(_time(backend), timestamp)
    return None


def mine(backend: Backend, params: Sequence[Json]) -> Json:
    """Seals an empty block, at a timestamp when one is given."""
    time = _time(backend)
    if params and params[0] is not None:
        _move(time, parse_count(params[0]))
    backend.chain.mine()
    return quantity(0)


def not_yet(_: Backend, __: Sequence[Json]) -> Json:
    """Refused: the books of the nodes could not follow the chain back."""
    raise RpcError(NOT_SUPPORTED, "snapshots of the chain are not supported")


def _time(backend: Backend) -> TimeControl:
    if backend.time_control is None:
        raise RpcError(
            NOT_SUPPORTED,
            "time is the wall clock's here and cannot be set: time control needs a sandbox with a"
            " simulated clock",
        )
    return backend.time_control


def _move(time: TimeControl, timestamp: int) -> None:
    try:
        time.move_to(timestamp)
    except ValueError as error:
        raise invalid_params(str(error)) from error


METHODS: Final[Mapping[str, Method]] = {
    "evm_increaseTime": Method(increase_time, needs=1),
    "evm_mine": Method(mine),
    "evm_revert": Method(not_yet),
    "evm_setNextBlockTimestamp": Method(set_next_timestamp, needs=1),
    "evm_snapshot": Method(not_yet),
}
