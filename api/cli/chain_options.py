"""The options that the commands about the chain share."""

from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_STATE: Final = Path(".novate")
FOLDER: Final = "--folder"
FOLDER_NAMES: Final = (FOLDER, "--state")
"""The state folder: the first everywhere, the second where no states are listed."""

StateOption = Annotated[Path, typer.Option(*FOLDER_NAMES, help="State folder; it is only read.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
