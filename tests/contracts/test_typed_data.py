"""What participants sign is what any EIP-712 library would sign."""

import numpy as np
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from contracts.abi import Array, uint
from contracts.lines import Lines
from contracts.typed_data import (
    TRADE_TYPE,
    CycleMessage,
    Domain,
    InstructionMessage,
    RedemptionMessage,
    SetMessage,
    trade_digests,
)
from ledger.chain.signatures import signer_of
from nodes.keys import Key

CHAIN_ID = 668_283
CONTRACT = bytes.fromhex("32dcab0ef3fb2de2fce1d2e0799d36239671f04a")
DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


def general_digest(primary, fields, message):
    """The digest that eth-account makes."""
    signable = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": DOMAIN_FIELDS,
                primary: [{"name": name, "type": kind} for name, kind in fields],
            },
            "primaryType": primary,
            "domain": {
                "name": "Novate",
                "version": "1",
                "chainId": CHAIN_ID,
                "verifyingContract": "0x" + CONTRACT.hex(),
            },
            "message": message,
        }
    )
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def test_cycle_digest_is_that_of_eth_account():
    lines = Lines(np.array([1 << 32 | 256, 1 << 32 | 512]), np.array([-5, 5])).pack()
    cycle = CycleMessage(
        id=b"\x01" * 32,
        root=b"\x02" * 32,
        count=3,
        parties=Array.of_numbers([1, 2]),
        securities_lines=lines,
        cash_lines=Array(b"", 0),
        rule_version=1,
        deadline=99,
    )
    parties_hash = keccak(uint(2) + uint(1) + uint(2))
    lines_hash = keccak(keccak(bytes(32) + keccak(uint(2) + lines.words)) + bytes(32))

    digest = Domain(CHAIN_ID, CONTRACT).digest(cycle.struct_hash())

    assert digest == general_digest(
        "Cycle",
        [
            ("id", "bytes32"),
            ("root", "bytes32"),
            ("count", "uint256"),
            ("parties_hash", "bytes32"),
            ("lines_hash", "bytes32"),
            ("rule_version", "uint256"),
            ("deadline", "uint256"),
        ],
        {
            "id": cycle.id,
            "root": cycle.root,
            "count": 3,
            "parties_hash": parties_hash,
            "lines_hash": lines_hash,
            "rule_version": 1,
            "deadline": 99,
        },
    )


def test_gross_cycle_is_another_message_than_a_net_one():
    moves = Array.of_numbers([1 << 127 | 256 << 95 | 512 << 63 | 10])
    fields = {
        "id": b"\x01" * 32,
        "root": b"\x02" * 32,
        "count": 3,
        "rule_version": 1,
        "deadline": 9,
    }
    lines = {"securities_lines": moves, "cash_lines": Array(b"", 0)}
    cycle = CycleMessage(**fields, **lines, parties=Array.of_numbers([1, 2]), is_gross=True)
    parties_hash = keccak(uint(2) + uint(1) + uint(2))
    lines_hash = keccak(keccak(uint(1) + moves.words) + bytes(32))

    digest = Domain(CHAIN_ID, CONTRACT).digest(cycle.struct_hash())

    assert digest == general_digest(
        "GrossCycle",
        [
            ("id", "bytes32"),
            ("root", "bytes32"),
            ("count", "uint256"),
            ("parties_hash", "bytes32"),
            ("lines_hash", "bytes32"),
            ("rule_version", "uint256"),
            ("deadline", "uint256"),
        ],
        fields | {"parties_hash": parties_hash, "lines_hash": lines_hash},
    )


def test_instruction_digest_is_that_of_eth_account():
    instruction = InstructionMessage(b"\x03" * 32, 256, 512, 1, 10, 1, 1_000, 1, 99)
    names = (
        "deliverer",
        "receiver",
        "instrument",
        "quantity",
        "currency",
        "amount",
        "rule_version",
        "deadline",
    )

    digest = Domain(CHAIN_ID, CONTRACT).digest(instruction.struct_hash())

    assert digest == general_digest(
        "Instruction",
        [("id", "bytes32"), *((name, "uint256") for name in names)],
        {"id": instruction.id} | {name: getattr(instruction, name) for name in names},
    )


def test_set_digest_is_that_of_eth_account():
    first = InstructionMessage(b"\x03" * 32, 256, 512, 1, 10, 2, 1_000, 1, 99)
    second = InstructionMessage(b"\x04" * 32, 512, 256, 0, 0, 1, 7, 1, 99)
    together = SetMessage(b"\x05" * 32, (first, second), (1, 2), (3,), 1, 99)
    terms = [256 << 224 | 512 << 192 | 1 << 160 | 2 << 128 | 10 << 64 | 1_000]
    terms += [512 << 224 | 256 << 192 | 1 << 128 | 7]
    words = first.id + uint(terms[0]) + second.id + uint(terms[1])

    digest = Domain(CHAIN_ID, CONTRACT).digest(together.struct_hash())

    assert together.packed_words() == Array(words, 2)
    assert digest == general_digest(
        "Set",
        [
            ("id", "bytes32"),
            ("instructions_hash", "bytes32"),
            ("parties_hash", "bytes32"),
            ("rule_version", "uint256"),
            ("deadline", "uint256"),
        ],
        {
            "id": together.id,
            "instructions_hash": keccak(uint(2) + words),
            "parties_hash": keccak(uint(2) + uint(1) + uint(2)),
            "rule_version": 1,
            "deadline": 99,
        },
    )


def test_redemption_digest_is_that_of_eth_account():
    redemption = RedemptionMessage(b"\x04" * 32, 1, 256, 10)

    digest = Domain(CHAIN_ID, CONTRACT).digest(redemption.struct_hash())

    assert digest == general_digest(
        "Redemption",
        [
            ("reference", "bytes32"),
            ("asset", "uint256"),
            ("account", "uint256"),
            ("amount", "uint256"),
        ],
        {"reference": redemption.reference, "asset": 1, "account": 256, "amount": 10},
    )


def test_signature_is_that_of_eth_account_in_compact_form():
    key, digest = Key.of_secret(b"\x07" * 32), keccak(b"anything")

    general = Account.unsafe_sign_hash(digest, b"\x07" * 32)

    s_and_parity = general.s | (general.v - 27) << 255
    assert key.sign(digest) == uint(general.r) + uint(s_and_parity)
    assert signer_of(digest, key.sign(digest)) == key.address


def test_trade_digests_are_those_of_eth_account():
    numbers = TRADE_TYPE.removeprefix("Trade(uint256 ").removesuffix(",bool cancels)")
    fields = [(name, "uint256") for name in numbers.split(",uint256 ")] + [("cancels", "bool")]
    rows = np.array(
        [
            [740_309, 1, 7, 256, 513, 100, 12_340_000, 1, 123_400, 0],
            [740_309, 200, 2**62, 2**31, 512, 2**62 + 1, 2**63 - 1, 3, 2**63 - 2, 1],
        ]
    )
    digests = list(trade_digests(Domain(CHAIN_ID, CONTRACT), rows))

    for row, digest in zip(rows.tolist(), digests, strict=True):
        message = dict(zip((name for name, _ in fields), row, strict=True))
        message["cancels"] = bool(message["cancels"])
        assert digest == general_digest("Trade", fields, message)
