"""The work of the gross benchmark: a consortium with funded brokers, and signed settlements.

Each transaction settles one trade: the seller sends it, the buyer's signature is in its calldata.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from contracts.typed_data import Domain, InstructionMessage
from ledger.books.postings import Register
from ledger.chain.chain import Chain
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.participants import Instrument, Participant, Role
from ledger.domain.rules import Rules
from nodes.bootstrap import key_of
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.engine import Engine
from nodes.founding import open_consortium
from nodes.market_day.opening import Opening
from nodes.network import RULE_VERSION, Network, with_infrastructure
from nodes.opening_positions import issue_opening
from nodes.validators import Seating, open_chain, seats

BROKERS: Final = 16
SHARES: Final = 1_000_000_000
CASH: Final = 100_000_000_000_000
TRANSACTION_GAS: Final = 400_000
DAY: Final = date(2026, 11, 23)
SEED: Final = "gross-2026"
_NO_SIGNATURE: Final = bytes(64)

Holdings = dict[tuple[Register, str], int]


@dataclass(frozen=True, slots=True)
class Work:
    """Signed transactions, in order, and what must be so after all of them.

    Attributes:
        expected: what every broker holds.
        nonces: the next nonce of every sender.
    """

    raws: Sequence[bytes]
    expected: Holdings
    nonces: Mapping[bytes, int]


def bench_network() -> Network:
    """Brokers in pairs at two banks, one instrument, one currency."""
    brokers = [Participant(f"BRK-{i:02}", Role.BROKER) for i in range(BROKERS)]
    banks = [Participant("BANK-1", Role.BANK), Participant("BANK-2", Role.BANK)]
    infrastructure = {
        Role.EXCHANGE: "EXCHANGE",
        Role.CLEARING_HOUSE: "CLEARING-HOUSE",
        Role.REGISTRAR: "REGISTRAR",
    }
    return Network(
        seed=SEED,
        venue="XNOV",
        business_date=DAY,
        participants=with_infrastructure([*brokers, *banks], infrastructure),
        instruments=(Instrument(isin_of_symbol("NOVA1"), "NOVA1", "CNY"),),
        currencies=("CNY",),
    )


def funded_consortium(
    path: Path | None, validators: int = 1, engine: Engine | None = None
) -> Consortium:
    """A consortium in which every broker has shares and cash, on disk when there is a path."""
    network = bench_network()
    clock = SimulatedClock.at(DAY)
    consortium = open_consortium(network, Rules(), clock, path, engine, Seating(validators))
    brokers = [p.id for p in network.of_role(Role.BROKER)]
    isin = network.instruments[0].isin
    opening = Opening(
        securities={(broker, isin): SHARES for broker in brokers},
        cash={(broker, "CNY"): CASH for broker in brokers},
        is_derived=False,
    )
    issue_opening(consortium, opening)
    return consortium


def reopened_chain(path: Path, validators: int) -> Chain:
    """The chain alone that such a consortium has left on disk."""
    network = bench_network()
    return open_chain(
        network,
        seats(network, Seating(validators)),
        SimulatedClock.at(DAY),
        lambda name: key_of(network, name),
        lambda name: path / "nodes" / name / "chain.sqlite",
    )


def signed_settlements(consortium: Consortium, transactions: int) -> Work:
    """So many settlements between random brokers, signed by both sides."""
    network, settlement = consortium.network, consortium.contracts.settlement
    domain = Domain(network.chain_id, settlement.address)
    brokers = [p.id for p in network.of_role(Role.BROKER)]
    keys = {broker: key_of(network, broker) for broker in brokers}
    count = consortium.engine.w3.eth.get_transaction_count
    nonces = {broker: int(count(keys[broker].address)) for broker in brokers}  # type: ignore[arg-type] # 20 bytes
    deadline = consortium.engine.chain_time() + 86_400
    chance = Random(SEED)  # a seeded workload
    expected: Holdings = {}
    for broker in brokers:
        expected[Register.SECURITIES, broker] = SHARES
        expected[Register.CASH, broker] = CASH
    raws = []
    for i in range(transactions):
        seller, buyer = chance.sample(brokers, 2)
        quantity, amount = chance.randint(1, 1_000), chance.randint(100, 1_000_000)
        message = InstructionMessage(
            id=hashlib.sha256(f"{SEED}|{i}".encode()).digest(),
            deliverer=network.account_number(seller),
            receiver=network.account_number(buyer),
            instrument=1,
            quantity=quantity,
            currency=1,
            amount=amount,
            rule_version=RULE_VERSION,
            deadline=deadline,
        )
        consent = keys[buyer].sign(domain.digest(message.struct_hash()))
        raws.append(
            keys[seller].sign_transaction(
                chain_id=network.chain_id,
                nonce=nonces[seller],
                to=settlement.address,
                data=settlement.settle_instruction_data(message, _NO_SIGNATURE, consent),
                gas=TRANSACTION_GAS,
            )
        )
        nonces[seller] += 1
        for broker, sign in ((seller, -1), (buyer, 1)):
            expected[Register.SECURITIES, broker] += sign * quantity
            expected[Register.CASH, broker] -= sign * amount
    return Work(raws, expected, {keys[b].address: nonce for b, nonce in nonces.items()})


def actual_holdings(consortium: Consortium) -> Holdings:
    """What every broker holds, read from the contracts."""
    network, contracts = consortium.network, consortium.contracts
    brokers = [p.id for p in network.of_role(Role.BROKER)]
    keys = np.array([1 << 32 | network.account_number(b) for b in brokers], dtype=np.int64)
    found: Holdings = {}
    for register, contract in (
        (Register.SECURITIES, contracts.securities),
        (Register.CASH, contracts.cash),
    ):
        available, _ = contract.holdings_of(keys)
        found |= {(register, b): int(a) for b, a in zip(brokers, available, strict=True)}
    return found
