"""Events of what does not agree: breaks of every node, and trades that the exchange refused."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from ledger.books.capture import NumberedRefusal
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.exchange import Exchange
from nodes.journal.event import Draft
from nodes.journal.trades import SINGLES_MAX

REFUSALS_A_LOOK_MAX: Final = 10_000


class Breaks:
    """The open breaks of every node. The cursor has both versions of each, by node and id."""

    name = "breaks"

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium

    def present(self) -> dict[str, list[str]]:
        """The open breaks, of nodes that answer."""
        return self._now({})

    def since(self, cursor: dict[str, list[str]]) -> tuple[list[Draft], dict[str, list[str]]]:
        """Breaks that opened, changed or closed."""
        now = self._now(cursor)
        drafts = [
            _of_break("changed" if key in cursor else "opened", key, seen)
            for key, seen in now.items()
            if cursor.get(key) != seen
        ]
        drafts += [_of_break("closed", key, seen) for key, seen in cursor.items() if key not in now]
        return drafts, now

    def _now(self, before: dict[str, list[str]]) -> dict[str, list[str]]:
        """Of a node that is away, what was known before stands."""
        found: dict[str, list[str]] = {}
        for node in self._consortium.nodes.values():
            try:
                rows = node.breaks()
            except UnreachableError:
                found |= {key: seen for key, seen in before.items() if _owner(key) == node.id}
                continue
            for row in rows:
                seen = [row.kind.value, row.subject, row.ours, row.theirs]
                found[f"{node.id}/{row.id}"] = seen
        return found


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


def _of_break(act: str, key: str, seen: list[str]) -> Draft:
    kind, subject, ours, theirs = seen
    owner = _owner(key)
    return Draft(
        kind=f"break.{act}",
        subject=key,
        data={"owner": owner, "kind": kind, "about": subject, "ours": ours, "theirs": theirs},
        participants=frozenset({owner}),
        node=owner,
    )


def _owner(key: str) -> str:
    return key.partition("/")[0]
