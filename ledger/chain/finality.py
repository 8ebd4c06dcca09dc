"""Finality: a block is final once a quorum of validators has signed it.

A validator signs at most one block of each height, and only a block that it has executed itself.
With n validators, of which f = (n - 1) // 3 may be faulty, a quorum has ceil((n + f + 1) / 2)
members: any two quorums share a validator that is not faulty, so no two blocks of one height can
both become final.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from eth_hash.auto import keccak

from ledger.chain.genesis import ChainConfig
from ledger.chain.signatures import signer_of

_VOTE_TAG: Final = b"Novate block vote, version 1"


class CertificateError(ValueError):
    """A certificate that does not make its block final."""


class Vote(msgspec.Struct, frozen=True, array_like=True):
    """A validator's compact signature of a block."""

    validator: str
    signature: bytes


class Certificate(msgspec.Struct, frozen=True, array_like=True):
    """The proof that a block is final: a quorum of votes, in the order of the validators."""

    number: int
    block_hash: bytes
    votes: tuple[Vote, ...]

    def encode(self) -> bytes:
        """The certificate as it is stored: MessagePack, its fields in order."""
        return msgspec.msgpack.encode(self)


def decode_certificate(encoded: bytes) -> Certificate:
    """The certificate that was stored."""
    return msgspec.msgpack.decode(encoded, type=Certificate)


def quorum_of(validators: int) -> int:
    """How many votes make a block final: ceil((n + f + 1) / 2), f = (n - 1) // 3."""
    faulty = (validators - 1) // 3
    return (validators + faulty + 2) // 2


def vote_digest(chain_id: int, number: int, block_hash: bytes) -> bytes:
    """What validators sign, and the proposer of a block too."""
    numbers = chain_id.to_bytes(32, "big") + number.to_bytes(32, "big")
    return keccak(keccak(_VOTE_TAG) + numbers + block_hash)


def certify(
    config: ChainConfig, number: int, block_hash: bytes, signature_by_validator: Mapping[str, bytes]
) -> Certificate | None:
    """The certificate of a block, or None while the votes are fewer than a quorum."""
    votes = [
        Vote(validator.name, signature_by_validator[validator.name])
        for validator in config.validators
        if validator.name in signature_by_validator
    ]
    if len(votes) < quorum_of(len(config.validators)):
        return None
    return Certificate(number, block_hash, tuple(votes))


def check_certificate(config: ChainConfig, certificate: Certificate) -> None:
    """Raises CertificateError unless a quorum of this chain's validators signed the block."""
    needed = quorum_of(len(config.validators))
    address_by_name = {validator.name: validator.address for validator in config.validators}
    digest = vote_digest(config.chain_id, certificate.number, certificate.block_hash)
    signed = {vote.validator for vote in certificate.votes if _is_by(vote, address_by_name, digest)}
    if len(signed) < needed:
        raise CertificateError(
            f"block {certificate.number} has {len(signed)} valid votes of the {needed} it needs"
        )


def is_vote(config: ChainConfig, vote: Vote, number: int, block_hash: bytes) -> bool:
    """Whether a vote is this validator's, for this block."""
    address_by_name = {validator.name: validator.address for validator in config.validators}
    return _is_by(vote, address_by_name, vote_digest(config.chain_id, number, block_hash))


def voters(certificate: Certificate) -> Sequence[str]:
    """The names of those who signed."""
    return [vote.validator for vote in certificate.votes]


def _is_by(vote: Vote, address_by_name: Mapping[str, bytes], digest: bytes) -> bool:
    try:
        return address_by_name.get(vote.validator) == signer_of(digest, vote.signature)
    except ValueError:
        return False
