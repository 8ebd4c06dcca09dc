"""Whether the trades of a day were signed, by another way than the product took.

What is kept of a sample is checked again with eth-account, which hashes the typed data by itself
and recovers the signers: they have to be the brokers' addresses on the chain.
"""

from collections.abc import Iterator
from typing import Final

from eth_account import Account
from eth_account.messages import encode_typed_data

from ledger.clearing.columns import COLUMN_NAMES
from ledger.domain.accounts import participant_of
from loadtests.benchmarks.day_market import Market
from loadtests.benchmarks.day_recount import sample
from nodes.consortium import Consortium
from nodes.signed_trade import signed_trade_of

FAULTS_MAX: Final = 10
_COLUMN_BY_FIELD: Final = {
    "date": "dates",
    "instrument": "instruments",
    "number": "numbers",
    "seller": "sellers",
    "buyer": "buyers",
    "quantity": "quantities",
    "price": "prices",
    "currency": "currencies",
    "amount": "amounts",
}


def signature_faults(market: Market, consortium: Consortium, *, timed: bool) -> list[str]:
    """Of a sample of trades, those without two signatures of their brokers."""
    return list(_faults(market, consortium, timed=timed))[:FAULTS_MAX]


def _faults(market: Market, consortium: Consortium, *, timed: bool) -> Iterator[str]:
    house = consortium.clearing_house
    for position, record in sample(market, consortium, timed=timed):
        made = dict(zip(COLUMN_NAMES, record, strict=True))
        signed = signed_trade_of(house, position)
        if signed is None:
            yield f"of the trade at {position} two signatures are not kept"
            continue
        terms = {field: str(made[column]) for field, column in _COLUMN_BY_FIELD.items()}
        if signed.typed_data["message"] != terms | {"cancels": False}:
            yield f"at {position} other terms are signed than were made"
        signable = encode_typed_data(full_message=signed.typed_data)
        for column, side in (("sellers", signed.seller), ("buyers", signed.buyer)):
            signer = Account.recover_message(signable, signature=side.signature)
            if bytes.fromhex(signer[2:]) != house.signer(participant_of(made[column])):
                yield f"the trade at {position} is not signed by one of its {column}"
