"""Netted settlement: net lines a second, from signed bytes to final blocks on disk.

Measured both ways: lines of many cycles that fit one call each, sealed together in a block; and one
cycle of the same lines, staged in parts and settled by a last call. Every line moves one share to
or from an account of a broker; every cycle is signed by all brokers. The answer is verified:
everybody holds what the sum of the lines says, and a staged cycle has settled as one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import numpy as np

from contracts.abi import Array
from contracts.lines import LINES_PER_CALL_MAX, Column, Lines
from contracts.typed_data import CycleMessage, Domain
from ledger.domain.accounts import holding_key
from ledger.domain.identifiers import isin_of_symbol
from ledger.domain.participants import Instrument, Participant, Role
from ledger.domain.rules import Rules
from loadtests.benchmarks.environment import environment, peak_memory_bytes
from loadtests.benchmarks.gross_work import DAY
from nodes.bootstrap import key_of
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.founding import open_consortium
from nodes.keys import Key
from nodes.market_day.opening import Opening
from nodes.network import RULE_VERSION, Network, with_infrastructure
from nodes.opening_positions import issue_opening
from nodes.validators import Seating

SEED: Final = "netted-2026"
BROKERS: Final = 32
SHARES: Final = 1_000
_CALL_GAS: Final = 20_000_000
_READ_AT_ONCE: Final = 1_024


@dataclass(frozen=True, slots=True)
class NettedResult:
    """The outcome; rates are net lines a second.

    Attributes:
        one_call: of many cycles of one call each.
        staged: of one cycle of all lines, in parts.
    """

    lines: int
    rate: dict[str, float]
    blocks: dict[str, int]
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


def run(lines: int, validators: int) -> NettedResult:
    """Measures; the result says whether its own answer was right."""
    before = environment()
    instruments = -(-lines // BROKERS)
    with TemporaryDirectory(prefix="novate-bench-") as folder:
        consortium = _founded(instruments, Path(folder), validators)
        keys = np.array(
            [
                holding_key(asset, consortium.network.account_number(broker))
                for asset in range(1, instruments + 1)
                for broker in _brokers(consortium.network)
            ],
            dtype=np.int64,
        )
        moves = np.where(np.arange(len(keys)) % 2, 1, -1).astype(np.int64)
        work = _Work(consortium)
        rate, blocks, faults = {}, {}, []
        for name, raws, held in (
            ("one_call", work.one_call(keys, moves), SHARES + moves),
            ("staged", work.staged(keys, -moves), np.full(len(keys), SHARES)),
        ):
            height = consortium.chain.head.number
            began = perf_counter()
            consortium.chain.submit_all(raws)
            rate[name] = len(keys) / (perf_counter() - began)
            blocks[name] = consortium.chain.head.number - height
            if consortium.chain.final != consortium.chain.head:
                faults.append(f"{name}: not everything is final")
            if not np.array_equal(_held(consortium, keys), held):
                faults.append(f"{name}: the holdings are not the sum of the lines")
        replicas = 1 + len(consortium.chain.voting.links)
        consortium.close()
    return NettedResult(
        lines=len(keys),
        rate=rate,
        blocks=blocks,
        validators=validators,
        replicas=replicas,
        verified=not faults,
        peak_memory_bytes=peak_memory_bytes(),
        seed=SEED,
        environment=before,
        faults=faults,
    )


class _Work:
    """Signed transactions of the clearing house, in order of its nonces."""

    def __init__(self, consortium: Consortium) -> None:
        network = consortium.network
        self._consortium = consortium
        self._settlement = consortium.contracts.settlement
        self._domain = Domain(network.chain_id, self._settlement.address)
        self._house = key_of(network, network.sole(Role.CLEARING_HOUSE))
        brokers = _brokers(network)
        self._parties = [network.participant_number(broker) for broker in brokers]
        self._keys: list[Key] = [key_of(network, broker) for broker in brokers]
        self._nonce = consortium.chain.nonce_of(self._house.address)

    def one_call(self, keys: Column, moves: Column) -> list[bytes]:
        """A cycle for every so many lines as fit a call."""
        raws = []
        for first in range(0, len(keys), LINES_PER_CALL_MAX):
            part = slice(first, first + LINES_PER_CALL_MAX)
            cycle = self._cycle(f"one call {first}", Lines(keys[part], moves[part]))
            raws.append(
                self._sign(self._settlement.settle_cycle_data(cycle, self._attested(cycle)))
            )
        return raws

    def staged(self, keys: Column, moves: Column) -> list[bytes]:
        """One cycle of all lines."""
        cycle = self._cycle("staged", Lines(keys, moves))
        calls = [
            self._settlement.open_cycle_data(cycle, self._attested(cycle)),
            *self._settlement.stage_data(cycle),
            self._settlement.settle_staged_data(cycle),
        ]
        return [self._sign(data) for data in calls]

    def _cycle(self, name: str, lines: Lines) -> CycleMessage:
        digest = hashlib.sha256(f"{SEED}|{name}".encode()).digest()
        return CycleMessage(
            id=digest,
            root=digest,
            count=len(lines),
            parties=Array.of_numbers(self._parties),
            securities_lines=lines.pack(),
            cash_lines=Array(b"", 0),
            rule_version=RULE_VERSION,
            deadline=self._consortium.engine.chain_time() + 86_400,
        )

    def _attested(self, cycle: CycleMessage) -> Sequence[bytes]:
        digest = self._domain.digest(cycle.struct_hash())
        return [key.sign(digest) for key in self._keys]

    def _sign(self, data: bytes) -> bytes:
        self._nonce += 1
        return self._house.sign_transaction(
            chain_id=self._consortium.network.chain_id,
            nonce=self._nonce - 1,
            to=self._settlement.address,
            data=data,
            gas=_CALL_GAS,
        )


def _founded(instruments: int, path: Path, validators: int) -> Consortium:
    """Every broker holds shares of every instrument."""
    symbols = [f"NET{number}" for number in range(instruments)]
    brokers = [Participant(f"BRK-{i:02}", Role.BROKER) for i in range(BROKERS)]
    network = Network(
        seed=SEED,
        venue="XNOV",
        business_date=DAY,
        participants=with_infrastructure([*brokers, Participant("BANK-1", Role.BANK)]),
        instruments=tuple(Instrument(isin_of_symbol(s), s, "CNY") for s in symbols),
        currencies=("CNY",),
    )
    clock = SimulatedClock.at(DAY)
    consortium = open_consortium(network, Rules(), clock, path, None, Seating(validators))
    holdings = {
        (broker.id, instrument.isin): SHARES
        for broker in brokers
        for instrument in network.instruments
    }
    issue_opening(consortium, Opening(securities=holdings, cash={}, is_derived=False))
    return consortium


def _brokers(network: Network) -> list[str]:
    return [participant.id for participant in network.of_role(Role.BROKER)]


def _held(consortium: Consortium, keys: Column) -> Column:
    register = consortium.contracts.securities
    parts: Iterator[slice] = (
        slice(i, i + _READ_AT_ONCE) for i in range(0, len(keys), _READ_AT_ONCE)
    )
    return np.concatenate([register.holdings_of(keys[part])[0] for part in parts])
