"""The consortium's own chain: who proposes, who validates, who may send, and where replicas lie.

The clearing house proposes every block. Validators are the exchange, the banks and the brokers, in
this order; each has a key of its own for its votes, and a replica of its own. With a single
validator there is one replica, the proposer's: a chain that trusts its operator.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ledger.chain.block_file import MEMORY
from ledger.chain.chain import Chain
from ledger.chain.executor import Executor
from ledger.chain.executors import DEFAULT_EXECUTOR, EXECUTOR_NAMES, new_executor
from ledger.chain.genesis import ChainConfig, ValidatorIdentity
from ledger.chain.opening import stored_state
from ledger.chain.renewal import RenewedExecutor
from ledger.chain.replica import Replica
from ledger.chain.store import BlockStore
from ledger.chain.validator import Validator
from ledger.chain.voting import InProcessLink, Voting
from ledger.domain.errors import MalformedError
from ledger.domain.participants import Role
from nodes.clock import Clock
from nodes.keys import Key
from nodes.network import Network

VALIDATORS: Final = 4
DEPLOYER: Final = "deployer"
DEVELOPER: Final = "developer"
_VALIDATING_ROLES: Final = (Role.EXCHANGE, Role.BANK, Role.BROKER)
_PRIORITY_ROLES: Final = (Role.CLEARING_HOUSE, Role.REGISTRAR)

KeyOf = Callable[[str], Key]
FileOf = Callable[[str], Path | None]


class Seats(msgspec.Struct, frozen=True):
    """Who validates the chain; fixed for its life.

    Attributes:
        validators: participants, in the order of their votes.
        executors: the executor of each; the proposer runs the first.
    """

    validators: tuple[str, ...]
    executors: tuple[str, ...]


class Seating(NamedTuple):
    """How a new chain is to be validated: by how many, with which executors in turn."""

    validators: int = VALIDATORS
    executors: tuple[str, ...] = (DEFAULT_EXECUTOR,)


ALONE: Final = Seating(validators=1)


def seats(network: Network, seating: Seating) -> Seats:
    """The validators of a network; fewer than wished when the network has fewer.

    Raises MalformedError for no validator, or an executor that does not exist.
    """
    validators, executors = seating
    if validators < 1:
        raise MalformedError("at least one validator", str(validators))
    for name in executors:
        if name not in EXECUTOR_NAMES:
            raise MalformedError(f"an executor: {' or '.join(EXECUTOR_NAMES)}", name)
    names = [p.id for role in _VALIDATING_ROLES for p in network.of_role(role)][:validators]
    if validators == 1:
        names = [network.sole(Role.CLEARING_HOUSE)]
    return Seats(tuple(names), tuple(executors[i % len(executors)] for i in range(len(names))))


def open_chain(
    network: Network, seats: Seats, clock: Clock, key_of: KeyOf, file_of: FileOf
) -> Chain:
    """The proposer's chain, with all validators joined.

    ``key_of`` gives a participant's key and, as ``ID.validator``, the key of its votes; ``file_of``
    the block store of a participant, None in memory. Raises StorageError for a damaged one.
    """
    config = chain_config(network, seats, key_of)
    proposer = network.sole(Role.CLEARING_HOUSE)
    store = BlockStore(file_of(proposer) or MEMORY)
    executor = _executor(seats.executors[0], network.chain_id, store)
    chain = Chain(config, store, executor, clock.chain_time, key_of(proposer).sign)
    # A day that is resumed goes on at the time it had reached: deadlines count from there.
    clock.not_before(chain.head.timestamp)
    if seats.validators == (proposer,):
        return chain
    links = []
    for name, executor_name in zip(seats.validators, seats.executors, strict=True):
        own = BlockStore(file_of(name) or MEMORY)
        replica = Replica(config, own, _executor(executor_name, network.chain_id, own))
        sign = key_of(_voter(network, name)).sign
        validator = Validator(name, replica, sign, clock.chain_time, chain)
        links.append(InProcessLink(validator))
    chain.join(Voting(config, links))
    return chain


def _executor(name: str, chain_id: int, store: BlockStore) -> Executor:
    """An executor whose memory stays bounded whatever it is asked to read."""
    return RenewedExecutor(lambda: new_executor(name, chain_id), lambda: stored_state(store))


def chain_config(network: Network, seats: Seats, key_of: KeyOf) -> ChainConfig:
    """What all replicas of this network's chain agree on."""
    midnight = datetime.combine(network.business_date, datetime.min.time(), tzinfo=UTC)
    return ChainConfig(
        chain_id=network.chain_id,
        proposer=key_of(network.sole(Role.CLEARING_HOUSE)).address,
        genesis_timestamp=int(midnight.timestamp()),
        validators=tuple(
            ValidatorIdentity(name, key_of(_voter(network, name)).address)
            for name in seats.validators
        ),
        senders=frozenset(key_of(sender).address for sender in senders(network)),
        priority_senders=frozenset(
            key_of(p.id).address for role in _PRIORITY_ROLES for p in network.of_role(role)
        ),
    )


def senders(network: Network) -> list[str]:
    """Whose keys may send transactions: every participant's, the deployer's, and a developer's.

    A developer's own transactions by JSON-RPC need a key of their own: a participant's would take
    nonces away from what the participant's node has signed already.
    """
    return [participant.id for participant in network.participants] + [DEPLOYER, DEVELOPER]


def _voter(network: Network, validator: str) -> str:
    """Whose key signs a validator's votes: one of its own, or the lone proposer's."""
    is_proposer = validator == network.sole(Role.CLEARING_HOUSE)
    return validator if is_proposer else f"{validator}.validator"
