"""The securities register and the cash register."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from contracts.abi import Array, address_word, encode_call, number_of, text_word, uint
from contracts.clients.contract import Contract
from contracts.lines import Column, Lines
from contracts.typed_data import RedemptionMessage

ASSETS_PER_CALL_MAX: Final = 512


class Register(Contract):
    """Holdings of one kind of asset, by number of asset and account."""

    def bind_settlement_data(self, settlement: bytes) -> bytes:
        """Names the settlement contract. Only the deployer, once."""
        return encode_call("bind_settlement(address)", address_word(settlement))

    def issue_data(self, reference: bytes, lines: Lines) -> bytes:
        """Issues what the lines credit. Only the issuer (registrar or settlement bank)."""
        return encode_call("issue(bytes32,uint256[])", reference, lines.pack())

    def redeem_data(self, redemption: RedemptionMessage, consent: bytes) -> bytes:
        """Redeems an amount whose owner signed for it. Only the issuer."""
        return encode_call(
            "redeem(bytes32,uint256,uint256,uint256,(bytes32,bytes32))", redemption.words(), consent
        )

    def hold_data(self, asset: int, account: int, amount: int) -> bytes:
        """Sets an amount aside. Only the owner."""
        return encode_call(
            "hold(uint256,uint256,uint256)", uint(asset), uint(account), uint(amount)
        )

    def release_data(self, asset: int, account: int, amount: int) -> bytes:
        """Makes a held amount available again. Only the owner."""
        return encode_call(
            "release(uint256,uint256,uint256)", uint(asset), uint(account), uint(amount)
        )

    def holding(self, asset: int, account: int) -> tuple[int, int]:
        """Available and held."""
        available, held = self._read("holding(uint256,uint256)", uint(asset), uint(account))
        return number_of(available), number_of(held)

    def holdings_of(self, keys: Column) -> tuple[Column, Column]:
        """Available and held of many holdings (at most LINES_PER_CALL_MAX keys)."""
        packed = np.zeros((len(keys), 4), dtype=">u8")
        packed[:, 3] = keys
        words = self._read("holdings_of(uint256[])", Array(packed.tobytes(), len(keys)))
        answer = np.frombuffer(b"".join(words[2:]), dtype=">u8").reshape(-1, 4).astype(np.int64)
        return answer[:, 3], answer[:, 2]

    def issued_of(self, asset: int) -> int:
        """How much of an asset exists."""
        return number_of(self._read("issued_of(uint256)", uint(asset))[0])

    def asset_of(self, code: str) -> int:
        """The number of an asset; 0 when it is not registered."""
        return number_of(self._read("asset_of(bytes32)", text_word(code))[0])


class Securities(Register):
    """Who holds how many units of which instrument."""

    def register_instruments_data(self, isins: Sequence[str]) -> bytes:
        """Numbers new instruments, in order. Only the registrar."""
        return encode_call(
            "register_instruments(bytes32[])", Array.of([text_word(isin) for isin in isins])
        )


class Cash(Register):
    """Who holds how many minor units of which currency."""
