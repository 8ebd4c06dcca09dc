"""The holdings in a node's database, looked at from outside: nothing is locked or changed."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import true
from sqlmodel import select

from ledger.books.database import Database
from ledger.books.keyed import read_page
from ledger.books.tables import HOLDING_WIDTH, HoldingRow, ProjectionCursorRow


@dataclass(frozen=True, slots=True)
class StoredHoldings:
    """What a node's books hold as of a block (-1: nothing yet).

    Attributes:
        holdings: available and held by holding key, by name of the register.
    """

    block: int
    holdings: dict[str, dict[int, tuple[int, int]]]


def stored_holdings(path: Path) -> StoredHoldings:
    """The holdings in a database file, all as of one commit."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        # One transaction: the cursor and the holdings are those of one commit.
        connection.execute("BEGIN")
        cursor = connection.execute(f"SELECT block FROM {ProjectionCursorRow.__tablename__}")  # noqa: S608 # a name of ours
        row = cursor.fetchone()
        columns = "register_name, payload"
        cursor = connection.execute(f"SELECT {columns} FROM {HoldingRow.__tablename__}")  # noqa: S608 # names of ours
        return _stored(row[0] if row else -1, cursor)
    finally:
        connection.close()


def holdings_in(database: Database) -> StoredHoldings:
    """The holdings in a database on a server, all as of one commit."""
    # One statement: the cursor and the holdings are those of one commit.
    rows = select(ProjectionCursorRow.block, HoldingRow.register_name, HoldingRow.payload)
    rows = rows.select_from(ProjectionCursorRow).join(HoldingRow, true(), isouter=True)
    with database.reading() as session:
        found = session.exec(rows).all()
    # Of a database without holdings there is one row, which has no page.
    pages = [(row[1], row[2]) for row in found if row[1]]
    return _stored(found[0][0] if found else -1, pages)


def _stored(block: int, pages: Iterable[tuple[str, bytes]]) -> StoredHoldings:
    holdings: dict[str, dict[int, tuple[int, int]]] = {"securities": {}, "cash": {}}
    for register, payload in pages:
        keys, available, held = read_page(payload, HOLDING_WIDTH).tolist()
        holdings[register] |= dict(zip(keys, zip(available, held, strict=True), strict=True))
    return StoredHoldings(block, holdings)
