"""Messages and answers as bytes: nothing is lost, and nothing undeclared comes out."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ledger.clearing.columns import TradeColumns
from nodes import messages
from nodes.for_desk import is_for_desk
from nodes.messages import AffirmationRequest, Statement
from nodes.wire.codec import MalformedMessageError, arguments_of, packed, unpacked
from nodes.wire.contents import (
    ANSWERS,
    MESSAGES,
    method_of,
    packed_answer,
    packed_message,
    results_of,
    unpacked_answer,
    unpacked_call,
    unpacked_message,
)
from nodes.wire.remote_nodes import ROLES, vars_of
from tests.support import wire_messages

ANY_MESSAGE = st.one_of(wire_messages.MESSAGES.values())
ANY_ANSWER = st.one_of(wire_messages.ANSWERS.values())
METHODS = {
    f"{role.value} {name}": method
    for role, kind in ROLES.items()
    for name, method in vars_of(kind).items()
    if is_for_desk(method)
}


def test_table_has_every_message_that_nodes_take_and_nothing_else():
    declared = {getattr(messages, name.strip()) for name in messages.Message.split("|")}
    assert declared == set(MESSAGES) == set(wire_messages.MESSAGES)
    assert set(ANSWERS) == set(wire_messages.ANSWERS)


@given(ANY_MESSAGE)
def test_every_message_comes_out_as_it_went_in(message):
    assert wire_messages.same(unpacked_message(*packed_message(message)), message)


@given(ANY_ANSWER)
def test_every_answer_comes_out_as_it_went_in(answer):
    assert wire_messages.same(unpacked_answer(*packed_answer(answer)), answer)


@settings(max_examples=300)
@given(ANY_MESSAGE, st.data())
def test_damaged_bytes_give_a_message_of_the_type_or_are_refused(message, data):
    name, body = packed_message(message)
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    other = data.draw(st.sampled_from([name, *(kind.__name__ for kind in MESSAGES), "Message"]))
    for content in (bytes(damaged), cut):
        try:
            found = unpacked_message(other, content)
        except MalformedMessageError:
            continue
        assert type(found).__name__ == other


@given(st.binary(max_size=200), st.sampled_from(MESSAGES))
def test_arbitrary_bytes_are_no_message(content, kind):
    try:
        found = unpacked_message(kind.__name__, content)
    except MalformedMessageError:
        return
    assert isinstance(found, kind)


@pytest.mark.parametrize(
    "content",
    [
        b"\x91" * 100_000,
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff\x01",
        b"",
        b"\xc1",
    ],
    ids=["deep", "huge map", "huge bytes", "huge list", "nothing", "never used"],
)
@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_hostile_bytes_are_refused(kind, content):
    with pytest.raises(MalformedMessageError):
        unpacked_message(kind.__name__, content)


@pytest.mark.parametrize(
    "column",
    [
        ["<i8", [2**40], b""],
        ["<i8", [-1], b""],
        ["<i8", [1], b"1234567"],
        [">i8", [1], b"12345678"],
        ["<f8", [1], b"12345678"],
        ["|O", [1], b"12345678"],
        ["<i8", [1, 1], b"12345678"],
        ["<i8", [], b"12345678"],
        ["<i8", [1.0], b"12345678"],
        ["<i8", [1], "12345678"],
        ["<i8", [True], b"12345678"],
        [1, 2, 3, 4],
        7,
        None,
        {},
    ],
    ids=str,
)
def test_column_of_another_type_or_shape_than_declared_is_refused(column):
    body = msgspec.msgpack.encode({"block": 1, "keys": column, "amounts": ["<i8", [0], b""]})
    with pytest.raises(MalformedMessageError):
        unpacked(Statement, body)


def test_table_of_any_number_of_rows_of_nothing_is_refused():
    kind = NDArray[np.uint8]
    assert unpacked(kind, packed(np.zeros((0, 65), dtype=np.uint8))).shape == (0, 65)
    with pytest.raises(MalformedMessageError):
        unpacked(kind, msgspec.msgpack.encode(["|u1", [2**40, 0], b""]))


def test_trades_whose_columns_differ_in_length_are_refused():
    trades = TradeColumns.of_rows([range(11)])
    form = msgspec.msgpack.decode(packed(AffirmationRequest(np.array([0]), trades)))
    form["trades"]["dates"] = ["<i8", [0], b""]
    with pytest.raises(MalformedMessageError):
        unpacked(AffirmationRequest, msgspec.msgpack.encode(form))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_every_method_for_the_desk_declares_what_it_takes_and_returns(method):
    assert arguments_of(method).__struct_fields__ is not None
    assert results_of(method)


def test_desk_reaches_no_method_that_is_not_for_it():
    for name in ("handle", "close", "__init__", "database", "nothing"):
        with pytest.raises(MalformedMessageError):
            method_of(ROLES[next(iter(ROLES))], name)


@given(st.binary(max_size=60), st.sampled_from(list(METHODS.values())))
def test_arbitrary_bytes_are_no_call(content, method):
    try:
        named = unpacked_call(method, content)
    except MalformedMessageError:
        return
    assert set(named) == set(arguments_of(method).__struct_fields__)
