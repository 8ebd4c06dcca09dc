"""What participants sign: the EIP-712 messages of the contracts, and their digests.

The digests are assembled by hand, ten times faster than by a general library; a test compares them
with eth-account's. Domain: name Novate, version 1, the chain id, the verifying contract.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from eth_hash.auto import keccak
from numpy.typing import NDArray

from contracts.abi import WORD_BYTES, Array, address_word, number_of, split_words, uint
from contracts.lines import Lines, parts_of
from contracts.moves import Moves

CYCLE_TYPE: Final = (
    "Cycle(bytes32 id,bytes32 root,uint256 count,bytes32 parties_hash,bytes32 lines_hash,"
    "uint256 rule_version,uint256 deadline)"
)
GROSS_CYCLE_TYPE: Final = f"Gross{CYCLE_TYPE}"
INSTRUCTION_TYPE: Final = (
    "Instruction(bytes32 id,uint256 deliverer,uint256 receiver,uint256 instrument,uint256 quantity,"
    "uint256 currency,uint256 amount,uint256 rule_version,uint256 deadline)"
)
SET_TYPE: Final = (
    "Set(bytes32 id,bytes32 instructions_hash,bytes32 parties_hash,uint256 rule_version,"
    "uint256 deadline)"
)
REDEMPTION_TYPE: Final = (
    "Redemption(bytes32 reference,uint256 asset,uint256 account,uint256 amount)"
)
TRADE_TYPE: Final = (
    "Trade(uint256 date,uint256 instrument,uint256 number,uint256 seller,uint256 buyer,"
    "uint256 quantity,uint256 price,uint256 currency,uint256 amount,bool cancels)"
)
"""A locked-in trade, in the numbers that the chain and the records of trades have. ``date`` is the
proleptic ordinal of the day, ``price`` in millionths; ``cancels`` says that it undoes the trade of
the same identity. The time of day is not agreed upon between brokers."""
TRADE_FIELDS: Final = 10
DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)

_CYCLE_TYPE_HASH: Final = keccak(CYCLE_TYPE.encode())
_GROSS_CYCLE_TYPE_HASH: Final = keccak(GROSS_CYCLE_TYPE.encode())
_INSTRUCTION_TYPE_HASH: Final = keccak(INSTRUCTION_TYPE.encode())
_SET_TYPE_HASH: Final = keccak(SET_TYPE.encode())
_TRADE_TYPE_HASH: Final = keccak(TRADE_TYPE.encode())
_REDEMPTION_TYPE_HASH: Final = keccak(REDEMPTION_TYPE.encode())
_DOMAIN_TYPE_HASH: Final = keccak(DOMAIN_TYPE.encode())


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature counts: one contract on one chain."""

    chain_id: int
    contract: bytes

    def separator(self) -> bytes:
        """What stands for this domain in every digest."""
        return keccak(
            _DOMAIN_TYPE_HASH
            + keccak(b"Novate")
            + keccak(b"1")
            + uint(self.chain_id)
            + address_word(self.contract)
        )

    def digest(self, struct_hash: bytes) -> bytes:
        """The 32 bytes to sign for a message with this struct hash."""
        return keccak(b"\x19\x01" + self.separator() + struct_hash)


@dataclass(frozen=True)
class CycleMessage:
    """The attestation of a netted cycle. ``deadline`` is in seconds of chain time.

    Under DvP model 2 ``is_gross``: the securities are booked trade by trade, ``securities_lines``
    has the move of each trade in their order, and the message is another type.
    """

    id: bytes
    root: bytes
    count: int
    parties: Array
    securities_lines: Array
    cash_lines: Array
    rule_version: int
    deadline: int
    is_gross: bool = False

    def securities(self) -> Lines:
        """The lines in the securities register; the net of the moves when they are gross."""
        return self._securities

    def moves(self) -> Moves:
        """What each trade delivers, when the securities are gross."""
        assert self.is_gross, "securities are net"
        return self._moves

    def cash(self) -> Lines:
        """The lines in the cash register."""
        return self._cash

    def party_numbers(self) -> tuple[int, ...]:
        """The participants with a trade in the cycle, ascending."""
        return tuple(number_of(word) for word in split_words(self.parties.words))

    def header_words(self) -> bytes:
        """The fields that the contract takes as its Cycle struct."""
        return (
            self.id + self.root + uint(self.count) + uint(self.rule_version) + uint(self.deadline)
        )

    def lines_hash(self) -> bytes:
        """What is signed of the lines; the same whether they settle in one call or in parts."""
        if self.is_gross:
            return keccak(keccak(self.securities_lines.encode()) + _chained(self.cash_lines))
        return keccak(_chained(self.securities_lines) + _chained(self.cash_lines))

    def struct_hash(self) -> bytes:
        """The EIP-712 hash of this message."""
        return self._struct_hash

    # The message never changes and may have megabytes of lines: they are read and hashed once.

    @cached_property
    def _moves(self) -> Moves:
        return Moves.unpack(self.securities_lines.words)

    @cached_property
    def _securities(self) -> Lines:
        if self.is_gross:
            return self._moves.net()
        return Lines.unpack(self.securities_lines.words)

    @cached_property
    def _cash(self) -> Lines:
        return Lines.unpack(self.cash_lines.words)

    @cached_property
    def _struct_hash(self) -> bytes:
        return keccak(
            (_GROSS_CYCLE_TYPE_HASH if self.is_gross else _CYCLE_TYPE_HASH)
            + self.id
            + self.root
            + uint(self.count)
            + keccak(self.parties.encode())
            + self.lines_hash()
            + uint(self.rule_version)
            + uint(self.deadline)
        )


@dataclass(frozen=True, slots=True)
class InstructionMessage:
    """A settlement instruction. Accounts and assets are numbers on the chain.

    The deliverer gives the quantity and gets the amount; either may be zero, not both. ``deadline``
    is in seconds of chain time.
    """

    id: bytes
    deliverer: int
    receiver: int
    instrument: int
    quantity: int
    currency: int
    amount: int
    rule_version: int
    deadline: int

    def terms_words(self) -> bytes:
        """Id and terms: what is agreed to, and can settle once, whatever rules and deadline."""
        terms = (
            self.deliverer,
            self.receiver,
            self.instrument,
            self.quantity,
            self.currency,
            self.amount,
        )
        return self.id + b"".join(uint(number) for number in terms)

    def terms_hash(self) -> bytes:
        """Under which the contract remembers that it has settled."""
        return keccak(self.terms_words())

    def words(self) -> bytes:
        """The fields that the contract takes as its Instruction struct."""
        return self.terms_words() + uint(self.rule_version) + uint(self.deadline)

    def packed_words(self) -> bytes:
        """Id and terms in two words, as a set has them.

        Raises OverflowError when a number is above its bits.
        """
        return (
            self.id
            + self.deliverer.to_bytes(4, "big")
            + self.receiver.to_bytes(4, "big")
            + self.instrument.to_bytes(4, "big")
            + self.currency.to_bytes(4, "big")
            + self.quantity.to_bytes(8, "big")
            + self.amount.to_bytes(8, "big")
        )

    def struct_hash(self) -> bytes:
        """The EIP-712 hash of this message."""
        return keccak(_INSTRUCTION_TYPE_HASH + self.words())


@dataclass(frozen=True)
class SetMessage:
    """Instructions that settle together or not at all. ``deadline`` is in seconds of chain time.

    Rule version and deadline are the set's; those of its instructions are not read. ``parties`` are
    the participants that owe something in it, ascending: each signs. ``receivers``, ascending, only
    receive and sign nothing.
    """

    id: bytes
    instructions: tuple[InstructionMessage, ...]
    parties: tuple[int, ...]
    receivers: tuple[int, ...]
    rule_version: int
    deadline: int

    def header_words(self) -> bytes:
        """The fields that the contract takes as its Set struct."""
        return self.id + uint(self.rule_version) + uint(self.deadline)

    def packed_words(self) -> Array:
        """The instructions as the contract takes them, two words each.

        Raises OverflowError when a number is above its bits.
        """
        return self._packed

    def struct_hash(self) -> bytes:
        """The EIP-712 hash of this message."""
        return self._struct_hash

    # It may have ten thousand instructions: they are packed and hashed once.

    @cached_property
    def _packed(self) -> Array:
        return Array.of([each.packed_words() for each in self.instructions])

    @cached_property
    def _struct_hash(self) -> bytes:
        return keccak(
            _SET_TYPE_HASH
            + self.id
            + keccak(self._packed.encode())
            + keccak(Array.of_numbers(self.parties).encode())
            + uint(self.rule_version)
            + uint(self.deadline)
        )


@dataclass(frozen=True, slots=True)
class RedemptionMessage:
    """An owner's consent that an amount of its account is destroyed."""

    reference: bytes
    asset: int
    account: int
    amount: int

    def words(self) -> bytes:
        """The fields, in order."""
        return self.reference + uint(self.asset) + uint(self.account) + uint(self.amount)

    def struct_hash(self) -> bytes:
        """The EIP-712 hash of this message."""
        return keccak(_REDEMPTION_TYPE_HASH + self.words())


def _chained(lines: Array) -> bytes:
    """The chained hash of lines, over the parts in which the contract takes them."""
    chain = bytes(32)
    for part in parts_of(lines):
        chain = keccak(chain + keccak(part.encode()))
    return chain


def trade_digests(domain: Domain, trades: NDArray[np.int64]) -> Iterator[bytes]:
    """The digests of trades, a row of the fields of TRADE_TYPE each; none is below zero.

    Many at once: there is no object for each trade.
    """
    # A word is four numbers of eight bytes; these fields have 63 bits, so the upper three are zero.
    words = np.zeros((len(trades), 1 + TRADE_FIELDS, 4), dtype=">u8")
    words[:, 0] = np.frombuffer(_TRADE_TYPE_HASH, dtype=">u8")
    words[:, 1:, 3] = trades
    encoded, size = words.tobytes(), (1 + TRADE_FIELDS) * WORD_BYTES
    prefix = b"\x19\x01" + domain.separator()
    for start in range(0, len(encoded), size):
        yield keccak(prefix + keccak(encoded[start : start + size]))
