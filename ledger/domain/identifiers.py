"""Identifiers and their forms: participants, accounts, instruments, trades.

All are ASCII and matched whole, so that look-alike characters and trailing newlines never make a
second name for the same thing.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.domain.errors import MalformedError

_PARTICIPANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,23}", re.ASCII)
_SUB_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}", re.ASCII)
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,23}", re.ASCII)
_VENUE = re.compile(r"[A-Z0-9]{1,8}", re.ASCII)
_TRADE_NUMBER = re.compile(r"[A-Z0-9-]{1,11}|[1-9][0-9]{11,14}", re.ASCII)

_BASE36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER_ALPHABET: Final = "\0" + _BASE36 + "-"
_PLAIN_NUMBER_END: Final = 10**15
_TEXT_NUMBER_BASE: Final = 2**60


def parse_participant(text: object) -> str:
    """A participant's id: up to 24 letters, digits, ``-`` and ``_``. Raises MalformedError."""
    if not isinstance(text, str) or not _PARTICIPANT.fullmatch(text):
        raise MalformedError("a participant id of 1 to 24 letters, digits, '-' or '_'", text)
    return text


def parse_account(text: object) -> str:
    """An account: PARTICIPANT (its house account) or PARTICIPANT/NAME. Raises MalformedError."""
    if not isinstance(text, str):
        raise MalformedError("an account such as BRK-A or BRK-A/client", text)
    owner, slash, name = text.partition("/")
    parse_participant(owner)
    if slash and not _SUB_ACCOUNT.fullmatch(name):
        raise MalformedError("an account such as BRK-A or BRK-A/client", text)
    return text


def owner_of(account: str) -> str:
    """The participant that an account belongs to."""
    return account.partition("/")[0]


def isin_check_digit(body: str) -> str:
    """The eleventh-character rule of ISO 6166: Luhn over the letters and digits as numbers."""
    digits = [int(digit) for char in body for digit in str(int(char, 36))]
    doubled = [d * 2 if i % 2 == 0 else d for i, d in enumerate(reversed(digits))]
    return str(-sum(d // 10 + d % 10 for d in doubled) % 10)


def parse_isin(text: object) -> str:
    """A valid ISIN (ISO 6166), check digit included. Raises MalformedError."""
    if not isinstance(text, str) or not _ISIN.fullmatch(text):
        raise MalformedError("an ISIN: two letters, nine letters or digits, a check digit", text)
    if isin_check_digit(text[:11]) != text[11]:
        raise MalformedError(f"the check digit {isin_check_digit(text[:11])}", text)
    return text


def isin_of_symbol(symbol: str) -> str:
    """The ISIN for a venue's symbol: itself if it is one, else a test ISIN under the code ZZ.

    ZZ is assigned to no country, so a made ISIN cannot be mistaken for a real one. Raises
    MalformedError when the text is not a symbol.
    """
    if _ISIN.fullmatch(symbol) and isin_check_digit(symbol[:11]) == symbol[11]:
        return symbol
    if not _SYMBOL.fullmatch(symbol):
        raise MalformedError("a symbol of 1 to 24 letters, digits, '.' or '-'", symbol)
    if len(symbol) <= 9 and symbol[0] != "0" and symbol.isalnum() and symbol == symbol.upper():
        body = "ZZ" + symbol.rjust(9, "0")
    else:
        body = "ZZ0" + _base36(int.from_bytes(hashlib.sha256(symbol.encode()).digest(), "big"), 8)
    return body + isin_check_digit(body)


def isin_of_name(name: str) -> str:
    """The ISIN for a symbol or an ISIN; a text of the form of an ISIN must be a valid one.

    Raises MalformedError. Venues whose symbols may look like ISINs need ``isin_of_symbol``.
    """
    return parse_isin(name) if _ISIN.fullmatch(name) else isin_of_symbol(name)


def encode_trade_number(text: str) -> int:
    """A venue's identifier as one integer below 2**62, without loss. Raises MalformedError.

    Plain numbers below 10**15 stand for themselves; other texts of up to eleven capital letters,
    digits and ``-`` are read in base 38 above 2**60.
    """
    if not _TRADE_NUMBER.fullmatch(text):
        raise MalformedError("a trade number of up to 11 capitals, digits or '-'", text)
    if text.isdigit() and (text[0] != "0" or text == "0"):
        return int(text)
    number = 0
    for char in text.ljust(11, "\0"):
        number = number * len(_NUMBER_ALPHABET) + _NUMBER_ALPHABET.index(char)
    return _TEXT_NUMBER_BASE + number


def decode_trade_number(number: int) -> str:
    """The text that ``encode_trade_number`` was given."""
    if number < _PLAIN_NUMBER_END:
        return str(number)
    chars, rest = [], number - _TEXT_NUMBER_BASE
    while rest:
        rest, index = divmod(rest, len(_NUMBER_ALPHABET))
        chars.append(_NUMBER_ALPHABET[index])
    return "".join(reversed(chars)).rstrip("\0")


@dataclass(frozen=True, slots=True, order=True)
class TradeId:
    """Venue, trade date, instrument and the venue's identifier: what makes a trade this trade."""

    venue: str
    trade_date: date
    isin: str
    number: str

    def __str__(self) -> str:
        return f"{self.venue}.{self.trade_date.isoformat()}.{self.isin}.{self.number}"

    @staticmethod
    def parse(text: str) -> "TradeId":
        """The identity written by ``str``. Raises MalformedError."""
        expected = "a trade id such as B3.2026-07-14.ZZ0000PETR46.205660"
        parts = text.split(".")
        if len(parts) != 4 or not _VENUE.fullmatch(parts[0]):
            raise MalformedError(expected, text)
        if not _TRADE_NUMBER.fullmatch(parts[3]):
            raise MalformedError(expected, text)
        return TradeId(parts[0], parse_date(parts[1]), parse_isin(parts[2]), parts[3])


def parse_date(text: object) -> date:
    """An ISO 8601 calendar date. Raises MalformedError."""
    if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise MalformedError("a date such as 2026-07-14", text)


def _base36(number: int, length: int) -> str:
    chars = []
    for _ in range(length):
        number, index = divmod(number, 36)
        chars.append(_BASE36[index])
    return "".join(chars)
