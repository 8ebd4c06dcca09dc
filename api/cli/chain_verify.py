"""``novate chain verify``: the stored chain once more, from its first block."""

from typing import Annotated

import typer

from api.cli.chain_options import DEFAULT_STATE, StateOption
from api.cli.terminal import EXIT_FAILED, bad_input, messages, output, progress_bar
from ledger.chain.errors import StorageError
from ledger.chain.executors import DEFAULT_EXECUTOR, EXECUTOR_NAMES
from ledger.chain.verification import verify as verified_blocks
from nodes.explorer.folder import open_replica
from nodes.folder_meta import StateFolderError


def verify(
    state: StateOption = DEFAULT_STATE,
    replica: Annotated[
        str | None, typer.Option(help="Whose replica: a validator; else the clearing house.")
    ] = None,
    executor: Annotated[
        str, typer.Option(metavar="|".join(EXECUTOR_NAMES), help="What runs the transactions.")
    ] = DEFAULT_EXECUTOR,
) -> None:
    """Run every transaction again, and check every vote, certificate and index.

    Ends with status 1, naming the block and the transaction, if anything is not as it is stored.
    """
    if executor not in EXECUTOR_NAMES:
        bad_input(f"--executor: expected {' or '.join(EXECUTOR_NAMES)}, found {executor!r}")
    try:
        with open_replica(state, replica) as (store, config), progress_bar() as bar:
            height = store.final_height()
            task = bar.add_task("verify", total=height, unit="blocks")
            for number in verified_blocks(store, config, executor):
                bar.update(task, completed=number)
    except StateFolderError as error:
        bad_input(str(error))
    except StorageError as error:
        messages().print("error:", error, markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    output().print(
        f"{height} blocks are right: executed again on {executor}, votes and indexes too"
    )
