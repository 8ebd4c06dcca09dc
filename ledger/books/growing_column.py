"""A column that grows at its end: room is doubled when it runs out, so appending is cheap."""

from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Number = TypeVar("Number", bound=np.generic)

_FIRST_ROOM: Final = 1_024


class GrowingColumn(Generic[Number]):
    """Numbers of one kind, appended by one thread and read by any.

    What was read stays as it was, whatever is appended later; ``values`` may be written through.
    """

    def __init__(self, kind: DTypeLike) -> None:
        self._room: NDArray[Any] = np.zeros(_FIRST_ROOM, dtype=kind)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[Number]:
        """What was appended so far."""
        count = self._count
        return self._room[:count]

    def append(self, values: NDArray[Number]) -> None:
        """Appends some values."""
        count = self._count + len(values)
        if count > len(self._room):
            room = np.zeros(max(count, 2 * len(self._room)), dtype=self._room.dtype)
            room[: self._count] = self._room[: self._count]
            self._room = room
        self._room[self._count : count] = values
        # Last: whoever reads the count finds the values below it.
        self._count = count
