"""``novate queue``: what waits at a running ``novate up``, and gridlock resolution."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from api.cli.http_client import DEFAULT_URL, Answer, Client, JsonOption, UrlOption, print_json
from api.cli.terminal import counted, output

queue_app = typer.Typer(help="What waits at a running novate up.", no_args_is_help=True)


class Algorithm(StrEnum):
    """How a set that settles together is found."""

    FIFO = "fifo"
    BYPASS = "bypass"
    OPTIMUM = "optimum"


@queue_app.command()
def show(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show every queue by account and asset, in order, with reasons and what is missing."""
    table, aside = Table("account", "asset", "available", "owed", "next", "reason", "missing"), ""
    for page in Client(url).pages("queue", {"limit": 100}):
        if as_json:
            print_json(page)
            continue
        for queue in page["data"]:
            _add(table, queue)
        labels = ", ".join(f"{each['label']} {_reason(each)}" for each in page["aside"])
        aside = f"{counted(page['aside_total'], 'instruction')} aside: {labels}" if labels else ""
    if as_json:
        return
    console = output()
    if table.row_count:
        console.print(table)
    console.print(aside or ("" if table.row_count else "Nothing waits."), markup=False)


@queue_app.command()
def resolve(
    algorithm: Annotated[Algorithm, typer.Argument(help="fifo keeps the order of every queue.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Run gridlock resolution once: what it selects settles as one set."""
    answer = Client(url).post("queue/resolve", {"algorithm": algorithm.value})
    if as_json:
        print_json(answer)
        return
    values = ", ".join(f"{each['amount']} {each['currency']}" for each in answer["values"])
    console = output()
    console.print(f"settled {counted(len(answer['settled']), 'instruction')}  {values}".rstrip())
    if answer["settled"]:
        console.print(", ".join(answer["settled"]), markup=False)
    if not answer["is_exact"]:
        console.print("The search stopped early: another run may settle more.")


def _add(table: Table, queue: Answer) -> None:
    towards = f" limit to {queue['counterparty'] or 'all'}" if queue["kind"] == "limit" else ""
    names = (queue["account"], queue["asset"] + towards, queue["available"], queue["owed"])
    for place, each in enumerate(queue["instructions"]):
        missing = ", ".join(
            f"{one['missing']} {one['asset']} in {one['account']}" for one in each["missing"]
        )
        words = (each["label"], _reason(each), missing or each["behind"] or "")
        table.add_row(*(("", "", "", "") if place else names), *words)
    hidden = queue["length"] - len(queue["instructions"])
    if hidden:
        table.add_row("", "", "", "", f"and {hidden} more", "", "")


def _reason(each: Answer) -> str:
    return each["why"]["reason"] if each["why"] else "-"
