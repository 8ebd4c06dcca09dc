"""``novate statement``: statements out of a running ``novate up``, and others' statements in."""

import urllib.parse
from pathlib import Path
from typing import Annotated

import typer

from api.cli.http_client import DEFAULT_URL, Client, JsonOption, UrlOption, print_json, segment
from api.cli.terminal import EXIT_FAILED, bad_input, counted, file_trouble, output
from nodes.statements.columns import Language
from nodes.statements.model import StatementKind
from nodes.statements.reading import FILE_BYTES_MAX

statement_app = typer.Typer(
    help="Statements of positions, movements and cash, as CSV.", no_args_is_help=True
)


@statement_app.command("export")
def export(
    participant: Annotated[str, typer.Argument(help="Such as BRK-A.")],
    kind: Annotated[StatementKind, typer.Argument(help="Of what.")],
    out: Annotated[Path | None, typer.Option(help="A file; without one, standard output.")] = None,
    language: Annotated[Language, typer.Option(help="Of the header.")] = Language.ENGLISH,
    bom: Annotated[
        bool, typer.Option("--bom", help="A byte order mark, for spreadsheets.")
    ] = False,
    date: Annotated[str | None, typer.Option(help="A business date.")] = None,
    first_block: Annotated[int | None, typer.Option(min=0, help="From this block on.")] = None,
    last_block: Annotated[int | None, typer.Option(min=0, help="Up to this block.")] = None,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Write a participant's statement: of a business date, of some blocks, or of everything."""
    content = Client(url).download(
        f"statements/{segment(participant)}/{kind.value}.csv",
        {
            "language": language.value,
            "bom": "true" if bom else None,
            "date": date,
            "first_block": first_block,
            "last_block": last_block,
        },
    )
    if out is None:
        typer.echo(content, nl=False)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        file_trouble(error)
    lines = counted(content.count(b"\n") - 2, "line")
    output().print(f"{out}: {lines}", markup=False)


@statement_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV; with the needed columns, from any system.")],
    participant: Annotated[str, typer.Option(help="Whose holdings it is of.")],
    name: Annotated[
        str | None, typer.Option(help="Else the file's. The same name again takes its place.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Compare a statement with ledger and own book; differences become breaks.

    Ends with status 1 when something differs, 2 when the file is not what it must be.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        file_trouble(error)
    if len(content) > FILE_BYTES_MAX:
        bad_input(f"{file}: expected at most {FILE_BYTES_MAX} bytes, found more")
    query = urllib.parse.urlencode({"name": name or file.name})
    answer = Client(url).upload(f"statements/{segment(participant)}?{query}", content, "text/csv")
    if as_json:
        print_json(answer)
    else:
        console = output()
        for each in answer["differences"]:
            words = f"{each['kind']}: {each['subject']}: ours {each['ours']}, {each['theirs']}"
            console.print(words, markup=False)
        differing = counted(answer["differences_total"], "difference")
        lines = counted(answer["lines"], "line")
        console.print(f"{answer['name']}: {lines} of {answer['kind']}, {differing}", markup=False)
    if not answer["agrees"]:
        raise typer.Exit(EXIT_FAILED)
