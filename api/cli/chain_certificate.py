"""``novate chain certificate`` and ``check-certificate``: finality to take away, and to check."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.chain_options import DEFAULT_STATE, StateOption
from api.cli.terminal import EXIT_FAILED, bad_input, file_trouble, messages, output
from ledger.chain.certificate_file import (
    CertificateFile,
    certificate_file,
    check_certificate_file,
)
from ledger.chain.errors import StorageError
from ledger.chain.finality import CertificateError
from nodes.explorer.folder import open_replica
from nodes.folder_meta import StateFolderError


def certificate(
    number: Annotated[int, typer.Argument(min=1, help="Number of the block.")],
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Print the finality certificate of a block as JSON: header, validators, votes."""
    try:
        with open_replica(state, None) as (store, config):
            found = certificate_file(store, config, number)
    except (StateFolderError, StorageError) as error:
        bad_input(str(error))
    if found is None:
        bad_input(
            f"block {number} of {state} has no certificate: it does not exist or is not final"
        )
    typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())


def check_certificate(
    file: Annotated[Path, typer.Argument(help="What novate chain certificate printed.")],
) -> None:
    """Check a certificate off line; compare the validators it names with those you know.

    Ends with status 1 when it does not make its block final.
    """
    try:
        given = msgspec.json.decode(file.read_bytes(), type=CertificateFile)
    except OSError as error:
        file_trouble(error)
    except msgspec.MsgspecError as error:
        bad_input(f"{file} is no certificate: {error}")
    try:
        signed = check_certificate_file(given)
    except CertificateError as error:
        messages().print("error:", f"{file}: {error}", markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    output().print(
        f"block {given.number} {given.block_hash} of chain {given.chain_id} is final:"
        f" {len(signed)} of {len(given.validators)} validators signed ({', '.join(signed)})",
        soft_wrap=True,
        markup=False,
    )
