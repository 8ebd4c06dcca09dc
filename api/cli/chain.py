"""``novate chain``: the chain itself."""

import typer

from api.cli.chain_besu import besu

chain_app = typer.Typer(help="The chain, and what it can run on.", no_args_is_help=True)


@chain_app.callback()
def _chain() -> None:
    """The chain, and what it can run on."""


chain_app.command("besu")(besu)
