"""Voting: the proposer asks every validator, and has the certificate as soon as a quorum agrees."""

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol

from ledger.chain.finality import Certificate, Vote, certify, is_vote
from ledger.chain.genesis import ChainConfig
from ledger.chain.sealed import Proposal
from ledger.chain.validator import Validator
from ledger.logs import logger_of

VOTE_SECONDS: Final = 10.0

log = logger_of(__name__)


class ValidatorLink(Protocol):
    """The way from the proposer to one validator. Requests are answered in order, or never."""

    @property
    def name(self) -> str:
        """The validator's name."""

    def ask(self, proposal: Proposal) -> "Future[Vote]":
        """Asks for a vote; the future fails with the reason of a refusal."""

    def tell(self, certificate: Certificate) -> None:
        """Says that a block is final."""

    def close(self) -> None:
        """Lets the validator finish what it is doing, and releases it."""

    def let_go(self) -> None:
        """Lets it finish, and releases it until it is asked again."""


class InProcessLink:
    """A validator in this process, on a thread of its own."""

    def __init__(self, validator: Validator) -> None:
        self.validator = validator
        self._thread = _thread_of(validator)
        self._lock = Lock()
        self._untold: Certificate | None = None

    @property
    def name(self) -> str:
        """The validator's name."""
        return self.validator.name

    def ask(self, proposal: Proposal) -> "Future[Vote]":
        """Asks for a vote; the future fails with the reason of a refusal."""
        return self._thread.submit(self.validator.consider, proposal)

    def tell(self, certificate: Certificate) -> None:
        """Says that a block is final. A validator that lags behind is told of the last one only."""
        with self._lock:
            is_first, self._untold = self._untold is None, certificate
        if is_first:
            self._thread.submit(self._confirm)

    def close(self) -> None:
        """Lets the validator finish what it is doing, and releases it."""
        self._thread.shutdown(wait=True)
        self.validator.replica.store.close()

    def let_go(self) -> None:
        """Lets it finish, and releases it until it is asked again."""
        self._thread.shutdown(wait=True)
        self._thread = _thread_of(self.validator)
        self.validator.replica.store.let_go()

    def _confirm(self) -> None:
        with self._lock:
            certificate, self._untold = self._untold, None
        assert certificate is not None
        try:
            self.validator.confirm(certificate)
        except Exception:
            # It has not taken the block in; asked for its next vote, it says so.
            log.exception("validator.cannot_follow", node=self.validator.name)


def _thread_of(validator: Validator) -> ThreadPoolExecutor:
    """It begins when something is to be done."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"validator-{validator.name}")


@dataclass(frozen=True, slots=True)
class _Question:
    """What a validator was asked last."""

    block_hash: bytes
    answer: "Future[Vote]"

    def is_vote_for(self, proposal: Proposal) -> bool:
        """Whether the answer is a vote, and not a refusal, of this block."""
        return self.block_hash == proposal.hash and self.answer.exception() is None


class Voting:
    """Collects votes. ``last_words`` says of each validator what it last answered."""

    def __init__(
        self, config: ChainConfig, links: Sequence[ValidatorLink], seconds: float = VOTE_SECONDS
    ) -> None:
        self.links = links
        self.last_words: dict[str, str] = {link.name: "not asked yet" for link in links}
        self._config = config
        self._seconds = seconds
        self._asked: dict[str, _Question] = {}

    def certificate(self, proposal: Proposal, own: Mapping[str, bytes]) -> Certificate | None:
        """Asks for votes until a quorum has signed; None when it does not come about in time.

        ``own`` are the proposer's signatures as a validator, if it is one.
        """
        number, block_hash = proposal.number, proposal.hash
        signatures = dict(own)
        certificate = certify(self._config, number, block_hash, signatures)
        pending = {} if certificate else self._ask_all(proposal)
        while certificate is None and pending:
            done, _ = wait(pending, timeout=self._seconds, return_when=FIRST_COMPLETED)
            if not done:
                break
            for future in done:
                vote = self._take(pending.pop(future), future, proposal)
                if vote:
                    signatures[vote.validator] = vote.signature
            certificate = certify(self._config, number, block_hash, signatures)
        for name in pending.values():
            self.last_words[name] = "has not answered yet"
        return certificate

    def tell(self, certificate: Certificate) -> None:
        """Says to all validators that a block is final."""
        for link in self.links:
            link.tell(certificate)

    def close(self) -> None:
        """Releases all validators."""
        for link in self.links:
            link.close()

    def let_go(self) -> None:
        """Releases all validators until they are asked again."""
        for link in self.links:
            link.let_go()

    def _ask_all(self, proposal: Proposal) -> "dict[Future[Vote], str]":
        """The questions about this block: new ones, and those whose answer is still to come.

        A validator that is busy with another block is not asked: it will catch up by itself.
        """
        pending = {}
        for link in self.links:
            asked = self._asked.get(link.name)
            if asked is None or (asked.answer.done() and not asked.is_vote_for(proposal)):
                asked = _Question(proposal.hash, link.ask(proposal))
                self._asked[link.name] = asked
            if asked.block_hash == proposal.hash:
                pending[asked.answer] = link.name
        return pending

    def _take(self, name: str, future: "Future[Vote]", proposal: Proposal) -> Vote | None:
        error = future.exception()
        if error:
            self.last_words[name] = f"refused: {error}"
            return None
        vote = future.result()
        if vote.validator != name or not is_vote(
            self._config, vote, proposal.number, proposal.hash
        ):
            self.last_words[name] = "sent a vote that is not valid"
            return None
        self.last_words[name] = f"voted for block {proposal.number}"
        return vote
