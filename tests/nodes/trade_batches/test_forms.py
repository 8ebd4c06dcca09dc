"""A batch is read as its trades would be one by one, in either form; a bad one is refused whole."""

import contextlib
import json
from datetime import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.amounts import AMOUNT_MAX, parse_price, parse_quantity, trade_amount
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import encode_trade_number
from nodes.sandbox.network import sandbox_network
from nodes.trade_batches import MalformedBatchError, read_arrow, read_json
from nodes.trade_batches.texts import encode_trade_numbers, read_decimals
from tests.support.batches import (
    NAMES,
    SCHEMA,
    arrow_columns,
    arrow_stream,
    json_rows,
    other_day,
)
from tests.support.consortia import DAY

NETWORK = sandbox_network("test", DAY)
NEAR_TEXTS = st.text("019.A-Z_ \0\u0661e", max_size=22)
NUMBERS = st.one_of(st.from_regex(r"[A-Z0-9-]{1,11}|[1-9][0-9]{11,14}", fullmatch=True), NEAR_TEXTS)
DECIMALS = st.one_of(st.from_regex(r"[0-9]{1,13}(\.[0-9]{1,7})?", fullmatch=True), NEAR_TEXTS)


def json_of(rows):
    return json.dumps(rows).encode()


def faults_of(read, body):
    with pytest.raises(MalformedBatchError) as refused:
        read(body, NETWORK)
    return [(fault.row, fault.field) for fault in refused.value.faults]


def parsed(parse, text):
    try:
        return parse(text)
    except MalformedError:
        return None


@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_trade_numbers_are_encoded_as_one_by_one(texts):
    numbers, valid = encode_trade_numbers(texts)

    found = [n if v else None for n, v in zip(numbers.tolist(), valid.tolist(), strict=True)]
    assert found == [parsed(encode_trade_number, text) for text in texts]


@given(st.lists(DECIMALS, min_size=1, max_size=8))
def test_prices_are_read_as_one_by_one(texts):
    prices, valid = read_decimals(texts, 12, 6)
    valid &= (prices > 0) & (prices <= AMOUNT_MAX)

    found = [n if v else None for n, v in zip(prices.tolist(), valid.tolist(), strict=True)]
    # The schema of a single trade bounds the digits before the point; amounts do so here too.
    assert found == [parsed(parse_price, text) for text in texts]


@given(st.lists(st.one_of(st.from_regex(r"[0-9]{1,17}", fullmatch=True), NEAR_TEXTS), min_size=1))
def test_quantities_are_read_as_one_by_one(texts):
    quantities, valid = read_decimals(texts, 16, 0)
    valid &= (quantities > 0) & (quantities <= AMOUNT_MAX)

    found = [n if v else None for n, v in zip(quantities.tolist(), valid.tolist(), strict=True)]
    assert found == [parsed(parse_quantity, text) for text in texts]


@given(st.lists(st.tuples(st.integers(1, AMOUNT_MAX), st.integers(1, AMOUNT_MAX)), min_size=1))
def test_amounts_are_exact_up_to_the_last_minor_unit(terms):
    rows = arrow_columns(1, len(terms), quantity=[q for q, _ in terms], price=[p for _, p in terms])
    expected = [trade_amount(quantity, price, "CNY") for quantity, price in terms]

    if all(0 < amount <= AMOUNT_MAX for amount in expected):
        assert read_arrow(arrow_stream(rows), NETWORK).amounts.tolist() == expected
    else:
        bad = [i for i, amount in enumerate(expected) if not 0 < amount <= AMOUNT_MAX]
        assert faults_of(read_arrow, arrow_stream(rows)) == [(i, "amount") for i in bad[:20]]


def test_both_forms_say_the_same():
    rows = json_rows(1, 50)
    times = arrow_columns(1, 50, time=[time(0)] * 50)

    listed, wrapped = (
        read_json(json_of(rows), NETWORK),
        read_json(json_of({"trades": rows}), NETWORK),
    )
    arrow = read_arrow(arrow_stream(times), NETWORK)

    for name, column in listed.columns().items():
        assert np.array_equal(column, getattr(arrow, name)), name
        assert np.array_equal(column, getattr(wrapped, name)), name


def test_names_may_be_isins_and_numbers_text_and_the_time_left_out():
    fields = [field for field in SCHEMA if field.name not in ("time", "number")]
    schema = pa.schema([("number", pa.string()), *fields])
    columns = arrow_columns(1, 2, number=["A-1", "A-2"], instrument=["NOVA1", "ZZ0000NOVA12"])
    isin = NETWORK.instruments[0].isin
    columns["instrument"] = ["NOVA1", isin]

    trades = read_arrow(arrow_stream(columns, schema), NETWORK)

    assert trades.numbers.tolist() == [encode_trade_number("A-1"), encode_trade_number("A-2")]
    assert trades.instruments.tolist() == [1, 1]
    assert trades.times.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": str(2**63)}, "quantity"),
        ({"quantity": 100}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"price": 10.5}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "1e3"}, "price"),
        ({"price": "0.0000001"}, "price"),
        ({"price": "0"}, "price"),
        ({"number": "t1"}, "number"),
        ({"number": "T1\0"}, "number"),
        ({"number": "\u0661"}, "number"),
        ({"number": ""}, "number"),
        ({"instrument": "US0378331006"}, "instrument"),
        ({"instrument": "NOPE"}, "instrument"),
        ({"seller": "NOBODY"}, "seller"),
        ({"seller": "EXCHANGE"}, "seller"),
        ({"buyer": "BRK-A/other"}, "buyer"),
        ({"buyer": []}, "buyer"),
        ({"quantity": "1", "price": "0.004"}, "amount"),
        ({"quantity": "999999999999999", "price": "999999999"}, "amount"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_row_of_json_is_named_with_its_field(changes, field):
    rows = json_rows(1, 5)
    rows[3] = rows[3] | changes

    assert faults_of(read_json, json_of(rows)) == [(3, field)]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"quantity": [1, 2, 0, 4]}, (2, "quantity")),
        ({"quantity": [1, -(2**62), 3, 4]}, (1, "quantity")),
        ({"quantity": [1, 2, 3, 2**63 - 1]}, (3, "quantity")),
        ({"quantity": [1, 2, 3, None]}, (3, "quantity")),
        ({"price": [1, 2, 3, -1]}, (3, "price")),
        ({"number": [1, 2, 3, 10**15]}, (3, "number")),
        ({"number": [1, -1, 3, 4]}, (1, "number")),
        ({"instrument": ["NOVA1", "NOPE", "NOVA1", "NOVA2"]}, (1, "instrument")),
        ({"seller": ["BRK-A", "BRK-A", "REGISTRAR", "BRK-A"]}, (2, "seller")),
        ({"buyer": ["BRK-A", "BRK-A", None, "BRK-A"]}, (2, "buyer")),
        ({"trade_date": [DAY, DAY, other_day(), DAY]}, (2, "trade_date")),
    ],
)
def test_bad_row_of_arrow_is_named_with_its_field(changes, fault):
    columns = arrow_columns(1, 4) | {"quantity": [9] * 4, "price": [10**7] * 4} | changes

    assert faults_of(read_arrow, arrow_stream(columns))[0] == fault


def test_first_twenty_faults_are_named_and_all_are_counted():
    with pytest.raises(MalformedBatchError) as refused:
        read_json(json_of(json_rows(1, 1_000, quantity="0", seller="NOBODY")), NETWORK)

    assert refused.value.total == 2_000
    assert [fault.row for fault in refused.value.faults] == [row for row in range(10) for _ in "ab"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"[NaN]",
        b"[1]",
        b'{"trades": 1}',
        b"\xff" * 1_000,
        b"x" * 10_000_000,
        b"[" * 10_000_000,
        b'[{"number":' * 100_000,
        b'[{"number":"1"},' + b"[" * 1_000_000,
        b'[{"seller":"\\ud800"}]',
    ],
    ids=range(13),
)
def test_what_is_no_json_of_trades_is_refused_whole(body):
    assert faults_of(read_json, body)


def test_arrow_stream_that_is_cut_anywhere_is_refused_whole():
    stream = arrow_stream(arrow_columns(1, 40))

    for end in [*range(0, len(stream), 7), len(stream) - 1]:
        assert faults_of(read_arrow, stream[:end])[0][0] is None, end


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_damaged_arrow_stream_is_refused_or_read_and_never_hurts(place, change):
    stream = bytearray(arrow_stream(arrow_columns(1, 40)))
    stream[place % len(stream)] ^= change

    with contextlib.suppress(MalformedBatchError):
        trades = read_arrow(bytes(stream), NETWORK)
        assert ((trades.quantities > 0) & (trades.amounts > 0)).all()


def test_garbage_and_compressed_streams_are_refused():
    compressed = arrow_stream(arrow_columns(1, 4), compression="zstd")

    assert faults_of(read_arrow, b"\x17" * 10_000_000) == [(None, "body")]
    assert faults_of(read_arrow, compressed) == [(None, "body")]


def test_dictionary_index_out_of_range_is_refused():
    codes = pa.DictionaryArray.from_arrays(
        pa.array([0, 7], pa.int32()), pa.array(["BRK-A"]), safe=False
    )
    columns = arrow_columns(1, 2)
    arrays = [
        codes if field.name == "seller" else pa.array(columns[field.name], field.type)
        for field in SCHEMA
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=SCHEMA))

    assert faults_of(read_arrow, bytes(sink.getvalue())) == [(None, "body")]


@pytest.mark.parametrize(
    "schema",
    [
        pa.schema([field for field in SCHEMA if field.name != "price"]),
        pa.schema([*SCHEMA, ("colour", pa.string())]),
        SCHEMA.set(4, pa.field("quantity", pa.float64())),
        SCHEMA.set(4, pa.field("quantity", pa.uint64())),
        SCHEMA.set(6, pa.field("seller", pa.string())),
        SCHEMA.set(6, pa.field("seller", pa.dictionary(pa.int8(), pa.string()))),
        pa.schema([*SCHEMA, ("seller", NAMES)]),
    ],
    ids=["missing", "extra", "float", "unsigned", "text", "narrow", "twice"],
)
def test_wrong_schema_is_refused(schema):
    columns = arrow_columns(1, 4) | {"colour": ["red"] * 4}

    assert faults_of(read_arrow, arrow_stream(columns, schema)) == [(None, "schema")]


@pytest.mark.parametrize(
    "behind",
    [arrow_stream(arrow_columns(3, 3)), b"garbage!" * 10 + b"\xff\xff\xff\xff\0\0\0\0", b"\0"],
    ids=["another stream", "garbage with an end", "a byte"],
)
def test_nothing_may_stand_behind_the_end_of_a_stream(behind):
    with pytest.raises(MalformedBatchError, match="behind the end"):
        read_arrow(arrow_stream(arrow_columns(1, 2)) + behind, NETWORK)
