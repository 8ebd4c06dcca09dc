"""A validator: a replica that votes for what it has executed itself, and for nothing else."""

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Final, Protocol

from ledger.chain.admission import check_admissible, fits_a_block
from ledger.chain.blocks import Header
from ledger.chain.executor import BLOCK_GAS_LIMIT
from ledger.chain.finality import (
    Certificate,
    CertificateError,
    Vote,
    check_certificate,
    vote_digest,
)
from ledger.chain.replica import Replica
from ledger.chain.sealed import Proposal, SealedBlock
from ledger.chain.signatures import signer_of
from ledger.chain.transactions import InvalidTransactionError, Transaction, decode_transaction

CLOCK_DRIFT_SECONDS: Final = 15

Sign = Callable[[bytes], bytes]
"""Makes a compact signature of a digest."""


class RefusedError(Exception):
    """A validator does not vote for a block; the text says why."""


class BlockSource(Protocol):
    """Where a validator that missed blocks gets them."""

    def final_block(self, number: int) -> tuple[Proposal, Certificate] | None:
        """A final block and its proof; None while there is none of this height."""


class Validator:
    """Re-executes every proposed block in its own replica and signs it if all is the same.

    It persists its one vote a height before it gives it, so that a crash cannot make it vote twice.
    """

    def __init__(
        self, name: str, replica: Replica, sign: Sign, now: Callable[[], int], source: BlockSource
    ) -> None:
        self.name = name
        self.replica = replica
        self._sign = sign
        self._now = now
        self._source = source
        self._candidate: SealedBlock | None = None
        self._lock = RLock()

    def consider(self, proposal: Proposal) -> Vote:
        """Votes for a block, or raises RefusedError with the reason."""
        with self._lock:
            header, block_hash = _header_of(proposal), proposal.hash
            if header.number > self.replica.head.number + 1:
                self.catch_up()
            if header.number <= self.replica.head.number:
                return self._vote_again(header, block_hash)
            voted = self.replica.store.vote(header.number)
            if voted not in (None, block_hash):
                raise RefusedError(f"block {header.number}: this height has its vote already")
            if self._candidate is None or self._candidate.hash != block_hash:
                self._candidate = self._executed(header, proposal, is_new=True)
            if voted is None:
                self.replica.store.add_vote(header.number, block_hash)
            return self._vote(header.number, block_hash)

    def confirm(self, certificate: Certificate) -> None:
        """Takes a final block in. Raises RefusedError when it is not the one executed here."""
        with self._lock:
            if certificate.number <= self.replica.head.number:
                return
            self._check(certificate)
            candidate = self._candidate
            if candidate and candidate.hash == certificate.block_hash:
                self.replica.append(candidate, certificate)
                self._candidate = None
            else:
                self.catch_up()

    def catch_up(self) -> None:
        """Executes every final block that this replica has missed."""
        while self.catch_up_one():
            pass

    def catch_up_one(self) -> bool:
        """Executes the next final block; False when there is none. Raises RefusedError."""
        with self._lock:
            final = self._source.final_block(self.replica.head.number + 1)
            if final is None:
                return False
            proposal, certificate = final
            header = _header_of(proposal)
            self._check(certificate)
            if certificate.block_hash != proposal.hash:
                raise RefusedError(f"block {header.number}: the certificate is of another block")
            self.replica.append(self._executed(header, proposal, is_new=False), certificate)
            self._candidate = None
            return True

    def _check(self, certificate: Certificate) -> None:
        try:
            check_certificate(self.replica.config, certificate)
        except CertificateError as error:
            raise RefusedError(str(error)) from error

    def _vote_again(self, header: Header, block_hash: bytes) -> Vote:
        own = self.replica.store.header_by_number(header.number)
        if own is None or own.hash() != block_hash:
            raise RefusedError(f"block {header.number}: another block of this height is final")
        return self._vote(header.number, block_hash)

    def _vote(self, number: int, block_hash: bytes) -> Vote:
        digest = vote_digest(self.replica.config.chain_id, number, block_hash)
        return Vote(self.name, self._sign(digest))

    def _executed(self, header: Header, proposal: Proposal, *, is_new: bool) -> SealedBlock:
        """The block as this replica executes it. Raises RefusedError where it differs."""
        self._check_header(header, proposal.signature, is_new=is_new)
        transactions = self._decoded(header.number, proposal.transactions)
        block = self.replica.execute(header.timestamp, transactions)
        if block.header != header:
            raise RefusedError(f"block {header.number}: {_difference(header, proposal, block)}")
        return block.signed(proposal.signature)

    def _check_header(self, header: Header, signature: bytes, *, is_new: bool) -> None:
        head, config = self.replica.head, self.replica.config
        if header.number != head.number + 1 or header.parent_hash != self.replica.head_hash:
            raise RefusedError(
                f"block {header.number} does not follow block {head.number}, the last one here"
            )
        digest = vote_digest(config.chain_id, header.number, header.hash())
        try:
            signer = signer_of(digest, signature)
        except ValueError as error:
            raise RefusedError(f"block {header.number}: {error}") from error
        if signer != config.proposer:
            raise RefusedError(f"block {header.number} is not signed by the proposer")
        if header.timestamp < head.timestamp:
            raise RefusedError(f"block {header.number} is stamped before its parent")
        if is_new and header.timestamp > self._now() + CLOCK_DRIFT_SECONDS:
            raise RefusedError(
                f"block {header.number} is stamped {header.timestamp - self._now()} s ahead of time"
            )

    def _decoded(self, number: int, raws: Sequence[bytes]) -> list[Transaction]:
        """The transactions of a block, each of which a block may carry at its place."""
        if not fits_a_block(len(raws), sum(map(len, raws))):
            raise RefusedError(f"block {number} has more transactions than a block may have")
        transactions: list[Transaction] = []
        nonces: dict[bytes, int] = {}
        for position, raw in enumerate(raws):
            try:
                transaction = decode_transaction(raw)
                check_admissible(self.replica.config, transaction)
            except InvalidTransactionError as error:
                raise RefusedError(f"block {number}, transaction {position}: {error}") from error
            sender = transaction.sender
            expected = nonces.get(sender, self.replica.nonce_of(sender))
            if transaction.nonce != expected:
                raise RefusedError(
                    f"block {number}, transaction {position}: nonce {transaction.nonce}"
                    f" where {expected} is next"
                )
            nonces[sender] = expected + 1
            transactions.append(transaction)
        gas = sum(transaction.gas for transaction in transactions)
        if len(transactions) > 1 and gas > BLOCK_GAS_LIMIT:
            raise RefusedError(f"block {number}: its transactions may use {gas} gas together")
        return transactions


def _header_of(proposal: Proposal) -> Header:
    """The header of a proposal. Raises RefusedError unless it is encoded in the one right way."""
    try:
        header = Header.decode(proposal.header)
        encoded = header.encode()
    except Exception as error:  # whatever RLP makes of a stranger's bytes
        raise RefusedError(f"the header cannot be decoded: {error}") from error
    if encoded != proposal.header:
        raise RefusedError("the header is not encoded as headers of this chain are")
    return header


def _difference(header: Header, proposal: Proposal, block: SealedBlock) -> str:
    """Where a proposed block and its execution here part."""
    own = block.header
    if own.transactions_root != header.transactions_root:
        return "the transactions are not those of the header"
    pairs = zip(proposal.receipt_digests, block.receipt_digests, strict=False)
    for position, (theirs, ours) in enumerate(pairs):
        if theirs != ours:
            transaction = block.transactions[position]
            receipt = block.receipts[position].receipt
            outcome = "succeeds" if receipt.succeeded else "fails"
            return (
                f"transaction {position} (0x{transaction.hash.hex()}) {outcome} here with"
                f" {receipt.gas_used} gas and {len(receipt.logs)} logs; the proposer has another"
                " receipt"
            )
    if own.receipts_root != header.receipts_root:
        return "the receipts are not those of the header"
    if own.state_root != header.state_root:
        return "the state after it is another one here"
    return "its header is another one here"
