"""Numbers, bytes, addresses and hashes as JSON-RPC writes them: hex with a prefix.

A quantity has no leading zeros, data has an even number of digits. What is read is held to the same
form; anything else raises RpcError (invalid params).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from ledger.chain.rpc.errors import invalid_params

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})", re.ASCII)
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_SLOT: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)


def quantity(number: int) -> str:
    """A number as JSON-RPC writes it."""
    return hex(number)


def data(value: bytes) -> str:
    """Bytes as JSON-RPC writes them."""
    return "0x" + value.hex()


def parse_quantity(value: Json) -> int:
    """A number that JSON-RPC wrote. Raises RpcError."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid_params(f"expected a hex quantity such as 0x1f, found {shown(value)}")
    return int(value, 16)


def parse_count(value: Json) -> int:
    """A number that clients write as a quantity or as a plain number. Raises RpcError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return parse_quantity(value)


def parse_slot(value: Json) -> int:
    """The number of a storage slot, with or without leading zeros. Raises RpcError."""
    if not isinstance(value, str) or not _SLOT.fullmatch(value):
        raise invalid_params(f"expected a slot of at most 32 bytes in hex, found {shown(value)}")
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


def parse_object(value: Json, what: str) -> Mapping[str, Json]:
    """An object with named members. Raises RpcError."""
    if not isinstance(value, Mapping):
        raise invalid_params(f"expected {what}, an object, found {shown(value)}")
    return value


def parse_list(value: Json, what: str) -> Sequence[Json]:
    """A list. Raises RpcError."""
    if not isinstance(value, list | tuple):
        raise invalid_params(f"expected {what}, a list, found {shown(value)}")
    return value


def shown(value: Json) -> str:
    """A short form of what was found, for messages."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _sized(value: Json, size: int, what: str) -> bytes:
    parsed = parse_data(value)
    if len(parsed) != size:
        raise invalid_params(f"expected {what} of {size} bytes, found {len(parsed)}")
    return parsed
