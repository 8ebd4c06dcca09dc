"""Whether the trades of a day were signed, by another way than the product took.

What is kept of a sample is checked again with eth-account, which hashes the typed data by itself
and recovers the signers: they have to be the brokers' addresses on the chain.
"""

from collections.abc import Iterator
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_typed_data

from contracts.typed_data import TRADE_TYPE
from ledger.clearing.columns import COLUMN_NAMES
from ledger.domain.accounts import participant_of
from loadtests.benchmarks.day_market import Market
from loadtests.benchmarks.day_recount import sample
from nodes.consortium import Consortium

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
        pair = house.signed_trades.of(position)
        if pair is None:
            yield f"of the trade at {position} no signature is kept"
            continue
        row = dict(zip(COLUMN_NAMES, record, strict=True))
        signable = encode_typed_data(full_message=_typed_data(consortium, row))
        for side, signature in (("sellers", pair.seller), ("buyers", pair.buyer)):
            broker = house.signer(participant_of(row[side]))
            # A signature without its parity has two candidates.
            signers = [
                Account.recover_message(signable, signature=signature + bytes([parity]))
                for parity in (27, 28)
            ]
            if broker not in [bytes.fromhex(signer[2:]) for signer in signers]:
                yield f"the trade at {position} is not signed by one of its {side}"


def _typed_data(consortium: Consortium, row: dict[str, int]) -> dict[str, Any]:
    """A trade as any library for typed data takes it."""
    fields = [field.split() for field in TRADE_TYPE.removeprefix("Trade(")[:-1].split(",")]
    kinds = {"name": "string", "version": "string", "chainId": "uint256"}
    kinds |= {"verifyingContract": "address"}
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in kinds.items()],
            "Trade": [{"name": name, "type": kind} for kind, name in fields],
        },
        "primaryType": "Trade",
        "domain": {
            "name": "Novate",
            "version": "1",
            "chainId": consortium.network.chain_id,
            "verifyingContract": "0x" + consortium.contracts.addresses.settlement.hex(),
        },
        "message": {name: row[column] for name, column in _COLUMN_BY_FIELD.items()}
        | {"cancels": row["cancels"] > 0},
    }
