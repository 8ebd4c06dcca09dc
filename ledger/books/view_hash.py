"""The view hash: one number for what a node shows, the same whenever it is made again.

It covers the block, what the ledger has for the node's accounts, every position of its own books,
and its breaks, past ones too. Where nothing new has happened, a node that was started again shows
the same.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from ledger.books.break_life import Break, Seen
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
        text = "\n".join(map(str, _canonical(row)))
        digest.update(len(text.encode()).to_bytes(8, "big") + text.encode())
    return digest.digest()


def _canonical(row: Break) -> tuple[object, ...]:
    """All that a break is, but for its age, which passes by itself."""
    version, closed = row.version, row.closed or Seen(-1, "")
    return (
        row.id,
        version.kind.value,
        version.subject,
        version.ours,
        version.theirs,
        version.cause.value,
        version.at_risk,
        version.currency,
        row.state.value,
        row.assignee,
        row.resolution,
        row.occurrences,
        row.first_seen.block,
        row.first_seen.at,
        closed.block,
        closed.at,
    )


def _take_in(digest: "hashlib._Hash", columns: Keyed) -> None:
    """What there is of something; a holding of nothing is the same as none."""
    some = np.flatnonzero(columns.values.any(axis=0))
    table = np.concatenate([columns.keys.column[None], columns.values])[:, some]
    digest.update(table.shape[1].to_bytes(8, "big") + table.astype("<i8").tobytes())
