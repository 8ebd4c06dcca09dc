"""The consortium's own chain: who proposes, who validates, who may send, and where replicas lie.

The clearing house proposes every block. Validators are the exchange, the banks and the brokers, in
this order; each has a key of its own for its votes, and a replica of its own. With a single
validator there is one replica, the proposer's: a chain that trusts its operator.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from ledger.chain.block_file import MEMORY
from ledger.chain.chain import Chain
from ledger.chain.executors import new_executor
from ledger.chain.genesis import ChainConfig, ValidatorIdentity
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


def seats(network: Network, validators: int, executors: tuple[str, ...] = ("revm",)) -> Seats:
    """So many validators (fewer when the network has fewer), with these executors in turn.

    Raises MalformedError when there is to be no validator.
    """
    if validators < 1:
        raise MalformedError("at least one validator", str(validators))
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
    proposer = network.sole(Role.CLEARING_HOUSE)
    is_alone = seats.validators == (proposer,)
    keys = {
        name: key_of(proposer if is_alone else f"{name}.validator") for name in seats.validators
    }
    midnight = datetime.combine(network.business_date, datetime.min.time(), tzinfo=UTC)
    config = ChainConfig(
        chain_id=network.chain_id,
        proposer=key_of(proposer).address,
        genesis_timestamp=int(midnight.timestamp()),
        validators=tuple(ValidatorIdentity(name, key.address) for name, key in keys.items()),
        senders=frozenset(key_of(p).address for p in senders(network)),
        priority_senders=frozenset(
            key_of(p.id).address for role in _PRIORITY_ROLES for p in network.of_role(role)
        ),
    )
    chain = Chain(
        config,
        BlockStore(file_of(proposer) or MEMORY),
        new_executor(seats.executors[0], network.chain_id),
        clock.chain_time,
        key_of(proposer).sign,
    )
    # A day that is resumed goes on at the time it had reached: deadlines count from there.
    clock.not_before(chain.head.timestamp)
    if is_alone:
        return chain
    links = []
    for name, executor in zip(seats.validators, seats.executors, strict=True):
        store = BlockStore(file_of(name) or MEMORY)
        replica = Replica(config, store, new_executor(executor, network.chain_id))
        validator = Validator(name, replica, keys[name].sign, clock.chain_time, chain)
        links.append(InProcessLink(validator))
    chain.join(Voting(config, links))
    return chain


def senders(network: Network) -> list[str]:
    """Whose keys may send transactions: every participant's, and the deployer's."""
    return [participant.id for participant in network.participants] + [DEPLOYER]
