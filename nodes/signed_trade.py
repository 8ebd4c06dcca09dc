"""One trade with the signatures of its brokers, as anybody can check them.

The typed data is in the form that wallets and libraries take (EIP-712), a signature in the 65 bytes
that they recover the signer from. The signers' addresses are those that the chain has for them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from contracts.typed_data import TRADE_TYPE, Domain
from ledger.chain.signatures import recover
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import participant_of
from nodes.clearing_house import ClearingHouse
from nodes.trade_signatures import digests_of, words_of


@dataclass(frozen=True, slots=True)
class SideSignature:
    """What one broker signed; r, s and v, 65 bytes."""

    participant: str
    address: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedTrade:
    """A trade that both its brokers have signed; ``typed_data`` as JSON has it."""

    typed_data: dict[str, Any]
    seller: SideSignature
    buyer: SideSignature


def signed_trade_of(house: ClearingHouse, position: int) -> SignedTrade | None:
    """The signatures of a trade; None when it does not have both."""
    pair = house.signed_trades.of(position)
    if pair is None:
        return None
    trade, domain = house.intake.stream.trades_at(np.array([position])), house.settlement_domain()
    digest = digests_of(domain, trade)[0]
    sides = (
        _side(house, int(trade.sellers[0]), digest, pair.seller),
        _side(house, int(trade.buyers[0]), digest, pair.buyer),
    )
    seller, buyer = sides
    if seller is None or buyer is None:
        return None
    return SignedTrade(_typed_data(domain, trade), seller, buyer)


def _side(house: ClearingHouse, account: int, digest: bytes, plain: bytes) -> SideSignature | None:
    """One side, its signature with the parity that leads to its broker; None without one."""
    participant = participant_of(account)
    address, half = house.signer(participant), len(plain) // 2
    r, s = int.from_bytes(plain[:half], "big"), int.from_bytes(plain[half:], "big")
    for parity in range(2):
        try:
            if recover(digest, parity, r, s) == address:
                name, v = house.network.participant_id(participant), bytes([27 + parity])
                return SideSignature(name, address, plain + v)
        except ValueError:
            continue
    return None


def _typed_data(domain: Domain, trade: TradeColumns) -> dict[str, Any]:
    text = TRADE_TYPE.removeprefix("Trade(").removesuffix(")")
    fields = [tuple(field.split()) for field in text.split(",")]
    values = words_of(trade)[0].tolist()
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Trade": [{"name": name, "type": kind} for kind, name in fields],
        },
        "primaryType": "Trade",
        "domain": {
            "name": "Novate",
            "version": "1",
            "chainId": domain.chain_id,
            "verifyingContract": "0x" + domain.contract.hex(),
        },
        # Numbers as texts: they need 63 bits, which JSON does not promise.
        "message": {
            name: bool(value) if kind == "bool" else str(value)
            for (kind, name), value in zip(fields, values, strict=True)
        },
    }
