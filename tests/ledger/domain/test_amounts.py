"""Money and quantities: text in, text out, whole numbers between."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.amounts import (
    AMOUNT_MAX,
    MINOR_DIGITS_BY_CURRENCY,
    PRICE_SCALE,
    format_amount,
    format_price,
    grouped,
    half_up,
    parse_amount,
    parse_price,
    parse_quantity,
    trade_amount,
)
from ledger.domain.errors import MalformedError

CURRENCIES = st.sampled_from(sorted(MINOR_DIGITS_BY_CURRENCY))
HOSTILE = [
    "",
    " 1",
    "1 ",
    "1\n",
    "+1",
    "-1",
    "1e3",
    "1_000",
    "1,000",
    "0x10",
    "01",
    ".5",
    "5.",
    "NaN",
    "inf",
    "５",
    "1.001",
    "9" * 19,
    True,
    5.0,
    None,
]


@given(st.integers(0, AMOUNT_MAX), CURRENCIES)
def test_amount_survives_the_way_through_text(minor, currency):
    assert parse_amount(format_amount(minor, currency), currency) == minor


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_is_no_amount_is_refused(text):
    with pytest.raises(MalformedError):
        parse_amount(text, "CNY")


def test_whole_number_means_whole_units_of_the_currency():
    assert parse_amount(12, "CNY") == 1_200
    assert parse_amount(12, "JPY") == 12


def test_amount_stops_at_its_bound():
    assert parse_amount("10000000000000.00", "CNY") == AMOUNT_MAX
    with pytest.raises(MalformedError):
        parse_amount("10000000000000.01", "CNY")


def test_negative_amounts_are_written_with_a_sign():
    assert format_amount(-5, "CNY") == "-0.05"


@given(st.integers(0, 10**30), st.integers(1, 10**12))
def test_half_up_is_the_nearest_whole_number_halves_up(numerator, denominator):
    exact = Fraction(numerator, denominator)

    assert -Fraction(1, 2) < half_up(numerator, denominator) - exact <= Fraction(1, 2)


@given(st.integers(1, PRICE_SCALE * 10**5))
def test_price_survives_the_way_through_text(price):
    assert parse_price(format_price(price)) == price


@pytest.mark.parametrize("text", [*HOSTILE[:-4], "0", "0.0000001"])
def test_text_that_is_no_price_is_refused(text):
    if text == "1.001":
        return
    with pytest.raises(MalformedError):
        parse_price(text)


@pytest.mark.parametrize("value", [0, -1, "0", "01", "1.0", 1.0, True, AMOUNT_MAX + 1, "５"])
def test_value_that_is_no_quantity_is_refused(value):
    with pytest.raises(MalformedError):
        parse_quantity(value)


def test_trade_amount_rounds_the_half_minor_unit_up():
    assert trade_amount(1, parse_price("0.004999"), "CNY") == 0
    assert trade_amount(1, parse_price("0.005"), "CNY") == 1
    assert trade_amount(3, parse_price("10.125"), "CNY") == 3_038


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("-0.50", "-0.50"), ("-1234.50", "-1,234.50"), ("1234567", "1,234,567"), ("0.05", "0.05")],
)
def test_grouping_changes_nothing_but_the_commas(amount, shown):
    assert grouped(amount) == shown
