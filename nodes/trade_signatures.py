"""Trades signed by their brokers: EIP-712 signatures of single trades, made and checked in bulk.

A signature covers identity and all terms of one trade (see TRADE_TYPE). It is two numbers, r and s
(low), of 32 bytes each, and comes beside the public key that it is checked with; that the key is
the broker's follows from the address that the chain has for it. To know the key before is what
makes checking cheaper than recovering each signer.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeVar

import numpy as np
from coincurve import PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact
from numpy.typing import NDArray

from contracts.typed_data import TRADE_FIELDS, Domain, trade_digests
from ledger.chain.signatures import address_of
from ledger.clearing.columns import Column, Mask, TradeColumns
from nodes.keys import Key

SIGNATURE_BYTES: Final = 64
PUBLIC_KEY_BYTES: Final = 64
_ROWS_AT_ONCE: Final = 256
_UNCOMPRESSED: Final = b"\x04"

Signatures = NDArray[np.uint8]
"""A row of SIGNATURE_BYTES for each trade."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartySignatures:
    """What a party says that it has signed: nothing of it is believed before it is checked.

    Attributes:
        public_key: the two coordinates, 32 bytes each.
        rows: which rows of a message, ascending.
        signatures: one for each of these rows.
    """

    public_key: bytes
    rows: Column
    signatures: Signatures

    def is_well_formed(self, count: int) -> bool:
        """Whether these can be signatures of rows of a message of so many."""
        rows, signatures = self.rows, self.signatures
        return bool(
            type(self.public_key) is bytes
            and len(self.public_key) == PUBLIC_KEY_BYTES
            and all(type(each) is np.ndarray for each in (rows, signatures))
            and rows.dtype == np.int64
            and rows.ndim == 1
            and signatures.dtype == np.uint8
            and signatures.shape == (len(rows), SIGNATURE_BYTES)
            and (rows[1:] > rows[:-1]).all()
            and (not len(rows) or (rows[0] >= 0 and rows[-1] < count))
        )

    def among(self, rows: Column) -> "PartySignatures":
        """The same signatures, where the rows were those at some rows of a longer message."""
        return PartySignatures(self.public_key, rows[self.rows], self.signatures)


def sign_trades(key: Key, domain: Domain, trades: TradeColumns, rows: Column) -> PartySignatures:
    """Signs some of the trades."""
    words = words_of(trades)[rows]

    def sign(part: slice) -> bytes:
        return b"".join([key.sign_plain(digest) for digest in trade_digests(domain, words[part])])

    signed = b"".join(_in_parallel(sign, len(rows)))
    signatures = np.frombuffer(signed, dtype=np.uint8).reshape(-1, SIGNATURE_BYTES)
    return PartySignatures(key.public, rows, signatures)


def digests_of(domain: Domain, trades: TradeColumns) -> list[bytes]:
    """What the brokers of trades sign."""
    words = words_of(trades)
    parts = _in_parallel(lambda part: list(trade_digests(domain, words[part])), len(words))
    return list(chain.from_iterable(parts))


def are_signed(signed: PartySignatures, signer: bytes, digests: Sequence[bytes]) -> Mask:
    """Which of the signatures are good: made with the key behind an address, of these digests.

    ``digests`` are those of all rows of the message. What is not even a key has signed nothing.
    """
    nothing = np.zeros(len(signed.rows), dtype=bool)
    try:
        key = PublicKey(_UNCOMPRESSED + signed.public_key)
    except ValueError:
        return nothing
    if address_of(key) != signer:
        return nothing
    rows, content = signed.rows.tolist(), signed.signatures.tobytes()
    size = SIGNATURE_BYTES

    def check(part: slice) -> list[bool]:
        starts = range(part.start * size, part.stop * size, size)
        return [
            is_signature(key, content[start : start + size], digests[row])
            for row, start in zip(rows[part], starts, strict=True)
        ]

    parts = _in_parallel(check, len(rows))
    return np.fromiter(chain.from_iterable(parts), dtype=bool, count=len(rows))


def is_signature(key: PublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether a key has signed a digest; of the two forms of a signature only the low s counts."""
    try:
        return key.verify(cdata_to_der(deserialize_compact(signature)), digest, hasher=None)
    except ValueError:
        return False


def words_of(trades: TradeColumns) -> NDArray[np.int64]:
    """The fields of TRADE_TYPE, a row for each trade."""
    fields = (
        trades.dates,
        trades.instruments,
        trades.numbers,
        trades.sellers,
        trades.buyers,
        trades.quantities,
        trades.prices,
        trades.currencies,
        trades.amounts,
        (trades.cancels > 0).astype(np.int64),
    )
    assert len(fields) == TRADE_FIELDS
    return np.stack(fields, axis=1)


def _in_parallel(work: Callable[[slice], T], count: int) -> list[T]:
    """What work makes of consecutive rows, on all processors: it leaves the interpreter to others.

    Signing and checking do; only for them threads are worth while here.
    """
    parts = [
        slice(first, min(first + _ROWS_AT_ONCE, count)) for first in range(0, count, _ROWS_AT_ONCE)
    ]
    if len(parts) < 2:
        return list(map(work, parts))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, parts))
