"""The holdings in a node's database, looked at from outside: nothing is locked or changed."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

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
        holdings: dict[str, dict[int, tuple[int, int]]] = {"securities": {}, "cash": {}}
        columns = "register_name, payload"
        cursor = connection.execute(f"SELECT {columns} FROM {HoldingRow.__tablename__}")  # noqa: S608 # names of ours
        for register, payload in cursor:
            keys, available, held = read_page(payload, HOLDING_WIDTH).tolist()
            holdings[register] |= dict(zip(keys, zip(available, held, strict=True), strict=True))
    finally:
        connection.close()
    return StoredHoldings(row[0] if row else -1, holdings)
