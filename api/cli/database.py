"""``--database``: the PostgreSQL database that the books of a new state folder are kept in."""

import os
from typing import Annotated, Final

import typer

from api.cli.terminal import bad_input
from ledger.books.database_url import DatabaseUrl
from ledger.domain.errors import MalformedError

VARIABLE: Final = "NOVATE_DATABASE"

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Keep the nodes' books there, in postgresql://user@host/database; new folder."
        f" With a password in {VARIABLE}.",
    ),
]


def database_of(option: str | None) -> DatabaseUrl | None:
    """The database that was asked for, by the option or the environment; ends with 2 if bad."""
    text = option or os.environ.get(VARIABLE)
    if not text:
        return None
    name = "--database" if option else VARIABLE
    try:
        url = DatabaseUrl.parse(text)
    except MalformedError as error:
        bad_input(f"{name}: {error}")
    if option and url.has_password:
        remedy = f"Give the URL with it in the environment as {VARIABLE}, or have it in ~/.pgpass."
        bad_input("--database: everybody on this machine sees a password there", remedy)
    return url
