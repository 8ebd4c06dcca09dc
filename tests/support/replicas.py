"""Chains with validators, for tests: links that can be cut, slowed, or lied to."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.block_file import MEMORY, Reached, reach_nothing
from ledger.chain.chain import Chain
from ledger.chain.executors import new_executor
from ledger.chain.finality import Certificate, Vote
from ledger.chain.genesis import ChainConfig, ValidatorIdentity
from ledger.chain.replica import Replica
from ledger.chain.sealed import Proposal
from ledger.chain.store import BlockStore
from ledger.chain.validator import Validator
from ledger.chain.voting import InProcessLink, Voting
from nodes.keys import Key
from tests.support.twins import CHAIN_ID, PROPOSER, START, chain_config

SENDER = Key.of_seed("replicas", "sender")
VOTE_SECONDS = 0.3


def now() -> int:
    """Chain time, which stands still."""
    return START


@dataclass
class Link:
    """The way to a validator, which a test can cut or bend."""

    inner: InProcessLink
    is_cut: bool = False
    bend: Callable[[Proposal], Proposal] = lambda proposal: proposal

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def validator(self) -> Validator:
        return self.inner.validator

    def ask(self, proposal: Proposal) -> "Future[Vote]":
        if self.is_cut:
            silent: Future[Vote] = Future()
            silent.set_exception(ConnectionError("cut off"))
            return silent
        return self.inner.ask(self.bend(proposal))

    def tell(self, certificate: Certificate) -> None:
        if not self.is_cut:
            self.inner.tell(certificate)

    def close(self) -> None:
        self.inner.close()


def names(validators: int) -> list[str]:
    return [f"V{i}" for i in range(1, validators + 1)]


def vote_key(name: str) -> Key:
    return Key.of_seed("replicas", name)


def config_of(validators: int, **changes: object) -> ChainConfig:
    if not validators:
        return chain_config(**changes)
    identities = tuple(ValidatorIdentity(n, vote_key(n).address) for n in names(validators))
    return chain_config(**{"validators": identities, **changes})


def open_replicated(
    validators: int,
    folder: Path | None = None,
    executors: tuple[str, ...] = ("revm",),
    reached: Reached = reach_nothing,
    **changes: object,
) -> tuple[Chain, list[Link]]:
    """A chain with validators V1, V2, ..., each with a replica; with none, the proposer alone."""
    config = config_of(validators, **changes)

    def store(name: str) -> BlockStore:
        return BlockStore(folder / f"{name}.sqlite" if folder else MEMORY, reached)

    chain = Chain(config, store("proposer"), new_executor("revm", CHAIN_ID), now, PROPOSER.sign)
    links = []
    for i, name in enumerate(names(validators)):
        executor = new_executor(executors[i % len(executors)], CHAIN_ID)
        replica = Replica(config, store(name), executor)
        validator = Validator(name, replica, vote_key(name).sign, now, chain)
        links.append(Link(InProcessLink(validator)))
    chain.join(Voting(config, links, VOTE_SECONDS))
    return chain, links


def settle_threads(links: list[Link]) -> None:
    """Waits until every validator has done what it was told."""
    for link in links:
        link.inner._thread.submit(lambda: None).result()
