"""Batches of trades for tests: as JSON rows, and the same as an Arrow stream."""

from datetime import date, time
from typing import Any

import pyarrow as pa

from tests.support.consortia import DAY

NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("trade_date", pa.date32()),
        ("time", pa.time32("ms")),
        ("instrument", NAMES),
        ("quantity", pa.int64()),
        ("price", pa.int64()),
        ("seller", NAMES),
        ("buyer", NAMES),
    ]
)


def json_rows(first: int, count: int, **changes: Any) -> list[dict[str, Any]]:
    """Trades with consecutive numbers, as ``POST /v1/trades`` takes them."""
    return [
        {
            "number": str(number),
            "instrument": "NOVA1",
            "quantity": "100",
            "price": "10.50",
            "seller": "BRK-A",
            "buyer": "BRK-B/client",
        }
        | changes
        for number in range(first, first + count)
    ]


def arrow_columns(first: int, count: int, **changes: Any) -> dict[str, list[Any]]:
    """The same trades as columns; a change is a whole column."""
    columns: dict[str, list[Any]] = {
        "number": list(range(first, first + count)),
        "trade_date": [DAY] * count,
        "time": [time(9, 30)] * count,
        "instrument": ["NOVA1"] * count,
        "quantity": [100] * count,
        "price": [10_500_000] * count,
        "seller": ["BRK-A"] * count,
        "buyer": ["BRK-B/client"] * count,
    }
    return columns | changes


def arrow_stream(
    columns: dict[str, list[Any]], schema: Any = SCHEMA, compression: str | None = None
) -> bytes:
    """Columns as an Arrow stream."""
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    table = pa.table(arrays, schema=schema)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def other_day() -> date:
    """A day that is not the business date."""
    return date(2026, 2, 11)
