"""The trades of a made market in the forms that ``POST /v1/trades:batch`` takes."""

from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa

from ledger.clearing.columns import Column
from loadtests.benchmarks.day_market import (
    DAY,
    PRICE_MAX,
    PRICE_UNIT,
    QUANTITY_MAX,
    MadeTrades,
    Market,
)
from nodes.trade_batches.arrow_form import SCHEMA

_UNIX_DAY_0: Final = 719_163
_OPEN: Final = '{"number":"'


class ArrowForm:
    """Batches as Arrow streams: names travel as dictionaries, everything else as integers."""

    def __init__(self, market: Market) -> None:
        isins = [instrument.isin for instrument in market.network.instruments]
        self._instruments = pa.array(isins, pa.string())
        self._accounts = pa.array(market.accounts, pa.string())

    def encode(self, trades: MadeTrades) -> bytes:
        """The body of one batch."""
        count = len(trades)
        dates = np.full(count, DAY.toordinal() - _UNIX_DAY_0, dtype=np.int32)
        columns = {
            "number": pa.array(trades.numbers),
            "trade_date": pa.array(dates).view(pa.date32()),
            "time": pa.array(trades.times.astype(np.int32)).view(pa.time32("ms")),
            "instrument": _named(trades.instruments, self._instruments),
            "quantity": pa.array(trades.quantities),
            "price": pa.array(trades.prices * PRICE_UNIT),
            "seller": _named(trades.sellers, self._accounts),
            "buyer": _named(trades.buyers, self._accounts),
        }
        batch = pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, SCHEMA) as writer:
            writer.write_batch(batch)
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return] # pyarrow ships no types


class JsonForm:
    """Batches as JSON arrays, put together from texts that are made once."""

    def __init__(self, market: Market) -> None:
        network = market.network
        self._instruments = [f'","instrument":"{i.isin}","quantity":"' for i in network.instruments]
        self._quantities = [f'{quantity}","price":"' for quantity in range(QUANTITY_MAX + 1)]
        self._prices = [
            f'{price // 100}.{price % 100:02}","seller":"' for price in range(PRICE_MAX + 1)
        ]
        self._sellers = [f'{account}","buyer":"' for account in market.accounts]
        self._buyers = [f'{account}"}},{_OPEN}' for account in market.accounts]

    def encode(self, trades: MadeTrades) -> bytes:
        """The body of one batch."""
        rows = zip(
            map(str, trades.numbers.tolist()),
            map(self._instruments.__getitem__, trades.instruments.tolist()),
            map(self._quantities.__getitem__, trades.quantities.tolist()),
            map(self._prices.__getitem__, trades.prices.tolist()),
            map(self._sellers.__getitem__, trades.sellers.tolist()),
            map(self._buyers.__getitem__, trades.buyers.tolist()),
            strict=True,
        )
        text = "".join(chain.from_iterable(rows))
        return f"[{_OPEN}{text.removesuffix(',' + _OPEN)}]".encode()


def _named(places: Column, names: object) -> object:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), names)
