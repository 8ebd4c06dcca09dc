"""``novate proof``: make the proof of a trade, and verify one."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.chain_options import DEFAULT_STATE, FOLDER_NAMES, StateOption
from api.cli.terminal import EXIT_FAILED, bad_input, file_trouble, messages, output
from ledger.books.segment_index import RunError
from ledger.books.segments import SegmentError
from ledger.books.whole_files import write_bytes_whole
from ledger.clearing import proof as proofs
from ledger.clearing.columns import COLUMN_NAMES, TradeColumns
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import TradeId
from nodes.engine import EngineError
from nodes.folder_meta import StateFolderError, read_meta
from nodes.proof_check import wrong_at_node, wrong_in_folder
from nodes.proofs import proof_from_folder
from nodes.trade_words import describe_terms, describe_trade_id

proof_app = typer.Typer(
    help="Proofs that trades are in settled cycles, to be verified by anyone.",
    no_args_is_help=True,
)


@proof_app.command()
def make(
    trade_id: Annotated[str, typer.Argument(help="Such as B3.2026-07-14.ZZ0000PETR46.205660")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Make the proof of a trade from the segments of a state folder.

    Ends with status 1 when the trade is in no settled cycle.
    """
    try:
        identity = TradeId.parse(trade_id)
        meta = read_meta(state)
        if meta is None:
            bad_input(f"{state} holds no day: name a state folder with --folder")
        proof = proof_from_folder(state, meta.network, identity)
        if proof is None:
            messages().print(f"{trade_id} is in no settled cycle of {state}")
            raise typer.Exit(EXIT_FAILED)
        text = proofs.encode(proof)
        write_bytes_whole(out, text.encode())
    except (MalformedError, StateFolderError) as error:
        bad_input(str(error))
    except (SegmentError, RunError) as error:
        messages().print("error:", error, markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    except OSError as error:
        file_trouble(error)
    words = f"chunk {proof.index} of {proof.path.leaf_count}, {len(proof.trades)} trades in it"
    messages().print(f"{out}: {trade_id} is in the cycle 0x{proof.cycle_id.hex()}, {words}")


@proof_app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="What GET /v1/trades/ID/proof or make wrote.")],
    state: Annotated[
        Path | None,
        typer.Option(*FOLDER_NAMES, help="Compare with the chain in this state folder."),
    ] = None,
    rpc: Annotated[
        str | None, typer.Option(help="Compare with the contracts behind this node.")
    ] = None,
) -> None:
    """Verify a proof: off line alone, or also against a chain.

    Ends with status 1 when the trade is not in the cycle, with 2 when the file is no proof.
    """
    try:
        proof = proofs.decode(file.read_bytes())
        wrong = proofs.verify(proof)
        if not wrong and state:
            wrong = wrong_in_folder(proof, state)
        if not wrong and rpc:
            wrong = wrong_at_node(proof, rpc)
        meta = read_meta(state) if state else None
    except MalformedError as error:
        bad_input(f"{file}: {error}")
    except (StateFolderError, EngineError) as error:
        bad_input(str(error))
    except OSError as error:
        file_trouble(error)
    if wrong:
        output().print("not included:", wrong, markup=False)
        raise typer.Exit(EXIT_FAILED)
    trade = TradeColumns.of_rows([proof.record])
    if meta:
        terms = describe_terms(meta.network, trade, 0)
        output().print(f"trade   {describe_trade_id(meta.network, trade, 0)}, {terms}")
    else:
        pairs = zip(COLUMN_NAMES, proof.record, strict=True)
        output().print("trade   " + ", ".join(f"{name} {value}" for name, value in pairs))
    output().print(f"cycle   0x{proof.cycle_id.hex()}, {proof.path.trade_count:,} trades")
    output().print(f"root    0x{proof.root.hex()}")
    if state or rpc:
        output().print("included; the chain has this root")
    else:
        output().print("included, if the chain has this root: --folder or --rpc compares")
