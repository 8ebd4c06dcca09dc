"""From nodes to the wire: breaks, their history, causes and actions."""

from contextlib import suppress
from typing import Any

from api import break_schemas as schemas
from ledger.books.break_life import Break, BreakEntry, BreakVersion
from ledger.domain.amounts import format_amount
from ledger.domain.break_actions import BreakAction, BreakSubject, actions_of
from ledger.domain.break_meanings import LikelyCause
from nodes.bus import UnreachableError
from nodes.consortium import Consortium


def break_view(found: Break) -> schemas.Break:
    """A break as it stands."""
    return schemas.Break(**_fields(found))


def break_detail(found: Break, history: list[BreakEntry]) -> schemas.BreakDetail:
    """A break with all that is known of it."""
    return schemas.BreakDetail(
        **_fields(found),
        history=[_event(entry) for entry in history],
    )


def _fields(found: Break) -> dict[str, Any]:
    version = found.version
    currency = version.currency or None
    return {
        "id": found.key,
        "owner": found.owner,
        "kind": found.kind.value,
        "kind_text": found.kind.label,
        "kind_text_zh": found.kind.label_zh,
        "state": found.state.value,
        "subject": version.subject,
        "ours": version.ours,
        "theirs": version.theirs,
        "asset": version.asset or None,
        "at_risk": format_amount(version.at_risk, currency) if currency else "0",
        "currency": currency,
        "cause": _words(version.cause),
        "actions": [_words(action) for action in actions_of(BreakSubject.of(found.id), found.kind)],
        "first_seen_block": found.first_seen.block,
        "first_seen_at": found.first_seen.at,
        "age": found.age,
        "bucket": found.bucket.value,
        "assignee": found.assignee or None,
        "resolution": found.resolution or None,
        "closed_block": found.closed.block if found.closed else None,
        "closed_at": found.closed.at if found.closed else None,
        "occurrences": found.occurrences,
    }


def _words(said: LikelyCause | BreakAction) -> schemas.Words:
    return schemas.Words(name=said.value, text=said.text, text_zh=said.text_zh)


def _event(entry: BreakEntry) -> schemas.BreakEvent:
    return schemas.BreakEvent(
        sequence=entry.sequence,
        act=entry.act.value,
        act_zh=entry.act.label_zh,
        actor=entry.actor or None,
        text=entry.text,
        block=entry.seen.block,
        at=entry.seen.at,
        before=_version(entry.before),
        after=_version(entry.after),
    )


def _version(version: BreakVersion | None) -> schemas.BreakVersion | None:
    if version is None:
        return None
    return schemas.BreakVersion(kind=version.kind.value, ours=version.ours, theirs=version.theirs)


def reconciliation_view(consortium: Consortium) -> schemas.Reconciliation:
    """The three-way comparison, node by node."""
    nodes: list[schemas.NodeReconciliation] = []
    breaks: list[schemas.Break] = []
    for node in consortium.nodes.values():
        found: list[Break] | None = None
        with suppress(UnreachableError):
            found = node.breaks()
        breaks += map(break_view, found or ())
        nodes.append(
            schemas.NodeReconciliation(
                participant=node.id,
                state="away" if found is None else "live",
                reconciled_block=node.reconciled_block,
                open_breaks=None if found is None else len(found),
                is_away=found is None,
            )
        )
    return schemas.Reconciliation(
        as_of_block=min(node.reconciled_block for node in nodes),
        agrees=not breaks and not any(node.is_away for node in nodes),
        suspended=consortium.clearing_house.suspended_assets(),
        nodes=nodes,
        breaks=breaks,
    )
