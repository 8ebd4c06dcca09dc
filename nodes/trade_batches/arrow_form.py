"""A batch as an Arrow stream: integers and dictionaries, checked column by column.

Compressed streams are refused: without compression a body is never larger in memory than it came.
"""

import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.amounts import AMOUNT_MAX
from nodes.network import Network
from nodes.trade_batches.faults import FaultList, refuse_body
from nodes.trade_batches.json_form import BATCH_TRADES_MAX
from nodes.trade_batches.terms import Terms
from nodes.trade_batches.texts import encode_trade_numbers

_NAMES: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [
        ("number", pa.int64()),
        ("trade_date", pa.date32()),
        ("time", pa.time32("ms")),
        ("instrument", _NAMES),
        ("quantity", pa.int64()),
        ("price", pa.int64()),
        ("seller", _NAMES),
        ("buyer", _NAMES),
    ]
)
"""Prices in millionths. ``number`` may be text instead, and ``time`` may be left out."""

PLAIN_NUMBER_MAX: Final = 10**15 - 1
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"
_UNIX_DAY_0: Final = 719_163
_RECORD_BATCH: Final = 3
_DICTIONARY_BATCH: Final = 2


def read_arrow(body: bytes, network: Network) -> TradeColumns:
    """The trades of a body. Raises MalformedBatchError, with the first faults."""
    table = _read(body)
    if not 0 < table.num_rows <= BATCH_TRADES_MAX:
        refuse_body(f"expected 1 to {BATCH_TRADES_MAX} trades, found {table.num_rows}")
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    faults = FaultList()
    for name, column in columns.items():
        if column.null_count:
            nulls = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
            faults.note(nulls, name, "a value", lambda _: None)
    faults.check()
    terms = Terms(network, faults)
    _check_dates(columns["trade_date"], network, faults)
    numbers = _numbers(columns["number"], faults)
    quantities, prices = _integers(columns["quantity"]), _integers(columns["price"])
    terms.require("quantity", quantities, AMOUNT_MAX)
    terms.require("price", prices, AMOUNT_MAX)
    instruments = terms.instruments(*_coded(columns["instrument"]))
    sellers = terms.accounts("seller", *_coded(columns["seller"]))
    buyers = terms.accounts("buyer", *_coded(columns["buyer"]))
    return terms.columns(
        instruments=instruments,
        numbers=numbers,
        sellers=sellers,
        buyers=buyers,
        quantities=quantities,
        prices=prices,
        times=_times(columns, faults),
    )


def _read(body: bytes) -> Any:  # noqa: ANN401 # pyarrow ships no types
    """The table of a stream, its structure checked in full."""
    try:
        for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(body)):
            _check_message(message)
        source = pa.BufferReader(body)
        with pa.ipc.open_stream(source) as reader:
            _check_schema(reader.schema)
            table = reader.read_all()
            read = source.tell()
        if not body[:read].endswith(_END):
            refuse_body("the stream has no end: it was cut off")
        if read < len(body):
            refuse_body(f"{len(body) - read} bytes behind the end of the stream")
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, struct.error) as error:
        refuse_body(f"not an Arrow stream of trades: {str(error)[:300]}")
    return table.unify_dictionaries()


def _check_schema(schema: Any) -> None:  # noqa: ANN401 # pyarrow ships no types
    found = dict(zip(schema.names, schema.types, strict=True))
    if len(found) != len(schema.names):
        refuse_body("a column stands in it twice", "schema")
    for name in (*SCHEMA.names, *found):
        if name not in SCHEMA.names:
            refuse_body(f"expected {', '.join(SCHEMA.names)}, found {name[:80]!r}", "schema")
        if name not in found:
            if name == "time":
                continue
            refuse_body(f"there is no column {name}", "schema")
        allowed = [SCHEMA.field(name).type]
        if name == "number":
            allowed.append(pa.string())
        if found[name] not in allowed:
            expected = " or ".join(str(kind) for kind in allowed)
            refuse_body(f"{name}: expected {expected}, found {str(found[name])[:80]}", "schema")


def _check_message(message: Any) -> None:  # noqa: ANN401 # pyarrow ships no types
    """Refuses compressed bodies. Reads just so much of the message's flatbuffer."""
    metadata = message.metadata.to_pybytes()
    root = struct.unpack_from("<I", metadata)[0]
    kind = _field(metadata, root, 1)
    header = _field(metadata, root, 2)
    if kind is None or header is None:
        refuse_body("a message without a header")
    place, code = header + struct.unpack_from("<I", metadata, header)[0], metadata[kind]
    if code == _DICTIONARY_BATCH:
        data = _field(metadata, place, 1)
        if data is None:
            refuse_body("a dictionary without data")
        place, code = data + struct.unpack_from("<I", metadata, data)[0], _RECORD_BATCH
    if code == _RECORD_BATCH and _field(metadata, place, 3) is not None:
        refuse_body("compressed: send the stream without compression")


def _field(metadata: bytes, table: int, number: int) -> int | None:
    """Where a field of a flatbuffer's table is; None when it is left out."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", metadata, vtable)[0]:
        return None
    offset: int = struct.unpack_from("<H", metadata, vtable + 4 + 2 * number)[0]
    return table + offset if offset else None


def _check_dates(dates: Any, network: Network, faults: FaultList) -> None:  # noqa: ANN401 # pyarrow
    ordinals = _integers(dates.view(pa.int32())) + _UNIX_DAY_0
    wrong = np.flatnonzero(ordinals != network.business_date.toordinal())
    expected = f"the business date {network.business_date}"
    faults.note(wrong, "trade_date", expected, lambda row: int(ordinals[row]) - _UNIX_DAY_0)


def _numbers(column: Any, faults: FaultList) -> Column:  # noqa: ANN401 # pyarrow ships no types
    if pa.types.is_string(column.type):
        texts = column.to_pylist()
        numbers, valid = encode_trade_numbers(texts)
        expected = "up to 11 capitals, digits or '-', or 15 digits"
        faults.note(np.flatnonzero(~valid), "number", expected, texts.__getitem__)
        return numbers
    numbers = _integers(column)
    wrong = np.flatnonzero((numbers < 0) | (numbers > PLAIN_NUMBER_MAX))
    expected = f"a whole number up to {PLAIN_NUMBER_MAX}"
    faults.note(wrong, "number", expected, lambda row: int(numbers[row]))
    return numbers


def _times(columns: Mapping[str, Any], faults: FaultList) -> Column | None:
    if "time" not in columns:
        return None
    times = _integers(columns["time"].view(pa.int32()))
    wrong = np.flatnonzero((times < 0) | (times >= 86_400_000))
    faults.note(wrong, "time", "milliseconds of a day", lambda row: int(times[row]))
    return times


def _coded(column: Any) -> tuple[list[object], Column]:  # noqa: ANN401 # pyarrow ships no types
    """The dictionary of a column, and each row's place in it."""
    return column.dictionary.to_pylist(), _integers(column.indices)


def _integers(column: Any) -> Column:  # noqa: ANN401 # pyarrow ships no types
    # Not by its own to_numpy, which imports pandas where that is installed: a fifth of a second.
    return np.from_dlpack(column).astype(np.int64)
