"""The register of participants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.abi import (
    Array,
    address_word,
    encode_call,
    number_of,
    split_words,
    text_of,
    text_word,
    uint,
)
from contracts.clients.contract import Contract

ADMISSIONS_PER_CALL_MAX: Final = 128
PARTICIPANTS_MAX: Final = 1_023
ROLES: Final = ("exchange", "broker", "bank", "clearing_house", "registrar", "regulator")
"""The contract's role flag: bit 0 is the first."""
_IS_SUSPENDED: Final = 4
"""The word of a participant's record that says so."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A participant to be admitted. ``settlement_bank`` is a number, 0 when there is none."""

    identifier: str
    signer: bytes
    role: str
    settlement_bank: int


class Participants(Contract):
    """Who takes part, in which role, under which key."""

    def admit_data(self, admissions: Sequence[Admission]) -> bytes:
        """Admits participants. Only the administrator."""
        items = [
            address_word(a.signer)
            + uint(1 << ROLES.index(a.role))
            + uint(a.settlement_bank)
            + text_word(a.identifier)
            for a in admissions
        ]
        return encode_call("admit((address,uint256,uint256,bytes32)[])", Array.of(items))

    def renounce_administration_data(self) -> bytes:
        """Gives the power to admit up. Only the administrator."""
        return encode_call("renounce_administration()")

    def suspend_data(self, participant: int) -> bytes:
        """Suspends a participant. Only the clearing house."""
        return encode_call("suspend(uint256)", uint(participant))

    def reinstate_data(self, participant: int) -> bytes:
        """Reinstates a participant. Only the clearing house."""
        return encode_call("reinstate(uint256)", uint(participant))

    def count(self) -> int:
        """How many participants were admitted."""
        return number_of(self._read("count()")[0])

    def administrator(self) -> bytes:
        """The address that may admit; all zero once the power was given up."""
        return self._read("administrator()")[0][12:]

    def signers_of(self, participants: Sequence[int]) -> list[bytes]:
        """The addresses that sign for participants. Raises ValueError on an unknown one."""
        words = self._read_each("signer_of(uint256)", [uint(number) for number in participants])
        return [word[12:] for word in words]

    def identifier_of(self, participant: int) -> str:
        """A participant's identifier; empty when there is none of this number."""
        return text_of(self._read("participant(uint256)", uint(participant))[3])

    def is_suspended(self, participant: int) -> bool:
        """Whether a participant is suspended."""
        return bool(self.suspended_among([participant]))

    def suspended_among(self, participants: Sequence[int]) -> set[int]:
        """Those of some participants that are suspended."""
        found = self._read_each("participant(uint256)", [uint(number) for number in participants])
        return {
            number
            for number, words in zip(participants, map(split_words, found), strict=True)
            if number_of(words[_IS_SUSPENDED])
        }
