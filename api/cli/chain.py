"""``novate chain``: the group of commands about the chain."""

import typer

chain_app = typer.Typer(help="Blocks, transactions and events of the chain.", no_args_is_help=True)
