"""From the explorer to the wire."""

from collections.abc import Sequence

from api import chain_schemas as schemas
from api.chain_words import content, sentence
from nodes.explorer.explorer import (
    BlockSummary,
    BlockView,
    EventView,
    TransactionSummary,
    TransactionView,
)
from nodes.explorer.finality import FinalityView
from nodes.explorer.names import to_hex
from nodes.explorer.values import Field, LineRow


def block_summary_view(block: BlockSummary) -> schemas.BlockSummary:
    """A block in a list."""
    return schemas.BlockSummary(
        number=block.number,
        hash=to_hex(block.hash),
        time=block.time,
        transactions=block.transaction_count,
        gas_used=block.gas_used,
        content=content(block, "en"),
        content_zh=content(block, "zh"),
        finality=_finality_view(block.finality),
    )


def block_view(block: BlockView, first: int) -> schemas.Block:
    """A block with the page of its transactions that begins at ``first``."""
    end = first + len(block.summary.transactions)
    return schemas.Block(
        block=block_summary_view(block.summary),
        proposer=block.proposer,
        gas_limit=block.gas_limit,
        size_bytes=block.size_bytes,
        hashes=_named(block.hashes),
        data=[transaction_summary_view(each) for each in block.summary.transactions],
        next_cursor=str(end) if first < end < block.summary.transaction_count else None,
    )


def transaction_summary_view(transaction: TransactionSummary) -> schemas.TransactionSummary:
    """A transaction in a list."""
    return schemas.TransactionSummary(
        hash=to_hex(transaction.hash),
        block=transaction.block,
        position=transaction.position,
        sender=transaction.sender,
        contract=transaction.contract,
        summary=sentence(transaction.act, "en"),
        summary_zh=sentence(transaction.act, "zh"),
        succeeded=transaction.succeeded,
        refusal=None if transaction.succeeded else _refusal_view(transaction),
        gas_used=transaction.gas_used,
    )


def transaction_view(view: TransactionView, first: int, limit: int) -> schemas.Transaction:
    """A transaction with at most ``limit`` of its lines from ``first`` on."""
    total = sum(len(table) for table in view.lines)
    rows = line_rows(view, first, limit)
    end = first + len(rows)
    return schemas.Transaction(
        transaction=transaction_summary_view(view.summary),
        block_hash=to_hex(view.block_hash),
        time=view.time,
        finality=_finality_view(view.finality),
        function=view.function,
        arguments=_named(view.arguments),
        events=[event_view(event) for event in view.events],
        signatures=view.signatures,
        cycle=view.cycle,
        reference=to_hex(view.reference) if view.reference else None,
        lines=total,
        data=[
            schemas.CarriedLine(
                kind=row.register.lower(),
                account=row.account,
                asset=row.asset,
                amount=row.amount,
            )
            for row in rows
        ],
        next_cursor=str(end) if first < end < total else None,
    )


def event_view(event: EventView) -> schemas.ContractEvent:
    """An event."""
    return schemas.ContractEvent(
        index=event.index,
        block=event.block,
        transaction=to_hex(event.transaction),
        contract=event.contract,
        name=event.name,
        values=_named(event.values),
    )


def line_rows(view: TransactionView, first: int, limit: int) -> list[LineRow]:
    """At most so many lines from one on, one table after the other."""
    rows: list[LineRow] = []
    for table in view.lines:
        rows += table.rows(first, limit - len(rows))
        first = max(first - len(table), 0)
    return rows


def _finality_view(finality: FinalityView) -> schemas.Finality:
    return schemas.Finality(
        state=finality.state, quorum=finality.quorum, signers=list(finality.signers)
    )


def _refusal_view(transaction: TransactionSummary) -> schemas.Refusal:
    reason = transaction.reason
    each = reason.explanation if reason else None
    return schemas.Refusal(
        text=transaction.revert,
        code=reason.value if reason else None,
        reason=reason.name if reason else None,
        cause=each.cause if each else "",
        cause_zh=each.cause_zh if each else "",
        remedy=each.remedy if each else "",
        remedy_zh=each.remedy_zh if each else "",
    )


def _named(fields: Sequence[Field]) -> list[schemas.NamedValue]:
    return [schemas.NamedValue(name=field.name, value=field.text) for field in fields]
