"""Lines of a register: asset, account and a signed amount in one word (see IRegister.vyi).

Columns here are int64 arrays of equal length. A line's key, asset times 2**32 plus account, is
where its holding is kept and the order in which lines are written.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contracts.abi import WORD_BYTES, Array

LINES_PER_CALL_MAX: Final = 1_024
ACCOUNT_BITS: Final = 32
_DEBIT_FLAG: Final = np.uint64(1 << 63)

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """Columns of lines: keys strictly ascending, amounts signed (credits above zero)."""

    keys: Column
    amounts: Column

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def assets(self) -> Column:
        """The asset of each line."""
        return self.keys >> ACCOUNT_BITS

    @property
    def accounts(self) -> Column:
        """The account of each line."""
        return self.keys & ((1 << ACCOUNT_BITS) - 1)

    def pack(self) -> Array:
        """The lines as the contracts read them."""
        words = np.zeros((len(self), 4), dtype=">u8")
        words[:, 2] = self.keys
        magnitudes = np.abs(self.amounts).astype(np.uint64)
        words[:, 3] = np.where(self.amounts < 0, magnitudes | _DEBIT_FLAG, magnitudes)
        return Array(words.tobytes(), len(self))

    @staticmethod
    def unpack(data: bytes) -> "Lines":
        """The lines in packed words."""
        words = np.frombuffer(data, dtype=">u8").reshape(-1, 4)
        magnitudes = (words[:, 3] & ~_DEBIT_FLAG).astype(np.int64)
        signs = np.where(words[:, 3] & _DEBIT_FLAG, -1, 1)
        return Lines(words[:, 2].astype(np.int64), magnitudes * signs)


def parts_of(lines: Array) -> list[Array]:
    """Packed lines as they are staged: as many at once as a call takes, the rest last."""
    step = LINES_PER_CALL_MAX * WORD_BYTES
    parts = [lines.words[first : first + step] for first in range(0, len(lines.words), step)]
    return [Array(words, len(words) // WORD_BYTES) for words in parts]


def line_key(asset: int, account: int) -> int:
    """Where a holding is kept."""
    return (asset << ACCOUNT_BITS) | account
