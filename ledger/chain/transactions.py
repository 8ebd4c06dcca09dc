"""Signed transactions: from raw bytes to what they say and who sent them.

Accepted are EIP-155 legacy, EIP-2930 and EIP-1559 transactions, strictly encoded. The chain has no
native currency, so value and prices buy nothing; they are decoded, shown and otherwise ignored.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
import rlp
from eth_hash.auto import keccak

from ledger.chain.signatures import recover

ACCESS_LIST_TYPE: Final = 1
DYNAMIC_FEE_TYPE: Final = 2
RAW_BYTES_MAX: Final = 2 * 1024 * 1024
_FIELDS_BY_TYPE: Final = {0: 9, ACCESS_LIST_TYPE: 11, DYNAMIC_FEE_TYPE: 12}
# The fields, the access list, an entry of it, its slots.
_LISTS_NESTED_MAX: Final = 4
# The least is an access list's entry without slots: three items in 23 bytes.
_BYTES_AN_ITEM: Final = 7

Rlp: TypeAlias = "bytes | Sequence[Rlp]"


class InvalidTransactionError(ValueError):
    """A transaction that no block may carry. The chain has not changed."""


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """A decoded transaction. ``to`` is None when it deploys a contract.

    ``tip`` is what an EIP-1559 transaction adds for the proposer: nobody is paid it.
    """

    raw: bytes
    hash: bytes
    type: int
    chain_id: int
    nonce: int
    gas: int
    to: bytes | None
    value: int
    data: bytes
    sender: bytes
    gas_price: int
    tip: int
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...]
    y_parity: int
    r: int
    s: int


def decode_transaction(raw: bytes) -> Transaction:
    """The transaction in ``raw``. Raises InvalidTransactionError for a malformed one."""
    if len(raw) > RAW_BYTES_MAX:
        raise InvalidTransactionError(f"{len(raw)} bytes are more than {RAW_BYTES_MAX}")
    kind = raw[0] if raw and raw[0] < 0xC0 else 0
    if not raw or kind not in _FIELDS_BY_TYPE:
        raise InvalidTransactionError(f"transaction type {kind} is not supported")
    fields = _decode_rlp(raw[1:] if kind else raw)
    if isinstance(fields, bytes) or len(fields) != _FIELDS_BY_TYPE[kind]:
        raise InvalidTransactionError(
            f"a type {kind} transaction has {_FIELDS_BY_TYPE[kind]} fields"
        )
    return _decode_legacy(raw, fields) if kind == 0 else _decode_typed(raw, kind, fields)


def _decode_rlp(encoded: bytes) -> Rlp:
    """Raises InvalidTransactionError, at once for what is nested too deeply or in too many pieces.

    The library's time grows with the square of the depth, and its stack with the depth.
    """
    items_left = max(_FIELDS_BY_TYPE.values()) + 1 + len(encoded) // _BYTES_AN_ITEM
    _scan(encoded, 0, len(encoded), _LISTS_NESTED_MAX, items_left)
    try:
        fields: Rlp = rlp.decode(encoded)
    except (rlp.exceptions.RLPException, ValueError, IndexError, RecursionError) as error:
        raise InvalidTransactionError(f"not valid RLP: {error}") from error
    return fields


def _scan(encoded: bytes, at: int, end: int, lists_left: int, items_left: int) -> int:
    """Walks the items of a list; how many more items there may be. Strings are jumped over."""
    while at < end:
        items_left -= 1
        first = encoded[at]
        if first < 0x80:
            at += 1
        elif first < 0xB8:
            at += first - 0x7F
        elif first == 0xC0:
            at += 1
        else:
            at, size = _long_item(encoded, at, first)
            if first > 0xC0 and at + size <= end:
                if not lists_left or items_left < 0:
                    raise InvalidTransactionError("not valid RLP: too many lists in each other")
                items_left = _scan(encoded, at, at + size, lists_left - 1, items_left)
            at += size
    if at > end or items_left < 0:
        raise InvalidTransactionError("not valid RLP: an item too long, or too many")
    return items_left


def _long_item(encoded: bytes, at: int, first: int) -> tuple[int, int]:
    """Where the content of a long string or of a list starts, and its size in bytes."""
    if 0xC0 < first < 0xF8:
        return at + 1, first - 0xC0
    digits = first - (0xB7 if first < 0xC0 else 0xF7)
    start = at + 1 + digits
    return start, int.from_bytes(encoded[at + 1 : start], "big")


def _decode_legacy(raw: bytes, fields: Sequence[Rlp]) -> Transaction:
    v = _integer(fields[6], "v")
    if v < 37:
        raise InvalidTransactionError("a legacy transaction must carry its chain id (EIP-155)")
    chain_id, y_parity = divmod(v - 35, 2)
    replay_protection = rlp.encode(chain_id) + rlp.encode(b"") * 2
    digest = keccak(_list_of(_without_signature(raw, fields) + replay_protection))
    signature = (y_parity, _integer(fields[7], "r"), _integer(fields[8], "s"))
    return _transaction(raw, 0, chain_id, fields, 0, (), digest, signature)


def _decode_typed(raw: bytes, kind: int, fields: Sequence[Rlp]) -> Transaction:
    head, access_list, signature = fields[1:-4], fields[-4], fields[-3:]
    # Legacy order: nonce, gas price, gas, to, value, data; EIP-1559 puts the tip before the price.
    tip, body = 0, head
    if kind == DYNAMIC_FEE_TYPE:
        tip, body = _integer(head[1], "tip"), [head[0], *head[2:]]
    return _transaction(
        raw,
        kind,
        _integer(fields[0], "chain id"),
        body,
        tip,
        _access_list(access_list),
        keccak(raw[:1] + _list_of(_without_signature(raw[1:], fields))),
        (
            _integer(signature[0], "y parity"),
            _integer(signature[1], "r"),
            _integer(signature[2], "s"),
        ),
    )


def _transaction(
    raw: bytes,
    kind: int,
    chain_id: int,
    body: Sequence[Rlp],
    tip: int,
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...],
    digest: bytes,
    signature: tuple[int, int, int],
) -> Transaction:
    to = _bytes(body[3], "to")
    if len(to) not in (0, 20):
        raise InvalidTransactionError(f"'to' has {len(to)} bytes instead of 20 or none")
    y_parity, r, s = signature
    return Transaction(
        raw=raw,
        hash=keccak(raw),
        type=kind,
        chain_id=chain_id,
        nonce=_integer(body[0], "nonce"),
        gas_price=_integer(body[1], "gas price"),
        tip=tip,
        gas=_integer(body[2], "gas"),
        to=to or None,
        value=_integer(body[4], "value"),
        data=_bytes(body[5], "data"),
        sender=_recover(digest, y_parity, r, s),
        access_list=access_list,
        y_parity=y_parity,
        r=r,
        s=s,
    )


def _without_signature(encoded: bytes, fields: Sequence[Rlp]) -> bytes:
    """The encoded fields before the last three: cut out, which is faster than encoding again."""
    first = encoded[0]
    start = 1 if first <= 0xF7 else 1 + first - 0xF7
    end = len(encoded)
    for field in fields[-3:]:
        number = _bytes(field, "signature")
        if len(number) > 32:
            raise InvalidTransactionError("a signature's number has more than 32 bytes")
        end -= 1 if len(number) == 1 and number[0] < 0x80 else 1 + len(number)
    return encoded[start:end]


def _list_of(content: bytes) -> bytes:
    """The RLP of a list whose encoded items are given."""
    size = len(content)
    if size <= 55:
        return bytes([0xC0 + size]) + content
    digits = _minimal(size)
    return bytes([0xF7 + len(digits)]) + digits + content


def _recover(digest: bytes, y_parity: int, r: int, s: int) -> bytes:
    try:
        return recover(digest, y_parity, r, s)
    except ValueError as error:
        raise InvalidTransactionError(str(error)) from error


def _access_list(value: Rlp) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    entries = []
    for entry in _list(value, "access list"):
        pair = _list(entry, "access list entry")
        if len(pair) != 2:
            raise InvalidTransactionError("an access list entry is an address and its slots")
        address = _bytes(pair[0], "access list address")
        slots = [_bytes(slot, "slot") for slot in _list(pair[1], "slots")]
        if len(address) != 20 or any(len(slot) != 32 for slot in slots):
            raise InvalidTransactionError(
                "an access list holds 20-byte addresses and 32-byte slots"
            )
        entries.append((address, tuple(int.from_bytes(slot, "big") for slot in slots)))
    return tuple(entries)


def _integer(value: Rlp, name: str) -> int:
    digits = _bytes(value, name)
    if len(digits) > 32 or digits[:1] == b"\0":
        raise InvalidTransactionError(f"'{name}' is not a canonical integer of at most 32 bytes")
    return int.from_bytes(digits, "big")


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _bytes(value: Rlp, name: str) -> bytes:
    if not isinstance(value, bytes):
        raise InvalidTransactionError(f"'{name}' is a list instead of bytes")
    return value


def _list(value: Rlp, name: str) -> Sequence[Rlp]:
    if isinstance(value, bytes):
        raise InvalidTransactionError(f"'{name}' is bytes instead of a list")
    return value
