"""The requests that the interface has answered: the last 10,000, for whoever asks what happened.

Their numbers are derived: how often the books were opened, and a count. They are written a little
later, many at once; a crash may lose the last quarter of a second of them.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Final

from sqlalchemy import delete
from sqlmodel import Field, SQLModel, col, select

from ledger.books.database import Database, UnitOfWork
from ledger.books.interface.group_commit import GroupCommit
from ledger.books.rows import upsert

REQUESTS_MAX: Final = 10_000
TRIMMED_EVERY: Final = 500
NUMBERS_A_BOOT: Final = 10**9
_PREFIX: Final = "req"


class BootRow(SQLModel, table=True):
    """How often the interface's books were opened. One row."""

    __tablename__ = "boots"
    id: int = Field(default=1, primary_key=True)
    boots: int


class RequestRow(SQLModel, table=True):
    """A request and how it was answered.

    ``number`` is that of the boot times 10**9 plus a count. Times are in microseconds, ``at`` since
    1970. Bodies are their first 4 KiB without secrets, null when they are no text.
    """

    __tablename__ = "requests"
    number: int = Field(primary_key=True)
    at: int
    method: str
    path: str
    query: str
    caller: str
    status: int
    duration: int
    bytes_in: int
    bytes_out: int
    key: str | None
    replayed: bool
    problem: int | None
    body: str | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests are wanted; None: any.

    Attributes:
        status_class: 4 for all from 400 to 499.
        since: only those after this number.
        below: only those before this number.
    """

    status_class: int | None = None
    method: str | None = None
    path_prefix: str | None = None
    caller: str | None = None
    since: int | None = None
    below: int | None = None


class RequestBook:
    """The log of requests. Any thread may note or ask."""

    def __init__(self, database: Database, writer: GroupCommit) -> None:
        """Raises StorageError when the disk does not take the number of this boot."""
        self._database = database
        self._writer = writer
        self._noted: deque[Callable[[], RequestRow]] = deque(maxlen=REQUESTS_MAX)
        self._lock = Lock()
        self._written = 0
        with database.transaction() as session:
            known = session.get(BootRow, 1)
            boots = known.boots + 1 if known else 1
            upsert(session, BootRow, [{"id": 1, "boots": boots}])
        self._numbers = count(boots * NUMBERS_A_BOOT + 1)

    def next_number(self) -> int:
        """The number of the next request."""
        return next(self._numbers)

    def note(self, make: Callable[[], RequestRow]) -> None:
        """Notes an answered request, soon; ``make`` is called by whoever writes it."""
        with self._lock:
            was_empty = not self._noted
            self._noted.append(make)
        if was_empty:
            self._writer.later(self._write)

    def find(self, wanted: RequestFilter, count: int) -> Sequence[RequestRow]:
        """The newest so many that are wanted, newest first. Raises StorageError."""
        self._writer.submit(self._write).result()
        number, query = col(RequestRow.number), select(RequestRow)
        for condition, value in (
            (lambda v: col(RequestRow.status).between(v * 100, v * 100 + 99), wanted.status_class),
            (lambda v: col(RequestRow.method) == v, wanted.method),
            (lambda v: col(RequestRow.path).startswith(v, autoescape=True), wanted.path_prefix),
            (lambda v: col(RequestRow.caller) == v, wanted.caller),
            (lambda v: number > v, wanted.since),
            (lambda v: number < v, wanted.below),
        ):
            query = query if value is None else query.where(condition(value))
        with self._database.reading() as session:
            return session.exec(query.order_by(number.desc()).limit(count)).all()

    def get(self, number: int) -> RequestRow | None:
        """The request of a number. Raises StorageError."""
        self._writer.submit(self._write).result()
        with self._database.reading() as session:
            return session.get(RequestRow, number)

    def _write(self, session: UnitOfWork) -> None:
        with self._lock:
            noted = list(self._noted)
            self._noted.clear()
        upsert(session, RequestRow, [make().model_dump() for make in noted])
        self._written += len(noted)
        if self._written >= TRIMMED_EVERY:
            self._written = 0
            self._trim(session)

    @staticmethod
    def _trim(session: UnitOfWork) -> None:
        number = col(RequestRow.number)
        oldest = select(RequestRow.number).order_by(number.desc()).offset(REQUESTS_MAX).limit(1)
        first_out = session.exec(oldest).first()
        if first_out is not None:
            session.connection().execute(delete(RequestRow).where(number <= first_out))


def request_id(number: int) -> str:
    """How a request is named to the outside."""
    boot, place = divmod(number, NUMBERS_A_BOOT)
    return f"{_PREFIX}_{boot}_{place}"


def request_number(id: str) -> int | None:
    """The number of a request by its name; None when it is no such name."""
    parts = id.split("_")
    if len(parts) != 3 or parts[0] != _PREFIX:
        return None
    numbers = [int(each) for each in parts[1:] if each.isascii() and each.isdigit()]
    if len(numbers) != 2 or not 0 < numbers[1] < NUMBERS_A_BOOT or numbers[0] > NUMBERS_A_BOOT:
        return None
    return numbers[0] * NUMBERS_A_BOOT + numbers[1]
