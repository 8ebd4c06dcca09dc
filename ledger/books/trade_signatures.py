"""The signatures of trades, kept beside the intake: two for each trade, by its position."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert
from sqlmodel import col, func, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.payload_file import Payloads
from ledger.books.tables import TradeSignaturesRow, table_of

SIGNATURE_BYTES: Final = 64
_PAIR_BYTES: Final = 2 * SIGNATURE_BYTES
_NUMBER_BYTES: Final = 8
_KEY_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class SignaturePair:
    """The signatures of one trade; one that is missing is zero.

    Attributes:
        keys: the public keys that are known, by number of the participant.
    """

    seller: bytes
    buyer: bytes
    keys: Mapping[int, bytes]


class SignatureBook:
    """Signatures of trades in a node's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            ends = col(TradeSignaturesRow.file_offset) + col(TradeSignaturesRow.file_size)
            end = session.exec(select(func.max(ends))).one() or 0
        path = database.folder / "intake.signatures" if database.folder else None
        self._payloads = Payloads(path, end)

    def add(
        self,
        session: UnitOfWork,
        first_position: int,
        pairs: NDArray[np.uint8],
        keys: Mapping[int, bytes],
    ) -> None:
        """Keeps the signatures of trades from a position on, a row of two for each.

        Once in a unit of work, before other rows of it. Raises StorageError.
        """
        assert pairs.shape[1:] == (2, SIGNATURE_BYTES)
        packed = b"".join(party.to_bytes(_NUMBER_BYTES) + key for party, key in keys.items())
        columns = self._payloads.keep(session, [pairs.tobytes()])[0]
        row = {"first_position": first_position, "count": len(pairs), "keys": packed, **columns}
        session.connection().execute(insert(table_of(TradeSignaturesRow)), [row])

    def of(self, position: int) -> SignaturePair | None:
        """What was signed of the trade at a position; None where no signatures were asked for."""
        rows = select(TradeSignaturesRow).where(TradeSignaturesRow.first_position <= position)
        latest = rows.order_by(col(TradeSignaturesRow.first_position).desc()).limit(1)
        with self._database.reading() as session:
            row = session.exec(latest).first()
            if row is None or position >= row.first_position + row.count:
                return None
            start = (position - row.first_position) * _PAIR_BYTES
            pair = self._payloads.part_of(row, start, _PAIR_BYTES)
            return SignaturePair(pair[:SIGNATURE_BYTES], pair[SIGNATURE_BYTES:], _keys(row.keys))


def _keys(packed: bytes) -> dict[int, bytes]:
    size = _NUMBER_BYTES + _KEY_BYTES
    return {
        int.from_bytes(packed[start : start + _NUMBER_BYTES]): packed[
            start + _NUMBER_BYTES : start + size
        ]
        for start in range(0, len(packed), size)
    }
