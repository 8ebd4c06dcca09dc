"""Moves of a register, one word each (see IRegister.vyi), and instructions in two words each.

Columns here are int64 arrays of equal length. The moves of one call happen together, whatever their
order: only what every account has in the end must be covered.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from eth_hash.auto import keccak
from numpy.typing import NDArray

from contracts.abi import WORD_BYTES, Array
from contracts.lines import Column, Lines

MOVES_PER_CALL_MAX: Final = 10_240
"""Of one register; a set has no more instructions either."""

INSTRUCTION_WORDS: Final = 2
_TERMS: Final = 7

_AMOUNT_MASK: Final = np.uint64((1 << 63) - 1)
_LOW_BIT: Final = np.uint64(1)
_TOP: Final = np.uint64(63)
_DEBTOR_SHIFT: Final = np.uint64(31)
_HALF_MASK: Final = np.uint64((1 << 31) - 1)
_ACCOUNT_MASK: Final = np.uint64((1 << 32) - 1)


@dataclass(frozen=True, slots=True)
class Moves:
    """Columns of moves: of which asset, from whom, to whom, how much (above zero)."""

    assets: Column
    debtors: Column
    creditors: Column
    amounts: Column

    def __len__(self) -> int:
        return len(self.amounts)

    def pack(self) -> Array:
        """The moves as the contracts read them."""
        assets, debtors, creditors, amounts = (
            column.astype(np.uint64)
            for column in (self.assets, self.debtors, self.creditors, self.amounts)
        )
        # From the low end: amount 63 bits, creditor, debtor and asset 32 bits each.
        words = np.zeros((len(self), 4), dtype=">u8")
        words[:, 1] = assets >> _LOW_BIT
        words[:, 2] = (assets << _TOP) | (debtors << _DEBTOR_SHIFT) | (creditors >> _LOW_BIT)
        words[:, 3] = (creditors << _TOP) | amounts
        return Array(words.tobytes(), len(self))

    @staticmethod
    def unpack(data: bytes) -> "Moves":
        """The moves in packed words."""
        words = np.frombuffer(data, dtype=">u8").reshape(-1, 4).astype(np.uint64)
        high, middle, low = words[:, 1], words[:, 2], words[:, 3]
        return Moves(
            assets=((high << _LOW_BIT) | (middle >> _TOP)).astype(np.int64),
            debtors=((middle >> _DEBTOR_SHIFT) & _ACCOUNT_MASK).astype(np.int64),
            creditors=(((middle & _HALF_MASK) << _LOW_BIT) | (low >> _TOP)).astype(np.int64),
            amounts=(low & _AMOUNT_MASK).astype(np.int64),
        )

    def take(self, rows: Column | NDArray[np.bool_]) -> "Moves":
        """Some of the moves."""
        return Moves(
            self.assets[rows], self.debtors[rows], self.creditors[rows], self.amounts[rows]
        )

    def lines(self) -> Lines:
        """A debit and a credit of each, in order; not one line for a holding, as net lines are."""
        accounts = np.stack([self.debtors, self.creditors], axis=1).reshape(-1)
        keys = (np.repeat(self.assets, 2) << 32) | accounts
        return Lines(keys, np.stack([-self.amounts, self.amounts], axis=1).reshape(-1))

    def net(self) -> Lines:
        """What they come to: a line for each holding that changes."""
        lines = self.lines()
        keys, rows = np.unique(lines.keys, return_inverse=True)
        sums = np.zeros(len(keys), dtype=np.int64)
        np.add.at(sums, rows, lines.amounts)
        return Lines(keys[sums != 0], sums[sums != 0])


@dataclass(frozen=True, slots=True)
class PackedInstructions:
    """The instructions of a set as they stand in its call."""

    ids: tuple[bytes, ...]
    deliveries: Moves
    payments: Moves

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def unpack(data: bytes) -> "PackedInstructions":
        """The instructions in packed words.

        After the id: deliverer, receiver, instrument and currency in 32 bits each, quantity and
        amount in 64 each.
        """
        step = INSTRUCTION_WORDS * 32
        halves = np.frombuffer(data, dtype=">u4").reshape(-1, 16).astype(np.int64)
        longs = np.frombuffer(data, dtype=">u8").reshape(-1, 8).astype(np.int64)
        deliverers, receivers, instruments, currencies = halves[:, 8:12].T
        deliveries = Moves(instruments, deliverers, receivers, longs[:, 6])
        payments = Moves(currencies, receivers, deliverers, longs[:, 7])
        return PackedInstructions(
            ids=tuple(data[i : i + 32] for i in range(0, len(data), step)),
            deliveries=deliveries.take(deliveries.amounts != 0),
            payments=payments.take(payments.amounts != 0),
        )


def settled_in_set(words: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Id and hash of the terms of each instruction in packed words, as single ones settle."""
    halves = np.frombuffer(words, dtype=">u4").reshape(-1, 2 * WORD_BYTES // 4)
    longs = np.frombuffer(words, dtype=">u8").reshape(-1, 2 * WORD_BYTES // 8)
    # Id, deliverer, receiver, instrument, quantity, currency, amount: a word each.
    terms = np.zeros((len(halves), _TERMS, WORD_BYTES // 4), dtype=">u4")
    terms[:, 0] = halves[:, :8]
    for word, column in ((1, 8), (2, 9), (3, 10), (5, 11)):
        terms[:, word, -1] = halves[:, column]
    for word, column in ((4, 6), (6, 7)):
        terms[:, word, -2] = longs[:, column] >> 32
        terms[:, word, -1] = longs[:, column] & 0xFFFFFFFF
    packed = terms.tobytes()
    step = _TERMS * WORD_BYTES
    each = (packed[first : first + step] for first in range(0, len(packed), step))
    return tuple((words[:WORD_BYTES], keccak(words)) for words in each)
