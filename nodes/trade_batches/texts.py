"""Columns of short texts read as numbers: character by character, all rows at once."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.clearing.columns import Column, Mask

_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_NOT_ASCII: Final = "\x7f"
_NUMBER_CHARS: Final = "\0" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_TEXT_NUMBER_CHARS: Final = 11
_PLAIN_DIGITS: Final = 15
_TEXT_NUMBER_BASE: Final = 2**60
_INVALID: Final = 255

_CODES: Final = np.full(256, _INVALID, dtype=np.uint8)
_CODES[[ord(char) for char in _NUMBER_CHARS]] = np.arange(len(_NUMBER_CHARS), dtype=np.uint8)


class _Characters:
    """Texts as columns of characters: ``at[i]`` is the i-th of each, 0 beyond its end."""

    def __init__(self, texts: Sequence[str], width: int) -> None:
        try:
            fixed = np.array(texts, dtype=f"S{width + 1}")
        except UnicodeEncodeError:
            ascii_only = [text if text.isascii() else _NOT_ASCII for text in texts]
            fixed = np.array(ascii_only, dtype=f"S{width + 1}")
        self.lengths: Column = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.at: NDArray[np.uint8] = np.ascontiguousarray(
            fixed.view(np.uint8).reshape(len(texts), width + 1).T
        )
        self.fit: Mask = (self.lengths > 0) & (self.lengths <= width)


def read_decimals(texts: Sequence[str], whole_max: int, decimals: int) -> tuple[Column, Mask]:
    """Decimals as whole numbers of their last digit, and which texts are such.

    At most ``whole_max`` digits before the point and ``decimals`` after it; no sign, no leading
    zero; together at most 18 digits.
    """
    assert whole_max + decimals <= 18
    width = whole_max + (decimals + 1 if decimals else 0)
    chars = _Characters(texts, width)
    valid, values = chars.fit, np.zeros(len(texts), dtype=np.int64)
    whole, after = np.zeros_like(values), np.zeros_like(values)
    has_point = np.zeros(len(texts), dtype=bool)
    for i in range(width):
        inside, digits = i < chars.lengths, chars.at[i] - np.uint8(_ZERO)
        is_digit = inside & (digits <= 9)
        is_point = inside & (chars.at[i] == _POINT) & ~has_point
        valid = valid & (is_digit | is_point | ~inside)
        values = np.where(is_digit & valid & (whole + after < 18), values * 10 + digits, values)
        whole += is_digit & ~has_point
        after += is_digit & has_point
        has_point |= is_point
    valid &= (whole > 0) & (whole <= whole_max) & (after <= decimals) & (has_point == (after > 0))
    valid &= (chars.at[0] != _ZERO) | (whole == 1)
    scale = 10 ** np.clip(decimals - after, 0, 18)
    return np.where(valid, values * scale, 0), valid


def encode_trade_numbers(texts: Sequence[str]) -> tuple[Column, Mask]:
    """Trade numbers as ``ledger.domain.identifiers.encode_trade_number`` has them; which are."""
    chars = _Characters(texts, _PLAIN_DIGITS)
    plain, is_plain = read_decimals(texts, _PLAIN_DIGITS, 0)
    packed = np.zeros(len(texts), dtype=np.int64)
    is_text = chars.fit & (chars.lengths <= _TEXT_NUMBER_CHARS)
    for i in range(_TEXT_NUMBER_CHARS):
        codes = _CODES[chars.at[i]]
        is_text &= (codes != _INVALID) & ((codes > 0) | (i >= chars.lengths))
        packed = packed * len(_NUMBER_CHARS) + np.where(is_text, codes, 0)
    return np.where(is_plain, plain, _TEXT_NUMBER_BASE + packed), is_plain | is_text
