"""Signed transactions: those of eth-account are read as they are meant, malformed ones refused."""

import pytest
import rlp
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.transactions import (
    RAW_BYTES_MAX,
    InvalidTransactionError,
    decode_transaction,
)
from nodes.keys import Key
from tests.support.counters import count_raw
from tests.support.twins import new_chain

CHAIN_ID = 668_283
SECRET = b"\x09" * 32
TO = to_checksum_address("0x32dcab0ef3fb2de2fce1d2e0799d36239671f04a")


def signed(**fields):
    common = {
        "nonce": 3,
        "gas": 50_000,
        "to": TO,
        "value": 0,
        "data": "0x1234",
        "chainId": CHAIN_ID,
    }
    return bytes(Account.sign_transaction(common | fields, SECRET).raw_transaction)


@pytest.mark.parametrize(
    "fields",
    [
        {"gasPrice": 0},
        {
            "gasPrice": 0,
            "type": 1,
            "accessList": [{"address": TO, "storageKeys": ["0x" + "01" * 32]}],
        },
        {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "type": 2},
    ],
    ids=["legacy", "access list", "dynamic fee"],
)
def test_transaction_of_every_type_is_read(fields):
    raw = signed(**fields)

    transaction = decode_transaction(raw)

    assert transaction.sender == bytes.fromhex(Account.from_key(SECRET).address[2:])
    assert transaction.chain_id == CHAIN_ID
    assert transaction.nonce == 3
    assert transaction.gas == 50_000
    assert transaction.to == bytes.fromhex(TO[2:])
    assert transaction.data == bytes.fromhex("1234")
    assert len(transaction.access_list) == ("accessList" in fields)


def test_our_own_signer_makes_the_same_bytes():
    key = Key.of_secret(SECRET)

    ours = key.sign_transaction(
        chain_id=CHAIN_ID, nonce=3, to=bytes.fromhex(TO[2:]), data=b"\x12\x34", gas=50_000
    )

    assert ours == signed(maxFeePerGas=0, maxPriorityFeePerGas=0, type=2)


def test_legacy_transaction_without_chain_id_is_refused():
    raw = rlp.encode([3, 0, 50_000, bytes.fromhex(TO[2:]), 0, b"", 27, 1, 1])

    with pytest.raises(InvalidTransactionError, match="EIP-155"):
        decode_transaction(raw)


def test_high_s_is_refused():
    raw = signed(maxFeePerGas=0, maxPriorityFeePerGas=0, type=2)
    fields = rlp.decode(raw[1:])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    twin = [*fields[:-1], order - int.from_bytes(fields[-1], "big")]

    with pytest.raises(InvalidTransactionError, match="low"):
        decode_transaction(b"\x02" + rlp.encode(twin))


@pytest.mark.parametrize("raw", [b"", b"\x03\xc0", b"\x02\xc0", b"\xc0", b"\x00", b"\x02", b"\xf8"])
def test_malformed_bytes_are_refused(raw):
    with pytest.raises(InvalidTransactionError):
        decode_transaction(raw)


def nested(depth, innermost=b""):
    encoded = innermost
    for _ in range(depth):
        size = len(encoded)
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0xC0 + size]) if size <= 55 else bytes([0xF7 + len(digits)]) + digits
        encoded = head + encoded
    return encoded


def overrunning(depth):
    """Each list says that it ends far behind the one it is in."""
    return b"\xf9\xff\xff" * depth


@pytest.mark.parametrize(
    "encoded",
    [
        nested(6),
        nested(1_000),
        nested(120_000),
        nested(2, b"\x01" * (RAW_BYTES_MAX - 20)),
        nested(2, b"\xc0" * (RAW_BYTES_MAX - 20)),
        overrunning(50_000),
        b"\xfb\xff\xff\xff\xff" * 50_000,
    ],
    ids=["6 deep", "1,000 deep", "120,000 deep", "bytes", "lists", "overrun", "overrun by far"],
)
@pytest.mark.parametrize("kind", [b"", b"\x01", b"\x02"])
def test_structures_that_no_transaction_has_are_refused_before_they_cost_anything(
    kind, encoded, monkeypatch
):
    monkeypatch.setattr(rlp, "decode", None)

    with pytest.raises(InvalidTransactionError):
        decode_transaction(kind + encoded)


def test_deeply_nested_transaction_does_not_hurt_those_submitted_with_it():
    chain, key = new_chain(), Key.of_secret(SECRET)

    taken = chain.submit_all(
        [count_raw(key, 0, bytes(20), 0), nested(120_000), count_raw(key, 1, bytes(20), 0)]
    )

    assert isinstance(taken[1], InvalidTransactionError)
    assert chain.nonce_of(key.address) == 2


def test_longest_access_list_is_read():
    entries = [{"address": TO, "storageKeys": []}] * 20_000
    entries.append({"address": TO, "storageKeys": ["0x" + "01" * 32] * 300})

    read = decode_transaction(signed(gasPrice=0, type=1, accessList=entries))

    assert len(read.access_list) == len(entries)


def test_tip_is_kept():
    assert decode_transaction(signed(maxFeePerGas=9, maxPriorityFeePerGas=4, type=2)).tip == 4


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    try:
        decode_transaction(raw)
    except InvalidTransactionError:
        return


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_any_changed_byte_is_read_as_another_sender_or_refused(place, value):
    raw = bytearray(signed(maxFeePerGas=0, maxPriorityFeePerGas=0, type=2))
    place %= len(raw)
    if raw[place] == value:
        return
    raw[place] = value

    try:
        changed = decode_transaction(bytes(raw))
    except InvalidTransactionError:
        return
    assert changed.sender != bytes.fromhex(Account.from_key(SECRET).address[2:])
