"""The scenarios that come with Novate: a file or more for each rule, in folders by topic."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

PACK: Final = Path(__file__).parent / "pack"


@dataclass(frozen=True, slots=True)
class PackEntry:
    """A scenario of the pack, as a list shows it."""

    name: str
    topic: str
    title: str


@cache
def pack_index() -> tuple[PackEntry, ...]:
    """Every scenario of the pack, by topic and name."""
    return tuple(PackEntry(file.stem, topic_of(file), _title_of(file)) for file in pack_files())


def pack_files() -> list[Path]:
    """The files of the pack, by topic and name."""
    return sorted(PACK.rglob("*.yaml"))


def topic_of(file: Path) -> str:
    """What a file of the pack is about: the folder it is in."""
    return file.parent.name


def pack_file(name: str) -> Path | None:
    """The file of a scenario of the pack; None when there is none of this name."""
    return next((file for file in pack_files() if file.stem == name), None)


def _title_of(file: Path) -> str:
    """What the file says it is about; the line that says it is one of the first."""
    with file.open() as lines:
        line = next((each for each in lines if each.startswith("title:")), "title:")
    return str(yaml.safe_load(line)["title"] or "")
