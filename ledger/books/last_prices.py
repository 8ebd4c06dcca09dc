"""What instruments were last traded at, by the trades of a stream; read when somebody asks."""

from typing import Final

import numpy as np

from ledger.books.batches import BatchStream

AT_ONCE: Final = 1 << 16
"""Trades that are read at a time."""


class LastPrices:
    """The last price of each instrument, in millionths of a currency unit."""

    def __init__(self, stream: BatchStream) -> None:
        self._stream = stream
        self._read_to = 0
        self._price_by_instrument: dict[int, int] = {}

    def of(self, instrument: int) -> int | None:
        """The last price of an instrument; None when it was never traded here."""
        end = self._stream.end_position
        while self._read_to < end:
            trades = self._stream.trades(self._read_to, min(self._read_to + AT_ONCE, end))
            instruments, lasts = np.unique(trades.instruments[::-1], return_index=True)
            prices = trades.prices[::-1][lasts].tolist()
            self._price_by_instrument.update(zip(instruments.tolist(), prices, strict=True))
            self._read_to += len(trades)
        return self._price_by_instrument.get(instrument)
