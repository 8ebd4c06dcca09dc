"""``novate day verify``: every root, net line and balance of a settled day once more."""

import typer

from api.cli.chain_options import DEFAULT_STATE, StateOption
from api.cli.database import database_of
from api.cli.terminal import EXIT_FAILED, bad_input, counted, messages, output, progress_bar
from ledger.books.segment_index import RunError
from ledger.chain.errors import StorageError
from nodes.day_verification import verify_day
from nodes.derived_cycles import DifferenceError
from nodes.folder_meta import StateFolderError


def verify(state: StateOption = DEFAULT_STATE) -> None:
    """Derive a settled day again from its segments and its chain: roots, net lines, balances.

    Ends with status 1 and names the first difference: where, what, expected, found.
    """
    found = None
    try:
        with progress_bar() as bar:
            task = bar.add_task("verify", total=None, unit="cycles")
            for found in verify_day(state, database_of(None)):
                bar.update(task, completed=found.cycles, total=found.cycles_in_all)
    except DifferenceError as error:
        console = messages()
        console.print("different:", error.where, markup=False)
        console.print(" what     ", error.what, markup=False)
        console.print(" expected ", error.expected, markup=False)
        console.print(" found    ", error.found, markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    except (RunError, StorageError) as error:
        messages().print("error:", error, markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    except StateFolderError as error:
        bad_input(str(error))
    assert found is not None
    cycles = f"{counted(found.cycles, 'cycle')} of {counted(found.trades, 'trade')}"
    lines = counted(found.net_lines, "net line")
    balances = f"{counted(found.balances, 'balance')} in the books of {found.books} nodes"
    output().print(f"OK: {cycles}, {lines}, {balances}, {counted(found.blocks, 'block')}")
