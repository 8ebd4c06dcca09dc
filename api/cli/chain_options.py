"""The options that the commands about the chain share."""

from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_STATE: Final = Path(".novate")

StateOption = Annotated[Path, typer.Option("--state", help="State folder; it is only read.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
