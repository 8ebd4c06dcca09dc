"""The history of breaks as rows, and the breaks that stood as of an earlier block."""

from itertools import groupby
from typing import Any, Final

import msgspec
from sqlmodel import Session, col, func, select

from ledger.books.break_life import Break, BreakEntry, BreakVersion, Seen, folded
from ledger.books.break_rows import BreakEntryRow
from ledger.domain.breaks import BreakAct

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_VERSIONS: Final = msgspec.json.Decoder(BreakVersion)
_COMING_AND_GOING: Final = (BreakAct.OPENED.value, BreakAct.REOPENED.value, BreakAct.CLOSED.value)


def entry_row(id: str, entry: BreakEntry) -> dict[str, Any]:
    """An entry of the break of an id, as a row."""
    return {
        "break_id": id,
        "act": entry.act.value,
        "actor": entry.actor,
        "text": entry.text,
        "block": entry.seen.block,
        "at": entry.seen.at,
        "before": _packed(entry.before),
        "after": _packed(entry.after),
    }


def entry_of(row: BreakEntryRow) -> BreakEntry:
    """The entry of a row."""
    assert row.sequence is not None, "it was read"
    return BreakEntry(
        act=BreakAct(row.act),
        seen=Seen(row.block, row.at),
        actor=row.actor,
        text=row.text,
        before=_VERSIONS.decode(row.before) if row.before else None,
        after=_VERSIONS.decode(row.after) if row.after else None,
        sequence=row.sequence,
    )


def breaks_at(session: Session, owner: str, block: int) -> list[Break]:
    """The breaks that stood as of a block, as they were then: open, or resolved by somebody."""
    till_then = col(BreakEntryRow.block) <= block
    last = (
        select(func.max(BreakEntryRow.sequence))
        .where(till_then, col(BreakEntryRow.act).in_(_COMING_AND_GOING))
        .group_by(col(BreakEntryRow.break_id))
    )
    standing = select(BreakEntryRow.break_id).where(
        col(BreakEntryRow.sequence).in_(last), BreakEntryRow.act != BreakAct.CLOSED.value
    )
    rows = session.exec(
        select(BreakEntryRow)
        .where(till_then, col(BreakEntryRow.break_id).in_(standing))
        .order_by(col(BreakEntryRow.break_id), col(BreakEntryRow.sequence))
    )
    return [
        folded(id, owner, map(entry_of, some))
        for id, some in groupby(rows, key=lambda row: row.break_id)
    ]


def _packed(version: BreakVersion | None) -> str | None:
    return _ENCODER.encode(version).decode() if version else None
