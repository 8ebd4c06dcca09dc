"""Gross settlement: one signed transaction a trade, from signed bytes to a final block on disk.

The clock runs while the embedded chain decodes, checks, executes, seals and stores transactions;
signing them beforehand and checking the result afterwards are not counted. The answer is verified:
every transaction is in a final block and succeeded, everybody holds what an independent sum of the
trades says, and the stored chain opens again with the same head. With a peer, the same signed bytes
go to it in the same run.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from ledger.chain.chain import Chain
from ledger.chain.decoding import DecodingPool, decode_here
from loadtests.benchmarks.anvil_peer import NAME, rate_of_anvil
from loadtests.benchmarks.environment import environment, peak_memory_bytes
from loadtests.benchmarks.gross_work import (
    SEED,
    Work,
    actual_holdings,
    funded_consortium,
    reopened_chain,
    signed_settlements,
)
from nodes.consortium import Consortium

SINGLE_BLOCKS: Final = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine, given the same transactions in the same run."""

    name: str
    rate: float


@dataclass(frozen=True, slots=True)
class GrossResult:
    """The outcome; rates are transactions a second.

    Attributes:
        seconds: from the first signed byte handed over to the last block final on disk.
        restart_seconds: from opening the stored chain to being able to take transactions.
        seal_to_final_ms: percentiles of the way from sealed to final, of blocks of one transaction.
    """

    transactions: int
    seconds: float
    rate: float
    validators: int
    replicas: int
    verified: bool
    restart_seconds: float
    seal_to_final_ms: dict[str, float]
    blocks: int
    bytes_on_disk: int
    peak_memory_bytes: int
    seed: str
    environment: dict[str, str]
    peer: Peer | None = None
    ratio: float | None = None
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data; without a peer, without its fields."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def run(transactions: int, validators: int, peer: str | None = None) -> GrossResult:
    """Measures; the result says whether its own answer was right. Raises PeerError."""
    before = environment()
    with TemporaryDirectory(prefix="novate-bench-") as folder:
        path = Path(folder)
        consortium = funded_consortium(path, validators)
        work = signed_settlements(consortium, transactions + SINGLE_BLOCKS)
        seconds = _settle(consortium.chain, work.raws[:transactions])
        latencies = _one_by_one(consortium.chain, work.raws[transactions:])
        faults = _faults(consortium, work)
        head, blocks = consortium.chain.head, consortium.chain.head.number
        replicas = 1 + len(consortium.chain.voting.links)
        consortium.close()
        began = perf_counter()
        again = reopened_chain(path, validators)
        restart_seconds = perf_counter() - began
        if again.head != head or again.final != head:
            faults.append("opened again, the chain has another head")
        again.close()
        size = sum(file.stat().st_size for file in path.rglob("chain.sqlite*"))
    rate = transactions / seconds
    peer_rate = rate_of_anvil(transactions) if peer == NAME else None
    return GrossResult(
        transactions=transactions,
        seconds=seconds,
        rate=rate,
        validators=validators,
        replicas=replicas,
        verified=not faults,
        restart_seconds=restart_seconds,
        seal_to_final_ms=_percentiles(latencies),
        blocks=blocks,
        bytes_on_disk=size,
        peak_memory_bytes=peak_memory_bytes(),
        seed=SEED,
        environment=before,
        peer=Peer(NAME, peer_rate) if peer_rate else None,
        ratio=rate / peer_rate if peer_rate else None,
        faults=faults,
    )


def _settle(chain: Chain, raws: Sequence[bytes]) -> float:
    """Seconds until all these transactions are in final blocks on disk."""
    pool = DecodingPool(processes=1)
    try:
        list(pool.decode(raws[:2]))  # the other process has started
        chain.decode = pool.decode
        began = perf_counter()
        chain.submit_all(raws)
        seconds = perf_counter() - began
    finally:
        pool.close()
    chain.decode = decode_here
    return seconds


def _one_by_one(chain: Chain, raws: Sequence[bytes]) -> list[float]:
    """Seconds from sealed to final of blocks with one of these transactions each."""
    sealed_at: list[float] = []
    final_at: list[float] = []
    stops = [
        chain.add_listener(lambda _: sealed_at.append(perf_counter())),
        chain.add_final_listener(lambda _: final_at.append(perf_counter())),
    ]
    for raw in raws:
        chain.submit(raw)
    for stop in stops:
        stop()
    return [final - sealed for sealed, final in zip(sealed_at, final_at, strict=False)]


def _faults(consortium: Consortium, work: Work) -> list[str]:
    """What is wrong with the answer; empty when it is right."""
    chain, faults = consortium.chain, []
    if chain.final != chain.head or chain.pending_count:
        faults.append("not every transaction is final")
    sealed: set[bytes] = set()
    for number in range(1, chain.head.number + 1):
        for included in chain.store.transactions_of(number):
            if not included.receipt.succeeded:
                faults.append(f"0x{included.transaction.hash.hex()} has failed")
            sealed.add(included.transaction.raw)
    missing = sum(raw not in sealed for raw in work.raws)
    if missing:
        faults.append(f"{missing} transactions are in no block")
    if actual_holdings(consortium) != work.expected:
        faults.append("the holdings are not those of an independent sum")
    return faults[:10]


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    places = {"p50": 50, "p99": 99, "max": 100}
    return {
        name: round(ordered[min(len(ordered) * place // 100, len(ordered) - 1)] * 1_000, 2)
        for name, place in places.items()
    }
