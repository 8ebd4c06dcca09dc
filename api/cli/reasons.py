"""``novate reasons``: the numbered reasons, with cause and remedy."""

from typing import Annotated

import typer
from rich.table import Table

from api.cli.terminal import output
from ledger.domain.reasons import Reason


def reasons(
    chinese: Annotated[bool, typer.Option("--zh", help="In Chinese.")] = False,
) -> None:
    """List why something may be refused or wait, in order of precedence."""
    table = Table("number", "reason", "cause", "what to do")
    for reason in Reason:
        each = reason.explanation
        words = (each.cause_zh, each.remedy_zh) if chinese else (each.cause, each.remedy)
        table.add_row(str(reason.value), reason.name, *words)
    output().print(table)
