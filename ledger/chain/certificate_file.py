"""A certificate to take away: everything needed to check off line that a block is final.

Whoever checks it must know the validators from elsewhere; the file names them so that they can be
compared. Nothing of a chain is needed: the header hashes to the block hash, and each vote's signer
is recovered.
"""

import msgspec
from eth_hash.auto import keccak

from ledger.chain.blocks import Header
from ledger.chain.finality import Certificate, CertificateError, quorum_of, vote_digest
from ledger.chain.genesis import ChainConfig
from ledger.chain.signatures import signer_of
from ledger.chain.store import BlockStore


class FiledVote(msgspec.Struct, frozen=True):
    """A validator's address and its compact signature (ERC-2098) of the block's vote digest."""

    validator: str
    address: str
    signature: str


class CertificateFile(msgspec.Struct, frozen=True):
    """A certificate in hex, with the header that it is about.

    Attributes:
        validators: address of every validator by name, in the order of their votes.
        header: the encoded header; its Keccak is the block hash.
    """

    chain_id: int
    number: int
    block_hash: str
    header: str
    quorum: int
    validators: dict[str, str]
    votes: tuple[FiledVote, ...]


def certificate_file(store: BlockStore, config: ChainConfig, number: int) -> CertificateFile | None:
    """The certificate of a block of this chain; None while it has none."""
    certificate, header = store.certificate(number), store.header_by_number(number)
    if certificate is None or header is None:
        return None
    addresses = {each.name: _hex(each.address) for each in config.validators}
    return CertificateFile(
        chain_id=config.chain_id,
        number=number,
        block_hash=_hex(certificate.block_hash),
        header=_hex(header.encode()),
        quorum=quorum_of(len(config.validators)),
        validators=addresses,
        votes=_filed(certificate, addresses),
    )


def check_certificate_file(file: CertificateFile) -> list[str]:
    """The names of those who signed. Raises CertificateError unless they make the block final."""
    header = _bytes(file.header, "header")
    if keccak(header) != _bytes(file.block_hash, "block_hash"):
        raise CertificateError("the header does not hash to the block hash")
    if _number_of(header) != file.number:
        raise CertificateError(f"the header is not that of block {file.number}")
    if not file.validators or len(set(file.validators.values())) != len(file.validators):
        raise CertificateError("no validators are named, or two of one address")
    digest = vote_digest(file.chain_id, file.number, keccak(header))
    signed = [vote.validator for vote in file.votes if _is_valid(file, vote, digest)]
    needed = quorum_of(len(file.validators))
    if len(set(signed)) < needed:
        raise CertificateError(f"{len(set(signed))} valid votes of the {needed} that are needed")
    return signed


def _filed(certificate: Certificate, addresses: dict[str, str]) -> tuple[FiledVote, ...]:
    return tuple(
        FiledVote(vote.validator, addresses[vote.validator], _hex(vote.signature))
        for vote in certificate.votes
    )


def _is_valid(file: CertificateFile, vote: FiledVote, digest: bytes) -> bool:
    expected = file.validators.get(vote.validator)
    try:
        return expected == _hex(signer_of(digest, _bytes(vote.signature, "signature")))
    except ValueError:
        return False


def _number_of(header: bytes) -> int:
    try:
        return Header.decode(header).number
    except Exception as error:  # whatever RLP makes of a stranger's bytes
        raise CertificateError(f"the header cannot be decoded: {error}") from error


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _bytes(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise CertificateError(f"{what}: expected 0x and hex digits") from error
