"""The queue of instructions on disk."""

from ledger.books.database import open_database
from ledger.books.instructions import CANCELLED, QUEUED, InstructionQueue
from ledger.books.tables import InstructionRow


def instruction(position):
    return InstructionRow(
        id=position.to_bytes(32, "big"),
        arrival=-1,
        label=f"T{position}",
        deliverer=256,
        receiver=512,
        instrument=1,
        quantity=1,
        currency=1,
        amount=1,
        state=QUEUED,
        position=position,
    )


def test_more_trades_are_cancelled_at_once_than_one_statement_takes():
    database = open_database(None)
    queue = InstructionQueue(database)
    with database.transaction() as session:
        queue.add(session, [instruction(position) for position in (0, 299_999, 300_000)])

    with database.transaction() as session:
        queue.cancel(session, range(300_000))

    assert [row.state for row in queue.all()] == [CANCELLED, CANCELLED, QUEUED]
