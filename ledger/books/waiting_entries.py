"""What a node's books expect and have not booked yet: signed, or asked for, and not final."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlmodel import col, select

from ledger.books.database import Database
from ledger.books.postings import Register
from ledger.books.tables import OwnEntryRow

_CODES = {Register.SECURITIES: 0, Register.CASH: 1}


def waiting_by_key(
    database: Database, book: str, register: Register
) -> Mapping[int, Sequence[int]]:
    """The amounts of each entry that waits in a book, by holding key.

    Reads them all: for when records differ, which they seldom do.
    """
    amounts: dict[int, list[int]] = defaultdict(list)
    rows = select(OwnEntryRow.payload).where(
        OwnEntryRow.book == book, col(OwnEntryRow.block).is_(None)
    )
    with database.reading() as session:
        for payload in session.exec(rows):
            table = np.frombuffer(payload, dtype="<i8").reshape(-1, 3)
            for _, key, amount in table[table[:, 0] == _CODES[register]].tolist():
                amounts[key].append(amount)
    return amounts
