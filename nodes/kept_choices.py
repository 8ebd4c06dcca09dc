"""What was chosen for participants, one choice each, in a file that outlives the process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from ledger.books.whole_files import write_bytes_whole

T = TypeVar("T")


class KeptChoices(Generic[T]):
    """Choices by participant; without a file, in memory."""

    def __init__(self, file: Path | None, decoder: "msgspec.json.Decoder[dict[str, T]]") -> None:
        self._file = file
        known = decoder.decode(file.read_bytes()) if file and file.exists() else {}
        self._choice_by_participant = known

    def all(self) -> Mapping[str, T]:
        """All of them."""
        return self._choice_by_participant

    def put(self, participant: str, choice: T | None) -> None:
        """Chooses for a participant; None: nothing any more. On disk when this returns."""
        changed = {**self._choice_by_participant}
        changed.pop(participant, None)
        if choice is not None:
            changed[participant] = choice
        if self._file:
            content = msgspec.json.encode(dict(sorted(changed.items())))
            write_bytes_whole(self._file, content)
        self._choice_by_participant = changed
