"""What clients encode is read back by name; what nobody of ours made is left alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import decoding, deployment
from contracts.abi import Array, address_word, encode_call, selector, text_word, topic, uint
from contracts.artifacts import artifact
from contracts.clients.participants import Admission, Participants
from contracts.clients.registers import Cash, Securities
from contracts.clients.settlement import NO_SIGNATURE, Settlement
from contracts.decoding import DecodedCall, Named, decode_call, decode_creation, decode_log
from contracts.lines import Lines, line_key
from contracts.moves import Moves
from contracts.typed_data import (
    CycleMessage,
    InstructionMessage,
    RedemptionMessage,
    SetMessage,
)

ADDRESS = bytes(range(20))
HEX_ADDRESS = "0x" + ADDRESS.hex()
REFERENCE = b"\x11" * 32
DIGEST = b"\x22" * 32
LINES = Lines(np.array([line_key(1, 256), line_key(1, 512)]), np.array([-5, 5]))
REDEMPTION = RedemptionMessage(REFERENCE, 1, 256, 7)
CYCLE = CycleMessage(
    id=REFERENCE,
    root=b"\x22" * 32,
    count=3,
    parties=Array.of_numbers([1, 2]),
    securities_lines=LINES.pack(),
    cash_lines=Lines(np.array([], dtype=np.int64), np.array([], dtype=np.int64)).pack(),
    rule_version=1,
    deadline=99,
)
INSTRUCTION = InstructionMessage(REFERENCE, 256, 512, 1, 10, 1, 100, 1, 99)
PAYMENT = InstructionMessage(DIGEST, 512, 256, 1, 0, 2, 2**63 - 1, 1, 99)
SET = SetMessage(REFERENCE, (INSTRUCTION, PAYMENT), (1, 2), (), 1, 99)
MOVES = Moves(*(np.array(each) for each in ([1, 2**32 - 1], [256, 2**32 - 1], [513, 1], [5, 7])))
GROSS_CYCLE = replace(CYCLE, securities_lines=MOVES.pack(), is_gross=True)

participants = Participants(None, ADDRESS)
securities = Securities(None, ADDRESS)
cash = Cash(None, ADDRESS)
settlement = Settlement(None, ADDRESS)
WRITES = [
    (
        "Participants",
        "admit",
        participants.admit_data([Admission("BRK-A", ADDRESS, "broker", 3)]),
    ),
    ("Participants", "renounce_administration", participants.renounce_administration_data()),
    ("Participants", "suspend", participants.suspend_data(4)),
    ("Participants", "reinstate", participants.reinstate_data(4)),
    ("Securities", "register_instruments", securities.register_instruments_data(["ZZ0000NOVA12"])),
    ("Settlement", "settle_cycle", settlement.settle_cycle_data(CYCLE, [NO_SIGNATURE] * 2)),
    (
        "Settlement",
        "settle_cycle_gross",
        settlement.settle_cycle_data(GROSS_CYCLE, [NO_SIGNATURE] * 2),
    ),
    ("Settlement", "open_cycle", settlement.open_cycle_data(CYCLE, [NO_SIGNATURE] * 2)),
    ("Settlement", "stage_securities", next(settlement.stage_data(CYCLE))),
    (
        "Settlement",
        "stage_cash",
        encode_call("stage_cash(bytes32,uint256[])", REFERENCE, LINES.pack()),
    ),
    ("Settlement", "settle_staged", settlement.settle_staged_data(CYCLE)),
    ("Settlement", "abort", settlement.abort_data(REFERENCE)),
    (
        "Settlement",
        "settle_instruction",
        settlement.settle_instruction_data(INSTRUCTION, NO_SIGNATURE, NO_SIGNATURE),
    ),
    ("Settlement", "settle_set", settlement.settle_set_data(SET, [NO_SIGNATURE] * 2)),
] + [
    (name, function, data)
    for name, register in (("Securities", securities), ("Cash", cash))
    for function, data in (
        ("bind_settlement", register.bind_settlement_data(ADDRESS)),
        ("issue", register.issue_data(REFERENCE, LINES)),
        ("redeem", register.redeem_data(REDEMPTION, NO_SIGNATURE)),
        ("hold", register.hold_data(1, 256, 7)),
        ("release", register.release_data(1, 256, 7)),
        ("book", encode_call("book(bytes32,uint256[])", REFERENCE, LINES.pack())),
        (
            "stage",
            encode_call("stage(bytes32,uint256,uint256[])", REFERENCE, uint(1), LINES.pack()),
        ),
        ("book_staged", encode_call("book_staged(bytes32,uint256)", REFERENCE, uint(1))),
        ("drop_staged", encode_call("drop_staged(bytes32,uint256)", REFERENCE, uint(1))),
        ("move", encode_call("move(bytes32,uint256[])", REFERENCE, MOVES.pack())),
        (
            "transfer",
            encode_call(
                "transfer(bytes32,uint256,uint256,uint256,uint256)",
                REFERENCE + uint(1) + uint(256) + uint(512) + uint(7),
            ),
        ),
    )
]


@pytest.mark.parametrize(("contract", "function", "data"), WRITES, ids=lambda v: str(v)[:30])
def test_what_a_client_encodes_is_decoded_by_name(contract, function, data):
    call = decode_call(contract, data)

    assert call is not None
    assert (call.contract, call.function) == (contract, function)


def test_every_function_that_writes_is_among_them():
    functions = {
        (name, each["name"])
        for name in decoding.CONTRACTS
        for each in artifact(name).abi
        if each["type"] == "function" and each["stateMutability"] == "nonpayable"
    }

    assert {(contract, function) for contract, function, _ in WRITES} == functions


@pytest.mark.parametrize("contract", decoding.CONTRACTS)
def test_every_view_without_arguments_is_known_too(contract):
    for each in artifact(contract).abi:
        if each["type"] == "function" and not each["inputs"]:
            assert decode_call(contract, selector(f"{each['name']}()")).function == each["name"]


def test_cycle_is_decoded_to_its_lines_and_parties():
    call = decode_call("Settlement", settlement.settle_cycle_data(CYCLE, [NO_SIGNATURE] * 2))

    assert call["parties"] == (1, 2)
    assert call["securities_lines"].amounts.tolist() == [-5, 5]
    assert call["securities_lines"].accounts.tolist() == [256, 512]
    assert len(call["cash_lines"]) == 0
    assert len(call["attestations"]) == 2
    assert Named("count", 3) in call["cycle"]


def test_set_is_decoded_to_its_instructions_and_their_moves():
    call = decode_call("Settlement", settlement.settle_set_data(SET, [NO_SIGNATURE] * 2))
    instructions = call["instructions"]

    assert instructions.ids == (REFERENCE, DIGEST)
    assert instructions.deliveries.lines().amounts.tolist() == [-10, 10]
    assert instructions.payments.assets.tolist() == [1, 2]
    assert instructions.payments.debtors.tolist() == [512, 256]
    assert instructions.payments.creditors.tolist() == [256, 512]
    assert instructions.payments.amounts.tolist() == [100, 2**63 - 1]


def test_moves_are_read_back_as_they_were_packed():
    back = Moves.unpack(MOVES.pack().words)

    for name in ("assets", "debtors", "creditors", "amounts"):
        assert getattr(back, name).tolist() == getattr(MOVES, name).tolist()


def test_moves_come_to_one_line_a_holding():
    columns = ([1, 1, 1], [256, 512, 256], [512, 256, 768], [5, 5, 2])
    net = Moves(*(np.array(each) for each in columns)).net()

    assert net.accounts.tolist() == [256, 768]
    assert net.amounts.tolist() == [-2, 2]


def test_admission_is_decoded_to_words():
    (admission,) = decode_call("Participants", WRITES[0][2])["admissions"]

    assert [named.value for named in admission] == [HEX_ADDRESS, "broker", 3, "BRK-A"]


def test_creations_are_told_apart_with_their_arguments():
    made = decode_creation(deployment.cash_init_code(ADDRESS, ["CNY", "HKD"]))

    assert (made.contract, made.function) == ("Cash", decoding.CONSTRUCTOR)
    assert made["currencies"] == ("CNY", "HKD")
    assert decode_creation(deployment.participants_init_code()).contract == "Participants"
    assert decode_creation(deployment.securities_init_code(ADDRESS)).contract == "Securities"
    code = deployment.settlement_init_code(ADDRESS, ADDRESS, ADDRESS, 1)
    assert decode_creation(code)["rule_version"] == 1
    assert decode_creation(b"\x60\x00") is None


@pytest.mark.parametrize(
    ("contract", "topics", "data", "event", "values"),
    [
        (
            "Cash",
            [topic("AssetRegistered(uint256,bytes32)"), uint(1)],
            text_word("CNY"),
            "AssetRegistered",
            [1, "CNY"],
        ),
        (
            "Securities",
            [topic("Held(uint256,uint256,uint256)")],
            uint(1) + uint(256) + uint(7),
            "Held",
            [1, 256, 7],
        ),
        (
            "Participants",
            [topic("Suspended(uint256)"), uint(4)],
            b"",
            "Suspended",
            [4],
        ),
        (
            "Settlement",
            [topic("CycleSettled(bytes32,bytes32,bytes32,uint256,uint256)"), REFERENCE],
            DIGEST + REFERENCE + uint(3) + uint(1),
            "CycleSettled",
            [REFERENCE, DIGEST, REFERENCE, 3, 1],
        ),
    ],
)
def test_log_is_decoded_in_the_order_of_its_source(contract, topics, data, event, values):
    decoded = decode_log(contract, topics, data)

    assert decoded.event == event
    assert [named.value for named in decoded.values] == values
    assert topics[0] in decoding.topics_of(event)


def test_instructions_of_a_settled_set_are_instructions():
    instruction = InstructionMessage(REFERENCE, 256, 512, 1, 10, 1, 100, 1, 0)
    data = DIGEST + uint(64) + uint(1) + instruction.packed_words()
    decoded = decode_log(
        "Settlement", [topic("SetSettled(bytes32,bytes32,uint256[2][])"), REFERENCE], data
    )

    assert decoded["instructions"].ids == (REFERENCE,)
    assert decoded["instructions"].deliveries.amounts.tolist() == [10]


def test_booked_lines_are_lines():
    data = uint(32) + LINES.pack().encode()
    decoded = decode_log("Cash", [topic("Booked(bytes32,uint256[])"), REFERENCE], data)

    assert decoded["lines"].keys.tolist() == LINES.keys.tolist()


def test_text_that_a_terminal_would_obey_is_shown_in_hex():
    data = securities.register_instruments_data(["\x1b[2J"])

    assert decode_call("Securities", data)["isins"] == (text_word("\x1b[2J").hex(),)


def test_array_that_claims_more_than_there_is_is_not_decoded():
    data = encode_call("issue(bytes32,uint256[])", REFERENCE, LINES.pack())
    claimed = data[:68] + uint(2**255) + data[100:]

    assert decode_call("Securities", claimed) is None
    assert decode_call("Securities", data[:-1]) is None


@given(
    contract=st.sampled_from(decoding.CONTRACTS),
    head=st.sampled_from([data[:4] for _, _, data in WRITES]),
    rest=st.binary(max_size=400),
)
def test_any_bytes_are_decoded_or_left_alone(contract, head, rest):
    call = decode_call(contract, head + rest)

    assert call is None or isinstance(call, DecodedCall)
    assert decode_log(contract, [], rest) is None
    assert decode_log(contract, [address_word(ADDRESS)], rest) is None
