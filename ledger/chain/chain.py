"""The chain as its users meet it: takes signed transactions in, seals blocks, has them made final.

Acknowledged means on disk: ``submit`` returns once a transaction is in a sealed block or, when it
cannot be sealed yet (a nonce before it is missing, or the chain has halted), once it is among those
that wait on disk. Many submitters at once share a block. The next block is sealed only when the one
before is final, so a chain without a quorum halts, visibly, and never forks.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Final

from ledger.chain.admission import check_admissible
from ledger.chain.blocks import Header, Receipt
from ledger.chain.decoding import Decode, Decoded, decode_here
from ledger.chain.errors import ExecutionError
from ledger.chain.executor import Call, Executor
from ledger.chain.finality import Certificate, certify, quorum_of, vote_digest
from ledger.chain.genesis import ChainConfig
from ledger.chain.opening import check_stored_certificate
from ledger.chain.pool import Pool
from ledger.chain.replica import Replica
from ledger.chain.sealed import Proposal
from ledger.chain.store import BlockStore
from ledger.chain.transactions import InvalidTransactionError, Transaction, decode_transaction
from ledger.chain.validator import Sign
from ledger.chain.voting import Voting
from ledger.logs import logger_of

Listener = Callable[[Header], None]
Submitted = bytes | InvalidTransactionError
"""The hash of a transaction that was taken, or why it was not."""

_REFUSALS_KEPT: Final = 10_000

log = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class FinalityState:
    """How far the chain is final, and who holds it up if somebody does.

    ``words`` says of each validator what it last answered.
    """

    sealed: int
    final: int
    quorum: int
    words: dict[str, str]

    @property
    def is_halted(self) -> bool:
        """Whether a sealed block waits for its quorum."""
        return self.final < self.sealed


class Chain:
    """The proposer: the one that seals blocks. Safe for use by many threads.

    ``decode`` turns raw transactions into decoded ones; a pool of processes may take its place.
    """

    def __init__(
        self,
        config: ChainConfig,
        store: BlockStore,
        executor: Executor,
        now: Callable[[], int],
        sign: Sign,
        decode: Decode = decode_here,
    ) -> None:
        self.config = config
        self.store = store
        self.voting = Voting(config, [])
        self._replica = Replica(config, store, executor)
        self._pool = Pool(self._replica.nonce_of, config.priority_senders)
        self._now = now
        self._sign = sign
        self.decode = decode
        self._own_names = [v.name for v in config.validators if v.address == config.proposer]
        self._listeners: list[Listener] = []
        self._final_listeners: list[Listener] = []
        self._refused: dict[bytes, InvalidTransactionError] = {}
        self._pool_lock = RLock()
        self._seal_lock = RLock()
        self._state_lock = RLock()
        for transaction in map(decode_transaction, store.waiting()):
            self._pool.restore(transaction)

    @property
    def head(self) -> Header:
        """The header of the last sealed block."""
        return self._replica.head

    @property
    def final(self) -> Header:
        """The header of the last final block."""
        head = self._replica.head
        if self._replica.final_number >= head.number:
            return head
        final = self.store.header_by_number(self._replica.final_number)
        assert final is not None
        return final

    @property
    def pending_count(self) -> int:
        """How many transactions were taken in and are in no block yet."""
        return len(self._pool)

    @property
    def queued_count(self) -> int:
        """How many of them wait for a nonce that is missing before theirs."""
        return self._pool.queued_count

    def join(self, voting: Voting) -> None:
        """Gives the chain its validators, and lets them make final what still is not."""
        self.voting = voting
        last = self.certificate(self._replica.final_number)
        if last:
            # Those that were away learn what they have missed.
            voting.tell(last)
        self.advance()

    def close(self) -> None:
        """Releases validators and files."""
        self.voting.close()
        self.store.close()

    def let_go(self) -> None:
        """Releases files and threads until they are needed again."""
        self.voting.let_go()
        self.store.let_go()

    def submit(self, raw: bytes) -> bytes:
        """Takes one transaction; returns its hash once it is on disk.

        The same again is answered the same. Raises InvalidTransactionError when it cannot be taken;
        then nothing has changed.
        """
        answer = self.submit_all([raw])[0]
        if isinstance(answer, InvalidTransactionError):
            raise answer
        return answer

    def submit_all(self, raws: Sequence[bytes]) -> list[Submitted]:
        """Takes transactions, each by itself; returns for each what became of it, in order."""
        answers: list[Submitted] = []
        for decoded in self.decode(raws):
            taken = self._admit(decoded)
            fresh = [each for each in taken if isinstance(each, Transaction)]
            if fresh:
                self._seal_until_sealed(fresh)
            answers += [self._answer(each) for each in taken]
        return answers

    def advance(self) -> None:
        """Makes the last block final if it is not, and seals what can be sealed."""
        with self._seal_lock:
            while self._make_final() and (batch := self._next_batch()):
                self._seal(batch)

    def mine(self) -> None:
        """Seals an empty block, where the chain has not halted."""
        with self._seal_lock:
            if self._make_final():
                self._seal([])
                self._make_final()

    def call(self, call: Call) -> Receipt:
        """Runs a question against the state after the last block."""
        with self._state_lock:
            return self._replica.call(call)

    def nonce_of(self, address: bytes) -> int:
        """The nonce of the next transaction of an address, counting sealed ones."""
        return self._replica.nonce_of(address)

    def pending_nonce_of(self, address: bytes) -> int:
        """The nonce of the next transaction of an address, counting pending ones."""
        with self._pool_lock:
            return self._pool.next_nonce(address)

    def pending(self, transaction_hash: bytes) -> Transaction | None:
        """A transaction that was taken in and is in no block yet."""
        return self._pool.get(transaction_hash)

    def code_of(self, address: bytes) -> bytes:
        """The code of a contract; empty when there is none."""
        return self._replica.code_of(address)

    def storage_at(self, address: bytes, slot: int) -> int:
        """The value of a storage slot after the last block."""
        with self._state_lock:
            return self._replica.storage_at(address, slot)

    def finality(self) -> FinalityState:
        """How far the chain is final."""
        words = dict(self.voting.last_words)
        quorum = quorum_of(len(self.config.validators))
        return FinalityState(self.head.number, self._replica.final_number, quorum, words)

    def certificate(self, number: int) -> Certificate | None:
        """The proof that a block is final; None while it is not, and for the genesis.

        Raises StorageError when what is stored proves nothing.
        """
        found = self.store.certificate(number)
        if found:
            check_stored_certificate(self.store, self.config, found)
        return found

    def final_block(self, number: int) -> tuple[Proposal, Certificate] | None:
        """A final block and its proof; None while there is none of this height."""
        return self.store.final_block(number)

    def add_listener(self, listener: Listener) -> Callable[[], None]:
        """Has a function told of every sealed block; returns the function that ends this."""
        return _joined(self._listeners, listener)

    def add_final_listener(self, listener: Listener) -> Callable[[], None]:
        """Has a function told of every final block; returns the function that ends this."""
        return _joined(self._final_listeners, listener)

    # Taking in

    def _admit(self, decoded: Sequence[Decoded]) -> "list[Transaction | Submitted]":
        with self._pool_lock:
            return [self._admit_one(each) for each in decoded]

    def _admit_one(self, transaction: Decoded) -> "Transaction | Submitted":
        if isinstance(transaction, InvalidTransactionError):
            return transaction
        is_used = transaction.nonce < self._replica.nonce_of(transaction.sender)
        if is_used and self.store.place_of(transaction.hash):
            return transaction.hash
        try:
            check_admissible(self.config, transaction)
            self._pool.add(transaction)
        except InvalidTransactionError as error:
            return error
        return transaction

    def _answer(self, taken: "Transaction | Submitted") -> Submitted:
        if not isinstance(taken, Transaction):
            return taken
        return self._refused.get(taken.hash, taken.hash)

    # Sealing

    def _seal_until_sealed(self, transactions: Sequence[Transaction]) -> None:
        """Seals blocks until these are in one; keeps on disk those that cannot be yet."""
        with self._seal_lock:
            self.advance()
            left = self._still_pending(transactions)
            if left:
                self.store.add_waiting(left)

    def _still_pending(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        with self._pool_lock:
            return [each for each in transactions if self._pool.get(each.hash)]

    def _next_batch(self) -> list[Transaction]:
        with self._pool_lock:
            return self._pool.next_block()

    def _seal(self, batch: list[Transaction]) -> None:
        timestamp = max(self._now(), self.head.timestamp)
        try:
            with self._state_lock:
                block = self._replica.execute(timestamp, batch)
        except (ExecutionError, InvalidTransactionError) as error:
            self._part_with_culprit(batch, error)
            return
        number = block.header.number
        signature = self._sign(vote_digest(self.config.chain_id, number, block.hash))
        # A proposer that is the only validator has its quorum in the block's own commit.
        certificate = certify(self.config, number, block.hash, self._own_votes(signature))
        with self._state_lock:
            self._replica.append(block.signed(signature), certificate)
        log.info("block.sealed", block=number, hash=_hex(block.hash), transactions=len(batch))
        for each in batch if log.isEnabledFor(logging.DEBUG) else ():
            log.debug("transaction.sealed", block=number, transaction=_hex(each.hash))
        with self._pool_lock:
            self._pool.remove(batch)
        for transaction in batch if self._refused else ():
            self._refused.pop(transaction.hash, None)
        _tell(self._listeners, block.header)
        if certificate:
            self._tell_final(block.header)

    def _part_with_culprit(self, batch: list[Transaction], error: Exception) -> None:
        """A transaction that cannot be executed never spoils a block: it alone is refused."""
        if len(batch) > 1:
            half = len(batch) // 2
            self._seal(batch[:half])
            # What follows depends on the first half; the next round takes it from the pool.
            return
        with self._pool_lock:
            self._pool.remove(batch)
            if len(self._refused) >= _REFUSALS_KEPT:
                self._refused.clear()
            self._refused[batch[0].hash] = InvalidTransactionError(str(error))
        self.store.drop_waiting(batch[0].hash)

    # Finality

    def _make_final(self) -> bool:
        """Whether the head is final, after the validators were asked if it was not."""
        number = self.head.number
        if self._replica.final_number >= number:
            return True
        proposal = self.store.proposal(number)
        assert proposal is not None
        certificate = self.voting.certificate(proposal, self._own_votes(proposal.signature))
        if certificate is None:
            return False
        self._replica.confirm(certificate)
        self._tell_final(self.head)
        self.voting.tell(certificate)
        return True

    def _tell_final(self, header: Header) -> None:
        log.info("block.final", block=header.number)
        _tell(self._final_listeners, header)

    def _own_votes(self, signature: bytes) -> dict[str, bytes]:
        return dict.fromkeys(self._own_names, signature)


def _tell(listeners: Sequence[Listener], header: Header) -> None:
    """Tells everybody; what a listener makes of it is no concern of who submitted."""
    for listener in tuple(listeners):
        try:
            listener(header)
        except Exception:
            log.exception("block.listener_failed", block=header.number)


def _hex(hash: bytes) -> str:
    return f"0x{hash.hex()}"


def _joined(listeners: list[Listener], listener: Listener) -> Callable[[], None]:
    listeners.append(listener)
    return lambda: listeners.remove(listener)
