"""``novate chain``: the group of commands about the chain."""

import typer

from api.cli.chain_besu import besu
from api.cli.chain_blocks import blocks
from api.cli.chain_certificate import certificate, check_certificate
from api.cli.chain_logs import logs
from api.cli.chain_tx import tx
from api.cli.chain_verify import verify

chain_app = typer.Typer(
    help="The chain: its blocks, transactions and events, and what else it can run on.",
    no_args_is_help=True,
)
for command in (blocks, tx, logs, verify, certificate, check_certificate, besu):
    chain_app.command()(command)
