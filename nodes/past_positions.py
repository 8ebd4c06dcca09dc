"""Positions as they were at an earlier block: the final blocks up to it, projected once more.

The projection is the one that keeps a node's books, over a database in memory; nothing is kept of
it. The caller bounds how many blocks are read.
"""

from contextlib import AbstractContextManager

from ledger.books.database import open_database
from ledger.books.projection import Projection
from nodes.consortium import Consortium
from nodes.ledger_feed import LedgerFeed

Lock = AbstractContextManager[object]


def projection_at(consortium: Consortium, participant: int, block: int, lock: Lock) -> Projection:
    """The holdings of a participant (0: of all) as a final block has left them.

    ``lock`` guards the chain and is held for some blocks at a time, so that others go on meanwhile.
    """
    database = open_database(None)
    try:
        projection = Projection(database, participant)
        feed = LedgerFeed(consortium.engine, consortium.contracts)
        while projection.height < block:
            with lock:
                blocks = next(feed.blocks_after(projection.height))
            with database.transaction() as session:
                projection.apply(session, [each for each in blocks if each.number <= block])
        return projection
    finally:
        database.close()
