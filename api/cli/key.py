"""``novate key``: a key of a sandbox, for scripts: KEY=$(novate key BRK-A)."""

from typing import Annotated

import typer

from api.cli.chain_options import DEFAULT_STATE, StateOption
from api.cli.terminal import bad_input
from nodes.api_keys import OPERATOR, KeyFileError, key_in_file


def key(
    holder: Annotated[
        str, typer.Argument(help="A participant, REGULATOR, or OPERATOR for the whole sandbox.")
    ] = OPERATOR.name,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Print the key of a holder, as novate up has written it into its state folder."""
    try:
        typer.echo(key_in_file(state, holder))
    except KeyFileError as error:
        bad_input(
            str(error), "Start novate up, which writes the keys, or name its folder with --folder."
        )
