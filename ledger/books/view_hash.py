"""The view hash: one number for what a node shows, the same whenever it is made again.

It covers the block, what the ledger has for the node's accounts, every position of its own books,
and its open breaks. Where nothing new has happened, a node that was started again shows the same.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from ledger.books.break_life import Break
from ledger.books.keyed import Keyed
from ledger.books.own_book import OwnBook
from ledger.books.postings import Register
from ledger.books.projection import Projection


def view_hash(projection: Projection, books: Sequence[OwnBook], breaks: Iterable[Break]) -> bytes:
    """SHA-256 over the view in canonical form, 32 bytes."""
    digest = hashlib.sha256()
    digest.update(projection.height.to_bytes(8, "big", signed=True) + projection.block_hash)
    for register in Register:
        _take_in(digest, projection.columns(register))
        for book in books:
            _take_in(digest, book.positions(register))
    for row in sorted(breaks, key=lambda each: each.id):
        text = f"{row.id}\n{row.kind.value}\n{row.subject}\n{row.ours}\n{row.theirs}"
        digest.update(len(text.encode()).to_bytes(8, "big") + text.encode())
    return digest.digest()


def _take_in(digest: "hashlib._Hash", columns: Keyed) -> None:
    """What there is of something; a holding of nothing is the same as none."""
    some = np.flatnonzero(columns.values.any(axis=0))
    table = np.concatenate([columns.keys.column[None], columns.values])[:, some]
    digest.update(table.shape[1].to_bytes(8, "big") + table.astype("<i8").tobytes())
