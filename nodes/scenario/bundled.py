"""The scenarios that come with Novate: a file or more for each rule, in folders by topic."""

from pathlib import Path
from typing import Final

PACK: Final = Path(__file__).parent / "pack"


def pack_files() -> list[Path]:
    """The files of the pack, by topic and name."""
    return sorted(PACK.rglob("*.yaml"))


def topic_of(file: Path) -> str:
    """What a file of the pack is about: the folder it is in."""
    return file.parent.name


def pack_file(name: str) -> Path | None:
    """The file of a scenario of the pack; None when there is none of this name."""
    return next((file for file in pack_files() if file.stem == name), None)
