"""Identifiers: one form each, matched whole."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import (
    TradeId,
    decode_trade_number,
    encode_trade_number,
    isin_of_symbol,
    owner_of,
    parse_account,
    parse_date,
    parse_isin,
    parse_participant,
)

NUMBERS = st.text("ABCXYZ0123456789-", min_size=1, max_size=11)


@pytest.mark.parametrize("isin", ["US0378331005", "DE000BAY0017", "AU0000XVGZA3", "CNE000001NN0"])
def test_real_isin_is_accepted(isin):
    assert parse_isin(isin) == isin


@pytest.mark.parametrize(
    "text", ["US0378331006", "us0378331005", "US037833100５", "US0378331005\n", "US037833100", ""]
)
def test_text_that_is_no_isin_is_refused(text):
    with pytest.raises(MalformedError):
        parse_isin(text)


@given(st.from_regex(r"[A-Z][A-Z0-9.-]{0,20}", fullmatch=True))
def test_symbol_gets_a_valid_test_isin(symbol):
    isin = parse_isin(isin_of_symbol(symbol))

    assert isin.startswith("ZZ") or isin == symbol


def test_different_symbols_get_different_isins():
    symbols = ["X", "0X", "00X", "x", "X.", "XX", "X-1", "ABCDEFGHIJ", "ABCDEFGHIJK"]

    assert len({isin_of_symbol(symbol) for symbol in symbols}) == len(symbols)


@given(NUMBERS)
def test_trade_number_survives_encoding(text):
    number = encode_trade_number(text)

    assert 0 <= number < 2**62
    assert decode_trade_number(number) == text


@given(NUMBERS, NUMBERS)
def test_different_trade_numbers_stay_different(left, right):
    assert (encode_trade_number(left) == encode_trade_number(right)) == (left == right)


@pytest.mark.parametrize("text", ["", "t1", "A B", "ABCDEFGHIJKL", "1" * 16, "T1\n", "Т1"])
def test_text_that_is_no_trade_number_is_refused(text):
    with pytest.raises(MalformedError):
        encode_trade_number(text)


def test_trade_id_survives_the_way_through_text():
    identity = TradeId("B3", date(2026, 7, 14), "ZZ0000PETR41", "205660")

    assert TradeId.parse(str(identity)) == identity


@pytest.mark.parametrize("text", ["", "B3", "B3.2026-07-14.ZZ0000PETR41", "B3.2026-7-14.X.1"])
def test_text_that_is_no_trade_id_is_refused(text):
    with pytest.raises(MalformedError):
        TradeId.parse(text)


def test_account_belongs_to_its_participant():
    assert owner_of(parse_account("BRK-A/client")) == "BRK-A"
    assert owner_of(parse_account("BRK-A")) == "BRK-A"


@pytest.mark.parametrize("text", ["", "/x", "A/", "A/b/c", "A B", "Ä", "A" * 25, "A\0", None, 3])
def test_text_that_is_no_account_is_refused(text):
    with pytest.raises(MalformedError):
        parse_account(text)
    with pytest.raises(MalformedError):
        parse_participant(text)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-2-3", "20260203", "", 20260203])
def test_text_that_is_no_date_is_refused(text):
    with pytest.raises(MalformedError):
        parse_date(text)
