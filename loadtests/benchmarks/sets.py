"""Sets: many instructions that settle together or not at all, from signed bytes to a final block.

Accounts of brokers deliver shares to each other against cash at random; nobody begins with enough
for what it owes gross, since only what each account has in the end is covered. The answer is
verified: every account has what it had, more or less what the instructions say.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import numpy as np

from contracts.clients.settlement import gas_for
from contracts.typed_data import Domain, InstructionMessage, SetMessage
from ledger.domain.accounts import holding_key, participant_of
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.participants import Instrument, Participant, Role
from ledger.domain.rules import Rules
from loadtests.benchmarks.environment import environment, peak_memory_bytes
from loadtests.benchmarks.gross_work import DAY
from nodes.bootstrap import key_of
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.founding import open_consortium
from nodes.market_day.opening import Opening
from nodes.network import RULE_VERSION, Network, with_infrastructure
from nodes.opening_positions import issue_opening
from nodes.validators import Seating

SEED: Final = "sets-2026"
BANK: Final = "BANK-1"
INSTRUMENTS: Final = 4
SHARES: Final = 2_000
CASH: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class SetResult:
    """The outcome. ``rate`` is instructions a second, from submission to finality."""

    instructions: int
    accounts: int
    rate: float
    gas: int
    gas_an_instruction: int
    bytes: int
    seconds: dict[str, float]
    validators: int
    replicas: int
    verified: bool
    peak_memory_bytes: int
    seed: str
    environment: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data."""
        return asdict(self)


def run(instructions: int, accounts: int, validators: int) -> SetResult:
    """Settles one set on the contracts; the result says whether its own answer was right."""
    before = environment()
    with TemporaryDirectory(prefix="novate-bench-") as folder:
        consortium = _founded(accounts, Path(folder), validators)
        began = perf_counter()
        message = set_of(consortium, instructions)
        raw = signed_set(consortium, message)
        signed = perf_counter()
        digest = consortium.chain.submit(raw)
        final = perf_counter()
        included = consortium.chain.store.transaction(digest)
        assert included is not None
        faults = list(_faults(consortium, message))
        if not included.receipt.succeeded:
            faults.append("the set has not settled")
        if consortium.chain.final != consortium.chain.head:
            faults.append("not everything is final")
        replicas = 1 + len(consortium.chain.voting.links)
        consortium.close()
    gas = included.receipt.gas_used
    return SetResult(
        instructions=instructions,
        accounts=accounts,
        rate=instructions / (final - signed),
        gas=gas,
        gas_an_instruction=gas // instructions,
        bytes=len(raw),
        seconds={"sign": signed - began, "settle": final - signed},
        validators=validators,
        replicas=replicas,
        verified=not faults,
        peak_memory_bytes=peak_memory_bytes(),
        seed=SEED,
        environment=before,
        faults=faults,
    )


def set_of(consortium: Consortium, instructions: int) -> SetMessage:
    """So many instructions between the brokers, of which only the net is covered."""
    network, random = consortium.network, Random(SEED)
    accounts = [network.account_number(each.id) for each in network.of_role(Role.BROKER)]
    drawn = []
    for number in range(instructions):
        deliverer, receiver = random.sample(accounts, 2)
        drawn.append(
            InstructionMessage(
                id=hashlib.sha256(f"{SEED}|{number}".encode()).digest(),
                deliverer=deliverer,
                receiver=receiver,
                instrument=random.randint(1, INSTRUMENTS),
                quantity=random.randint(1, 20),
                currency=1,
                amount=random.randint(1, 20_000),
                rule_version=RULE_VERSION,
                deadline=0,
            )
        )
    sides = {participant_of(side) for each in drawn for side in (each.deliverer, each.receiver)}
    return SetMessage(
        id=hashlib.sha256(SEED.encode()).digest(),
        instructions=tuple(drawn),
        parties=tuple(sorted(sides)),
        receivers=(),
        rule_version=RULE_VERSION,
        deadline=consortium.engine.chain_time() + 86_400,
    )


def signed_set(consortium: Consortium, message: SetMessage) -> bytes:
    """The clearing house's transaction, with everybody's signature in it."""
    network, settlement = consortium.network, consortium.contracts.settlement
    digest = Domain(network.chain_id, settlement.address).digest(message.struct_hash())
    signatures = [
        key_of(network, network.participant_id(party)).sign(digest) for party in message.parties
    ]
    house = key_of(network, network.sole(Role.CLEARING_HOUSE))
    return house.sign_transaction(
        chain_id=network.chain_id,
        nonce=consortium.chain.nonce_of(house.address),
        to=settlement.address,
        data=settlement.settle_set_data(message, signatures),
        gas=gas_for(len(message.instructions)),
    )


def _founded(accounts: int, path: Path, validators: int) -> Consortium:
    """Every broker holds some shares of every instrument, and some cash."""
    brokers = [Participant(f"BRK-{i:03}", Role.BROKER, BANK) for i in range(accounts)]
    symbols = [f"SET{number}" for number in range(INSTRUMENTS)]
    network = Network(
        seed=SEED,
        venue="XNOV",
        business_date=DAY,
        participants=with_infrastructure([*brokers, Participant(BANK, Role.BANK, BANK)]),
        instruments=tuple(Instrument(isin_of_symbol(s), s, "CNY") for s in symbols),
        currencies=("CNY",),
    )
    clock = SimulatedClock.at(DAY)
    consortium = open_consortium(network, Rules(), clock, path, None, Seating(validators))
    securities = {(b.id, each.isin): SHARES for b in brokers for each in network.instruments}
    cash = {(b.id, "CNY"): CASH for b in brokers}
    issue_opening(consortium, Opening(securities=securities, cash=cash, is_derived=False))
    return consortium


def _faults(consortium: Consortium, message: SetMessage) -> Iterator[str]:
    """What is wrong with the holdings after the set."""
    shares: Counter[int] = Counter()
    cash: Counter[int] = Counter()
    for each in message.instructions:
        shares[holding_key(each.instrument, each.deliverer)] -= each.quantity
        shares[holding_key(each.instrument, each.receiver)] += each.quantity
        cash[holding_key(each.currency, each.receiver)] -= each.amount
        cash[holding_key(each.currency, each.deliverer)] += each.amount
    contracts = consortium.contracts
    for register, changes, opening in (
        (contracts.securities, shares, SHARES),
        (contracts.cash, cash, CASH),
    ):
        keys = sorted(changes)
        found, _ = register.holdings_of(np.array(keys, dtype=np.int64))
        if found.tolist() != [opening + changes[key] for key in keys]:
            yield f"the holdings at {register.address.hex()} are not the sum of the instructions"
