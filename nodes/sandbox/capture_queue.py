"""Trades on their way into the capture: many senders, one thread, one commit for all who wait.

Single trades that wait together are one record; each batch is a record of its own, known by the
hash of its content. Whoever waits gets its answer once the commit is on disk.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Final, TypeAlias

from ledger.books.capture import SortedBatch
from ledger.books.database import StorageError
from ledger.books.submissions import Submission, submission_of
from ledger.books.trade_records import content_hash
from ledger.clearing.columns import TradeColumns
from ledger.domain.reasons import Reason, Rejected
from ledger.logs import logger_of
from nodes.bus import UnreachableError
from nodes.exchange import Exchange

GROUP_MAX: Final = 2_000
GROUP_TRADES_MAX: Final = 200_000
TRADES_WAITING_MAX: Final = 4_000_000
SPACE_RESERVE_BYTES: Final = 64 * 1024 * 1024
"""Left free by the capture, so that what was captured can still be cleared."""

log = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class Captured:
    """The answer to a submitted trade: where it stands, and whether it was there before."""

    position: int
    was_known: bool


@dataclass(frozen=True, slots=True)
class CapturedTrades:
    """The answer to a submitted batch, and whether this content was answered before."""

    batch_id: str
    submission: Submission
    was_known: bool


@dataclass(frozen=True, slots=True)
class _Single:
    row: Sequence[int]
    answer: "Future[Captured | Rejected]"
    count: int = 1


@dataclass(frozen=True, slots=True)
class _Batch:
    trades: TradeColumns
    content_hash: bytes
    answer: "Future[CapturedTrades | Rejected]"

    @property
    def count(self) -> int:
        return len(self.trades)


_Waiting: TypeAlias = _Single | _Batch


class CaptureQueue:
    """What waits to be captured by an exchange. One thread takes turns; any may submit."""

    def __init__(self, exchange: Exchange, uncleared: Callable[[], int] = lambda: 0) -> None:
        """``uncleared`` says how many captured trades wait to be cleared: they count as waiting."""
        self._exchange = exchange
        self._uncleared = uncleared
        self._refused: int | None = None
        self._waiting: SimpleQueue[_Waiting] = SimpleQueue()
        self._trades_waiting = 0
        self._closed: Rejected | None = None
        self._lock = Lock()
        self._turn = Lock()

    def submit(self, row: Sequence[int]) -> "Future[Captured | Rejected]":
        """Submits a trade (one value a column); the answer comes once it is on disk."""
        single = _Single(row, Future())
        self._put(single)
        return single.answer

    def submit_batch(self, trades: TradeColumns) -> "Future[CapturedTrades | Rejected]":
        """Submits a batch; the answer comes once it is on disk."""
        batch = _Batch(trades, content_hash(trades), Future())
        self._put(batch)
        return batch.answer

    def follow(self, exchange: Exchange) -> None:
        """From now on this is the exchange: another one of the same books, or none that answers."""
        self._exchange, self._refused = exchange, None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is captured meanwhile: whoever submits waits for its answer."""
        with self._turn:
            yield

    def take_turn(self, wait_seconds: float) -> None:
        """Captures what waits, in one commit; waits so long for the first submission."""
        group = self._next_group(wait_seconds)
        if not group:
            return
        with self._turn:
            self._answer(group)

    def _answer(self, group: Sequence[_Waiting]) -> None:
        refusal: Rejected | None = None
        try:
            refusal = self._lack_of_space()
            if refusal is None:
                self._capture(group)
        except UnreachableError as error:
            refusal = Rejected(Reason.SILENT, f"{error}: send the same again later")
            self._refused = None
        except StorageError as error:
            refusal = Rejected(Reason.STORAGE, f"nothing was captured: {error}")
        except Exception as error:  # noqa: BLE001 # every waiting caller must learn of any failure
            for each in group:
                if not each.answer.done():
                    each.answer.set_exception(error)
        if refusal is not None:
            _refuse(group, refusal)

    def close(self, refusal: Rejected) -> None:
        """Answers everybody who waits, and whoever comes from now on, with a refusal."""
        with self._lock:
            self._closed = refusal
        while group := self._next_group(0):
            _refuse(group, refusal)

    def _put(self, submitted: _Waiting) -> None:
        # What was submitted is captured: whoever does not wait any more cannot take it back.
        submitted.answer.set_running_or_notify_cancel()
        uncleared = self._uncleared()
        with self._lock:
            refusal = self._closed or self._lack_of_room(submitted.count, uncleared)
            if refusal is None:
                # Under the lock: nobody is put behind the last turn, to wait for ever.
                self._trades_waiting += submitted.count
                self._waiting.put(submitted)
        if refusal is not None:
            submitted.answer.set_result(refusal)

    def _lack_of_room(self, count: int, uncleared: int) -> Rejected | None:
        waiting = self._trades_waiting + uncleared
        if waiting + count <= TRADES_WAITING_MAX:
            return None
        detail = f"{waiting} trades wait to be captured or cleared: send the same again later"
        return Rejected(Reason.UNAVAILABLE, detail)

    def _next_group(self, wait_seconds: float) -> list[_Waiting]:
        group: list[_Waiting] = []
        trades = 0
        try:
            while len(group) < GROUP_MAX and trades < GROUP_TRADES_MAX:
                is_first = not group and wait_seconds > 0
                each = self._waiting.get(block=is_first, timeout=wait_seconds or None)
                group.append(each)
                trades += each.count
        except Empty:
            pass
        with self._lock:
            self._trades_waiting -= trades
        return group

    def _lack_of_space(self) -> Rejected | None:
        free = self._exchange.free_bytes()
        if free is None or free >= SPACE_RESERVE_BYTES:
            return None
        detail = f"{free} bytes are free on the disk; {SPACE_RESERVE_BYTES} are kept for clearing"
        return Rejected(Reason.STORAGE, detail)

    def _capture(self, group: Sequence[_Waiting]) -> None:
        """One commit; answers everybody in the group. Raises StorageError."""
        end = self._exchange.captured_end()
        if self._refused is None:
            self._refused = self._exchange.refusal_count()
        singles = [each for each in group if isinstance(each, _Single)]
        batches = self._new_batches([each for each in group if isinstance(each, _Batch)])
        # A group that leaves anything on record changes one of the two numbers of its name.
        parts = [(_batch_id(digest), same[0].trades) for digest, same in batches.items()]
        if singles:
            trades = TradeColumns.of_rows([single.row for single in singles])
            parts.insert(0, (f"api:{end}:{self._refused}", trades))
        if not parts:
            return
        verdicts = self._exchange.capture_group(parts, list(batches))
        for (name, _), verdict in zip(parts, verdicts, strict=True):
            refused = len(verdict.refused)
            log.debug("capture.committed", batch=name, captured=verdict.count, refused=refused)
        self._refused += sum(len(verdict.refused) for verdict in verdicts)
        if singles:
            _answer_singles(singles, verdicts.pop(0), end)
        for (digest, same), verdict in zip(batches.items(), verdicts, strict=True):
            submission = submission_of(verdict)
            for place, batch in enumerate(same):
                answer = CapturedTrades(_batch_id(digest), submission, was_known=place > 0)
                batch.answer.set_result(answer)

    def _new_batches(self, batches: Sequence[_Batch]) -> dict[bytes, list[_Batch]]:
        """Those not answered before, by content; the others are answered at once."""
        new: dict[bytes, list[_Batch]] = {}
        for batch in batches:
            digest = batch.content_hash
            known = None if digest in new else self._exchange.submission(digest)
            if known is None:
                new.setdefault(digest, []).append(batch)
            else:
                batch.answer.set_result(CapturedTrades(_batch_id(digest), known, was_known=True))
        return new


def _batch_id(digest: bytes) -> str:
    return f"batch:{digest.hex()}"


def _answer_singles(singles: Sequence[_Single], verdict: SortedBatch, end: int) -> None:
    """``end`` is where the capture ended before them."""
    seen: set[int] = set()
    for row, single in enumerate(singles):
        if row in verdict.refused:
            single.answer.set_result(verdict.refused[row])
            continue
        position = int(verdict.positions[row])
        was_known = position < end or position in seen
        seen.add(position)
        single.answer.set_result(Captured(position, was_known))


def _refuse(group: Sequence[_Waiting], refusal: Rejected) -> None:
    for each in group:
        if not each.answer.done():
            each.answer.set_result(refusal)
