"""A batch as JSON: a list of trades, or an object whose ``trades`` is that list."""

import re
from collections.abc import Sequence
from typing import Final, NoReturn

import msgspec
import numpy as np

from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.amounts import AMOUNT_MAX, PRICE_DECIMALS
from nodes.network import Network
from nodes.trade_batches.faults import FAULTS_MAX, Fault, FaultList, refuse_body
from nodes.trade_batches.terms import Terms
from nodes.trade_batches.texts import encode_trade_numbers, read_decimals

BATCH_TRADES_MAX: Final = 1_000_000
_QUANTITY_DIGITS: Final = 16
_PRICE_DIGITS: Final = 12
_OBJECT: Final = re.compile(rb"\s*\{")
_FIELD: Final = re.compile(r"`\$\.(\w+)|field `(\w+)`")


class _Trade(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A locked-in trade; the same form as ``POST /v1/trades`` takes."""

    number: str
    instrument: str
    quantity: str
    price: str
    seller: str
    buyer: str


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    trades: list[_Trade]


class _RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    trades: list[msgspec.Raw]


def read_json(body: bytes, network: Network) -> TradeColumns:
    """The trades of a body. Raises MalformedBatchError, with the first faults."""
    trades = _decode(body)
    if not 0 < len(trades) <= BATCH_TRADES_MAX:
        refuse_body(f"expected 1 to {BATCH_TRADES_MAX} trades, found {len(trades)}")
    faults = FaultList()
    terms = Terms(network, faults)
    number_texts = [trade.number for trade in trades]
    quantity_texts = [trade.quantity for trade in trades]
    price_texts = [trade.price for trade in trades]
    numbers, are_numbers = encode_trade_numbers(number_texts)
    quantities, are_quantities = read_decimals(quantity_texts, _QUANTITY_DIGITS, 0)
    prices, are_prices = read_decimals(price_texts, _PRICE_DIGITS, PRICE_DECIMALS)
    are_quantities &= (quantities > 0) & (quantities <= AMOUNT_MAX)
    are_prices &= (prices > 0) & (prices <= AMOUNT_MAX)
    for field, texts, valid, expected in (
        ("number", number_texts, are_numbers, "up to 11 capitals, digits or '-', or 15 digits"),
        ("quantity", quantity_texts, are_quantities, f"a whole number from 1 to {AMOUNT_MAX}"),
        ("price", price_texts, are_prices, "a decimal price above zero, at most six decimals"),
    ):
        faults.note(np.flatnonzero(~valid), field, expected, texts.__getitem__)
    instruments = terms.instruments(*_coded([trade.instrument for trade in trades]))
    sellers = terms.accounts("seller", *_coded([trade.seller for trade in trades]))
    buyers = terms.accounts("buyer", *_coded([trade.buyer for trade in trades]))
    return terms.columns(
        instruments=instruments,
        numbers=numbers,
        sellers=sellers,
        buyers=buyers,
        quantities=quantities,
        prices=prices,
    )


def _coded(texts: Sequence[str]) -> tuple[list[str], Column]:
    """The different texts, and for each row the place of its text."""
    code_by_text = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = map(code_by_text.__getitem__, texts)
    return list(code_by_text), np.fromiter(codes, dtype=np.int64, count=len(texts))


def _decode(body: bytes) -> list[_Trade]:
    is_object = _OBJECT.match(body) is not None
    try:
        if is_object:
            return msgspec.json.decode(body, type=_Batch).trades
        return msgspec.json.decode(body, type=list[_Trade])
    except msgspec.ValidationError as error:
        _refuse_rows(body, str(error), is_object=is_object)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        refuse_body(f"not JSON: {error}")
    except RecursionError:
        refuse_body("nested too deeply")


def _refuse_rows(body: bytes, first: str, *, is_object: bool) -> NoReturn:
    """Names the rows that are no trades, one by one. Raises MalformedBatchError."""
    try:
        if is_object:
            raws = msgspec.json.decode(body, type=_RawBatch).trades
        else:
            raws = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        refuse_body(first)
    faults = FaultList()
    decoder = msgspec.json.Decoder(_Trade)
    found = 0
    for row, raw in enumerate(raws):
        try:
            decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            named = _FIELD.search(str(error))
            field = (named[1] or named[2]) if named else "trade"
            faults.add(Fault(row, field, str(error).partition(" - at")[0]))
            found += 1
            if found == FAULTS_MAX:
                break
    faults.check()
    refuse_body(first)
