"""Decoding many transactions: part by part, so that one is executed while the next is decoded.

Most of the cost is finding out who signed. A pool of processes takes it off the thread that seals.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from ledger.chain.transactions import InvalidTransactionError, Transaction, decode_transaction

PART_TRANSACTIONS: Final = 1_000

Decoded = Transaction | InvalidTransactionError
Decode = Callable[[Sequence[bytes]], Iterator[list[Decoded]]]
"""Decodes raw transactions, in order and in parts."""


def decode_here(raws: Sequence[bytes]) -> Iterator[list[Decoded]]:
    """Decodes in this thread."""
    return map(_decode_part, _parts(raws))


class DecodingPool:
    """Decodes in other processes, ahead of whoever takes the parts."""

    def __init__(self, processes: int) -> None:
        # A fork would copy locks that other threads hold.
        self._processes = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def decode(self, raws: Sequence[bytes]) -> Iterator[list[Decoded]]:
        """Decodes; a single transaction is not worth the way to another process."""
        parts = _parts(raws)
        if len(raws) == 1:
            return map(_decode_part, parts)
        return self._processes.map(_decode_part, parts)

    def close(self) -> None:
        """Ends the processes."""
        self._processes.shutdown()


def _parts(raws: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [raws[i : i + PART_TRANSACTIONS] for i in range(0, len(raws), PART_TRANSACTIONS)]


def _decode_part(raws: Sequence[bytes]) -> list[Decoded]:
    return [_decode_one(raw) for raw in raws]


def _decode_one(raw: bytes) -> Decoded:
    try:
        return decode_transaction(raw)
    except InvalidTransactionError as error:
        return error
