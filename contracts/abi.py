"""The contract ABI, as far as our contracts use it: static words, and arrays of them.

Arrays are kept as packed bytes, so that thousands of net lines are encoded by one copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from eth_hash.auto import keccak

WORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Array:
    """A dynamic array: the words of its items one after another, and how many items they are."""

    words: bytes
    count: int

    @staticmethod
    def of(items: Sequence[bytes]) -> "Array":
        """An array of items of equal size, each one or more whole words."""
        return Array(b"".join(items), len(items))

    @staticmethod
    def of_numbers(numbers: Sequence[int]) -> "Array":
        """A ``uint256[]``."""
        return Array.of([uint(number) for number in numbers])

    def encode(self) -> bytes:
        """Length and items: the ABI encoding without the offset before it."""
        return uint(self.count) + self.words


Argument: TypeAlias = "bytes | Array"
"""A static argument, as its words, or a dynamic array."""


def uint(number: int) -> bytes:
    """A non-negative number as one word."""
    return number.to_bytes(WORD_BYTES, "big")


def address_word(address: bytes) -> bytes:
    """A 20-byte address as one word."""
    assert len(address) == 20
    return address.rjust(WORD_BYTES, b"\0")


def text_word(text: str) -> bytes:
    """An ASCII text of at most 32 characters as one ``bytes32``."""
    encoded = text.encode("ascii")
    assert len(encoded) <= WORD_BYTES
    return encoded.ljust(WORD_BYTES, b"\0")


def text_of(word: bytes) -> str:
    """The text that ``text_word`` packed."""
    return word.rstrip(b"\0").decode("ascii")


@cache
def selector(signature: str) -> bytes:
    """The four bytes that name a function of this signature."""
    return keccak(signature.encode())[:4]


@cache
def topic(signature: str) -> bytes:
    """The 32 bytes that name an event of this signature."""
    return keccak(signature.encode())


def encode_arguments(arguments: Sequence[Argument]) -> bytes:
    """The ABI encoding of arguments, heads before tails."""
    head_bytes = sum(WORD_BYTES if isinstance(a, Array) else len(a) for a in arguments)
    heads, tails, offset = [], [], head_bytes
    for argument in arguments:
        if isinstance(argument, Array):
            heads.append(uint(offset))
            tails.append(argument.encode())
            offset += len(tails[-1])
        else:
            heads.append(argument)
    return b"".join(heads + tails)


def encode_call(signature: str, *arguments: Argument) -> bytes:
    """The data of a transaction or call to a function of this signature."""
    return selector(signature) + encode_arguments(arguments)


def split_words(data: bytes) -> list[bytes]:
    """Return data or event data, word by word."""
    return [data[i : i + WORD_BYTES] for i in range(0, len(data), WORD_BYTES)]


def number_of(word: bytes) -> int:
    """The number in a word."""
    return int.from_bytes(word, "big")
