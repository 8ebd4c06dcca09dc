"""Finding logs: pages of events out of a long chain, each compared with what was put in.

Every block has one settlement with two events: one of its own, one of an account that many have.
The store is the product's, on disk; only its commits are not waited for while it is filled.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from ledger.chain.blocks import Log, Receipt
from ledger.chain.executor import BLOCK_GAS_LIMIT
from ledger.chain.finality import certify, vote_digest
from ledger.chain.genesis import ChainConfig, ValidatorIdentity, genesis_header
from ledger.chain.log_index import LogFilter
from ledger.chain.opening import open_store
from ledger.chain.sealed import genesis_block, sealed
from ledger.chain.state import StateChanges
from ledger.chain.store import BlockStore
from ledger.chain.transactions import decode_transaction
from loadtests.benchmarks.environment import environment
from nodes.keys import Key
from nodes.network import CHAIN_ID

PAGE: Final = 1_000
ACCOUNTS: Final = 50
SEED: Final = "logs-2026"
ALONE: Final = "ALONE"
_KEY: Final = Key.of_seed(SEED, "sender")
_SETTLEMENT: Final = b"\1" * 20
_REGISTER: Final = b"\2" * 20
_SETTLED: Final = b"\3" * 32
_TRANSFERRED: Final = b"\4" * 32
_GAS: Final = 100_000


@dataclass(frozen=True, slots=True)
class LogsResult:
    """The outcome.

    Attributes:
        page_ms: milliseconds of a page of up to 1,000 results, by question; the slowest of five.
        open_seconds: from opening the file to having checked its whole chain.
    """

    blocks: int
    page_ms: dict[str, float]
    open_seconds: float
    bytes_on_disk: int
    verified: bool
    seed: str
    environment: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The result as plain data."""
        return asdict(self)


def run(blocks: int) -> LogsResult:
    """Measures; the result says whether its own answer was right."""
    before = environment()
    config = ChainConfig(CHAIN_ID, _KEY.address, 0, (ValidatorIdentity(ALONE, _KEY.address),))
    with TemporaryDirectory(prefix="novate-bench-") as folder:
        path = Path(folder) / "chain.sqlite"
        store = BlockStore(path)
        _fill(store, config, blocks)
        store.close()
        began = perf_counter()
        store = BlockStore(path)
        open_store(store, config)
        open_seconds = perf_counter() - began
        page_ms: dict[str, float] = {}
        faults: list[str] = []
        for name, wanted, expected in _questions(blocks):
            slowest = 0.0
            for _ in range(5):
                began = perf_counter()
                found = list(islice(store.logs(wanted), PAGE))
                slowest = max(slowest, perf_counter() - began)
            page_ms[name] = round(slowest * 1_000, 2)
            if [(each.block, each.log) for each in found] != expected:
                faults.append(f"{name}: other logs than were put in")
        store.close()
        size = path.stat().st_size
    return LogsResult(blocks, page_ms, open_seconds, size, not faults, SEED, before, faults)


def _fill(store: BlockStore, config: ChainConfig, blocks: int) -> None:
    raw = _KEY.sign_transaction(chain_id=CHAIN_ID, nonce=0, to=_SETTLEMENT, data=b"", gas=_GAS)
    transactions = [decode_transaction(raw)]
    header = genesis_header(config)
    assert header.gas_limit == BLOCK_GAS_LIMIT
    store.append(genesis_block(header), None)
    with store.commits_not_awaited():
        for number in range(1, blocks + 1):
            receipt = Receipt(True, _GAS, b"", _logs(number))
            block = sealed(header, number, transactions, [receipt], StateChanges())
            signature = _KEY.sign(vote_digest(CHAIN_ID, number, block.hash))
            certificate = certify(config, number, block.hash, {ALONE: signature})
            store.append(block.signed(signature), certificate)
            header = block.header


def _logs(number: int) -> tuple[Log, ...]:
    return (
        Log(_SETTLEMENT, (_SETTLED, number.to_bytes(32, "big")), bytes(96)),
        Log(_REGISTER, (_TRANSFERRED, (number % ACCOUNTS).to_bytes(32, "big")), bytes(64)),
    )


def _questions(blocks: int) -> Iterator[tuple[str, LogFilter, list[tuple[int, Log]]]]:
    """What is asked of the whole chain, and the first page of what should be found."""
    numbers = range(1, blocks + 1)
    one = blocks * 3 // 4
    topic = one.to_bytes(32, "big")
    yield "one instruction", LogFilter(0, blocks, (), ((), (topic,))), [(one, _logs(one)[0])]
    account = (7).to_bytes(32, "big")
    yield (
        "one account",
        LogFilter(0, blocks, (_REGISTER,), ((), (account,))),
        [(n, _logs(n)[1]) for n in numbers if n % ACCOUNTS == 7][:PAGE],
    )
    yield (
        "one contract",
        LogFilter(0, blocks, (_SETTLEMENT,)),
        [(n, _logs(n)[0]) for n in numbers[:PAGE]],
    )
    yield (
        "one event",
        LogFilter(0, blocks, (_REGISTER,), ((_TRANSFERRED,),)),
        [(n, _logs(n)[1]) for n in numbers[:PAGE]],
    )
    last = numbers[-PAGE // 2 :]
    yield (
        "last blocks",
        LogFilter(last[0], blocks),
        [(n, log) for n in last for log in _logs(n)],
    )
