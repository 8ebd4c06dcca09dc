"""``novate init``: a small project with tests that settle, to begin with."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

import typer

from api.cli.terminal import bad_input, file_trouble, output

_EXAMPLE: Final = files("api") / "testing" / "example"


def init(
    folder: Annotated[Path, typer.Argument(help="Where to; made when it is missing.")] = Path(),
) -> None:
    """Write a small project whose tests have a settlement network each (docs/testing.md)."""
    with as_file(_EXAMPLE) as example:
        sources = sorted(path for path in example.iterdir() if path.suffix in (".py", ".ini"))
        targets = [folder / source.name for source in sources]
        for target in targets:
            if target.exists():
                bad_input(f"{target} is there already", "Name another folder: nothing was written.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for source, target in zip(sources, targets, strict=True):
                target.write_text(source.read_text())
        except OSError as error:
            file_trouble(error)
    for target in targets:
        output().print(target, markup=False, soft_wrap=True)
    output().print(f"Run them: python -m pytest {folder}", markup=False, soft_wrap=True)
