"""Made trades as the Arrow stream that ``POST /v1/trades:batch`` takes."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import pyarrow as pa

ARROW_STREAM: Final = "application/vnd.apache.arrow.stream"
_NAMES: Final = pa.dictionary(pa.int32(), pa.string())
_SCHEMA: Final = pa.schema(
    [
        ("number", pa.string()),
        ("trade_date", pa.date32()),
        ("instrument", _NAMES),
        ("quantity", pa.int64()),
        ("price", pa.int64()),
        ("seller", _NAMES),
        ("buyer", _NAMES),
    ]
)


def arrow_stream(trades: Sequence[dict[str, str]], trade_date: date) -> bytes:
    """The trades as a stream; prices in millionths."""
    columns: dict[str, list[object]] = {
        name: [trade[name] for trade in trades]
        for name in ("number", "instrument", "seller", "buyer")
    }
    columns["trade_date"] = [trade_date] * len(trades)
    columns["quantity"] = [int(trade["quantity"]) for trade in trades]
    columns["price"] = [_millionths(trade["price"]) for trade in trades]
    arrays = [pa.array(columns[field.name], field.type) for field in _SCHEMA]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=_SCHEMA))
    return bytes(sink.getvalue())


def _millionths(price: str) -> int:
    whole, _, fraction = price.partition(".")
    return int(whole) * 1_000_000 + int(fraction.ljust(6, "0"))
