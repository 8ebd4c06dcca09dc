"""Events of what does not agree: breaks of every node, and trades that the exchange refused."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from ledger.books.break_life import BreakEntry, key_of
from ledger.books.capture import NumberedRefusal
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.exchange import Exchange
from nodes.journal.event import Draft
from nodes.journal.trades import SINGLES_MAX

REFUSALS_A_LOOK_MAX: Final = 10_000
ENTRIES_A_LOOK_MAX: Final = 1_000


class Breaks:
    """What has happened to the breaks of every node. The cursor has the last entry of each."""

    name = "breaks"

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium

    def present(self) -> dict[str, int]:
        """The last entry of every node that answers."""
        last: dict[str, int] = {}
        while (after := self.since(last)[1]) != last:
            last = after
        return last

    def since(self, cursor: dict[str, int]) -> tuple[list[Draft], dict[str, int]]:
        """The entries after those, of nodes that answer."""
        drafts, after = list[Draft](), dict(cursor)
        for node in self._consortium.nodes.values():
            try:
                entries = node.break_entries_after(cursor.get(node.id, 0), ENTRIES_A_LOOK_MAX)
            except UnreachableError:
                continue
            for id, entry in entries:
                drafts.append(_of_break(node.id, id, entry))
                after[node.id] = entry.sequence
        return drafts, after


class Refusals:
    """Submitted trades that were not captured. The cursor is the exchange's number of the last."""

    name = "refusals"

    def __init__(self, exchange: Callable[[], Exchange]) -> None:
        self._exchange = exchange

    def present(self) -> int:
        """The last one."""
        try:
            return self._exchange().last_refusal()
        except UnreachableError:
            return 0

    def since(self, cursor: int) -> tuple[list[Draft], int]:
        """Those after it, one event for what was submitted together."""
        exchange = self._exchange()
        try:
            rows = exchange.refusals_after(cursor, REFUSALS_A_LOOK_MAX)
        except UnreachableError:
            return [], cursor
        by_batch: dict[str, list[NumberedRefusal]] = {}
        for row in rows:
            by_batch.setdefault(row.batch_id, []).append(row)
        drafts = [each for some in by_batch.values() for each in _of_refused(exchange.id, some)]
        return drafts, rows[-1].number if rows else cursor


def _of_refused(exchange: str, rows: Sequence[NumberedRefusal]) -> list[Draft]:
    """What was refused of one batch: trade by trade, or when these are many as one."""
    batch, concerned = rows[0].batch_id, frozenset({exchange})
    if len(rows) <= SINGLES_MAX:
        return [
            Draft(
                kind="trade.refused",
                subject=row.subject,
                data={"reason": row.reason, "batch": batch, "row": row.row},
                participants=concerned,
                node=exchange,
            )
            for row in rows
        ]
    data = {
        "count": len(rows),
        "reasons": dict(Counter(row.reason for row in rows)),
        "trades": [{"id": row.subject, "row": row.row} for row in rows[:SINGLES_MAX]],
    }
    refused = Draft(
        kind="trades.refused", subject=batch, data=data, participants=concerned, node=exchange
    )
    return [refused]


def _of_break(owner: str, id: str, entry: BreakEntry) -> Draft:
    key = key_of(id)
    data: dict[str, str] = {"owner": owner, "key": key}
    if entry.actor:
        data["by"] = entry.actor
    if entry.text:
        data["text"] = entry.text
    if entry.after is not None:
        version = entry.after
        data |= {
            "kind": version.kind.value,
            "about": version.subject,
            "ours": version.ours,
            "theirs": version.theirs,
            "cause": version.cause.value,
        }
    return Draft(
        kind=f"break.{entry.act.value}",
        subject=key,
        data=data,
        participants=frozenset({owner}),
        node=owner,
        block=entry.seen.block,
    )
