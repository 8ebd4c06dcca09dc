"""Money and quantities: whole numbers of minor units (cash) or units (securities), never floats.

Decimal text enters through ``parse_*`` and leaves through ``format_*``; between them everything
is an ``int``. Prices carry six decimals. Division names its rounding.
"""

import re
from typing import Final

from ledger.domain.errors import MalformedError

AMOUNT_MAX: Final = 10**15
"""Most minor units, or units, of one trade, instruction or issue."""

SUPPLY_MAX: Final = 2**63 - 1
"""Most that may ever exist of one asset; the contracts enforce the same cap."""

PRICE_DECIMALS: Final = 6
PRICE_SCALE: Final = 10**PRICE_DECIMALS

MINOR_DIGITS_BY_CURRENCY: Final = {
    "BRL": 2,
    "CNY": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "JPY": 0,
    "KWD": 3,
    "SGD": 2,
    "USD": 2,
}
"""Digits after the point, by ISO 4217 code."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,9}))?", re.ASCII)


def minor_digits(currency: str) -> int:
    """Digits after the point of a currency. Raises MalformedError for an unknown one."""
    try:
        return MINOR_DIGITS_BY_CURRENCY[currency]
    except KeyError:
        known = ", ".join(MINOR_DIGITS_BY_CURRENCY)
        raise MalformedError(f"a currency among {known}", currency) from None


def half_up(numerator: int, denominator: int) -> int:
    """Quotient of a non-negative by a positive number, rounded to the nearest, halves up."""
    assert numerator >= 0
    assert denominator > 0
    return (2 * numerator + denominator) // (2 * denominator)


def parse_amount(text: str | int, currency: str) -> int:
    """Minor units of a decimal text such as ``"1234.50"`` (an int means whole currency units).

    Raises MalformedError for anything else: signs, exponents, separators, too many digits, too
    much.
    """
    return _parse_scaled(text, minor_digits(currency), f"a decimal amount of {currency}")


def format_amount(minor: int, currency: str) -> str:
    """The decimal text of an amount in minor units, with all digits of the currency."""
    return _format_scaled(minor, minor_digits(currency))


def grouped(amount: str) -> str:
    """A decimal text with its thousands grouped, for people."""
    sign = "-" if amount.startswith("-") else ""
    whole, point, fraction = amount.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"


def parse_price(text: str | int) -> int:
    """A price in millionths of the currency unit, from decimal text. Raises MalformedError."""
    price = _parse_scaled(text, PRICE_DECIMALS, "a decimal price")
    if price == 0:
        raise MalformedError("a price above zero", text)
    return price


def format_price(price_e6: int) -> str:
    """The decimal text of a price, without trailing zeros beyond two decimals."""
    whole, fraction = _format_scaled(price_e6, PRICE_DECIMALS).split(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def parse_quantity(value: object) -> int:
    """Units, from 1 to AMOUNT_MAX, from an int or plain digits. Raises MalformedError."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,15}", value, re.ASCII):
        value = int(value)
    if type(value) is not int or not 0 < value <= AMOUNT_MAX:
        raise MalformedError(f"a whole number from 1 to {AMOUNT_MAX}", value)
    return value


def trade_amount(quantity: int, price_e6: int, currency: str) -> int:
    """Minor units that a quantity costs at a price; the odd half minor unit goes to the seller."""
    return half_up(quantity * price_e6 * 10 ** minor_digits(currency), PRICE_SCALE)


def _parse_scaled(value: str | int, digits: int, expected: str) -> int:
    if type(value) is int and value >= 0:
        value = str(value)
    matched = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if matched is None or len(matched[2] or "") > digits:
        raise MalformedError(f"{expected} with at most {digits} decimals", value)
    scaled: int = int(matched[1]) * 10**digits + int((matched[2] or "").ljust(digits, "0") or "0")
    if scaled > AMOUNT_MAX:
        raise MalformedError(f"{expected} of at most {_format_scaled(AMOUNT_MAX, digits)}", value)
    return scaled


def _format_scaled(scaled: int, digits: int) -> str:
    sign, magnitude = ("-" if scaled < 0 else ""), abs(scaled)
    if digits == 0:
        return f"{sign}{magnitude}"
    whole, fraction = divmod(magnitude, 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}"


def netting_efficiency_bp(gross: int, net: int) -> int:
    """One minus net over gross, in basis points, rounded half up; 0 where nothing was traded."""
    return (20_000 * (gross - net) + gross) // (2 * gross) if gross else 0


def format_basis_points(points: int) -> str:
    """Basis points as a percentage: 9333 is ``93.33 %``."""
    return f"{points // 100}.{points % 100:02d} %"
