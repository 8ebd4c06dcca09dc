"""``novate chain tx``: one transaction, decoded."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.chain_schemas import Transaction
from api.chain_views import transaction_view
from api.cli.chain_options import DEFAULT_STATE, StateOption
from api.cli.terminal import bad_input, output
from nodes.explorer.explorer import parse_hash
from nodes.explorer.folder import open_explorer
from nodes.folder_meta import StateFolderError


def tx(
    hash: Annotated[str, typer.Argument(help="0x and 64 hex digits.")],
    state: StateOption = DEFAULT_STATE,
    lines: Annotated[
        int, typer.Option(min=0, max=100_000, help="Show at most so many net lines.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show a transaction: what it asked, what came of it, and why if it was refused."""
    digest = parse_hash(hash)
    if digest is None:
        bad_input(f"{hash!r} is not a transaction hash: expected 0x and 64 hex digits")
    try:
        with open_explorer(state) as explorer:
            found = explorer.transaction(digest)
            view = transaction_view(found, 0, lines) if found else None
    except StateFolderError as error:
        bad_input(str(error))
    if view is None:
        bad_input(f"there is no transaction {hash} in {state}")
    if as_json:
        typer.echo(view.model_dump_json(indent=1))
        return
    _show(output(), view)


def _show(console: Console, view: Transaction) -> None:
    summary = view.transaction
    console.print(Text(summary.summary, style="bold"))
    console.print(_facts(view))
    if view.arguments:
        console.print(_table("argument", "value", [(a.name, a.value) for a in view.arguments]))
    events = [
        (event.name or event.contract, "\n".join(f"{v.name} {v.value}" for v in event.values))
        for event in view.events
    ]
    if events:
        console.print(_table("event", "values", events))
    if view.data:
        table = Table("kind", "account", "asset", "amount", title=f"lines, of {view.lines:,}")
        table.columns[3].justify = "right"
        for line in view.data:
            table.add_row(line.kind, Text(line.account), Text(line.asset), line.amount)
        console.print(table)


def _facts(view: Transaction) -> Table:
    summary = view.transaction
    rows = [
        ("status", "done" if summary.succeeded else "refused"),
        ("block", f"{summary.block:,} ({view.finality.state})"),
        ("time", view.time),
        ("signed by", summary.sender),
        ("call", f"{summary.contract} {view.function}".strip()),
        ("participants' signatures", str(view.signatures)),
        ("gas", f"{summary.gas_used:,}"),
    ]
    if (refusal := summary.refusal) is not None:
        number = f"{refusal.code} {refusal.reason}: " if refusal.code else ""
        rows.insert(1, ("reason", f"{number}{refusal.cause} ({refusal.text or 'no text'})"))
        if refusal.remedy:
            rows.insert(2, ("what to do", refusal.remedy))
    table = Table(show_header=False, box=None)
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


def _table(first: str, second: str, rows: list[tuple[str, str]]) -> Table:
    table = Table(first, second)
    for name, value in rows:
        table.add_row(Text(name), Text(value, overflow="fold"))
    return table
