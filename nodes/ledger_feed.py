"""The feed: final blocks, read over JSON-RPC, in the ledger's own words.

Any engine can stand behind it. Blocks are read once, some at a time, and kept for a while, since
all nodes of one process want the same ones.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, assert_never

import numpy as np

from contracts import events
from contracts.deployment import Contracts
from contracts.events import decode_event
from contracts.lines import Column, line_key
from ledger.books.postings import (
    Cause,
    FinalBlock,
    Origin,
    Posting,
    PostingKind,
    Register,
    join_parts,
)
from nodes.engine import Engine, Json, bytes_of

KEPT_BLOCKS_MAX: Final = 64
BLOCKS_PER_READ_MAX: Final = 32

_KINDS: Final = {
    events.Issued: PostingKind.ISSUED,
    events.Redeemed: PostingKind.REDEEMED,
    events.Held: PostingKind.HELD,
    events.Released: PostingKind.RELEASED,
    events.Transferred: PostingKind.TRANSFERRED,
    events.Moved: PostingKind.MOVED,
    events.Booked: PostingKind.BOOKED,
    events.Staged: PostingKind.STAGED,
    events.StagedBooked: PostingKind.STAGED_BOOKED,
    events.StagedDropped: PostingKind.STAGED_DROPPED,
}


class LedgerFeed:
    """Final blocks of one chain, with what they did to the registers."""

    def __init__(self, engine: Engine, contracts: Contracts) -> None:
        self._engine = engine
        addresses = contracts.addresses
        self._register_by_address = {
            addresses.securities: Register.SECURITIES,
            addresses.cash: Register.CASH,
        }
        self._addresses = [
            "0x" + address.hex()
            for address in (addresses.securities, addresses.cash, addresses.settlement)
        ]
        self._kept: OrderedDict[int, FinalBlock] = OrderedDict()

    def height(self) -> int:
        """The number of the last final block, as of the last look at the chain."""
        return self._engine.final_height()

    def blocks_after(self, height: int) -> Iterator[list[FinalBlock]]:
        """The final blocks above a height, in order and some at a time."""
        last = self.height()
        for first in range(height + 1, last + 1, BLOCKS_PER_READ_MAX):
            numbers = range(first, min(first + BLOCKS_PER_READ_MAX, last + 1))
            if any(number not in self._kept for number in numbers):
                self._read(numbers)
            yield [self._kept[number] for number in numbers]

    def _read(self, numbers: range) -> None:
        where = {
            "fromBlock": hex(numbers[0]),
            "toBlock": hex(numbers[-1]),
            "address": self._addresses,
        }
        logs, *headers = self._engine.requests(
            [
                ("eth_getLogs", [where]),
                *(("eth_getBlockByNumber", [hex(number), False]) for number in numbers),
            ]
        )
        logs_by_block: dict[int, list[Json]] = {number: [] for number in numbers}
        for log in sorted(logs, key=lambda log: int(log["logIndex"], 16)):
            logs_by_block[int(log["blockNumber"], 16)].append(log)
        for number, header in zip(numbers, headers, strict=True):
            self._kept[number] = self._block(number, header, logs_by_block[number])
            self._kept.move_to_end(number)
        while len(self._kept) > KEPT_BLOCKS_MAX:
            self._kept.popitem(last=False)

    def _block(self, number: int, header: Json, logs: list[Json]) -> FinalBlock:
        postings: list[Posting] = []
        settled: list[Cause] = []
        for log in logs:
            self._take(log, postings, settled)
        return FinalBlock(
            number=number,
            hash=bytes_of(header["hash"]),
            parent_hash=bytes_of(header["parentHash"]),
            timestamp=int(header["timestamp"], 16),
            postings=list(join_parts(postings)),
            settled=settled,
        )

    def _take(self, log: Json, postings: list[Posting], settled: list[Cause]) -> None:
        event = decode_event([bytes_of(topic) for topic in log["topics"]], bytes_of(log["data"]))
        match event:
            case events.CycleSettled():
                settled.append(Cause(Origin.CYCLE, event.id, event.digest))
            case events.InstructionSettled():
                settled.append(Cause(Origin.INSTRUCTION, event.id, event.terms_hash))
            case events.SetSettled():
                settled.append(Cause(Origin.SET, event.id, event.digest))
                settled.extend(Cause(Origin.INSTRUCTION, *each) for each in event.settled)
            case events.AssetRegistered() | None:
                pass
            case _:
                register = self._register_by_address[bytes_of(log["address"])]
                postings.append(posting_of(register, event))


def posting_of(register: Register, event: events.HoldingEvent | events.StagedEvent) -> Posting:
    """What a register's event did to its holdings."""
    kind = _KINDS[type(event)]
    reference = getattr(event, "reference", b"")
    keys, available = _changes(event)
    moves_held = kind in (PostingKind.HELD, PostingKind.RELEASED)
    held = -available if moves_held else np.zeros(len(keys), dtype=np.int64)
    return Posting(register, kind, reference, keys, available, held)


def _changes(event: events.HoldingEvent | events.StagedEvent) -> tuple[Column, Column]:
    """Holding keys, and what became of what is available there."""
    match event:
        case events.Issued(_, lines) | events.Booked(_, lines) | events.Staged(_, lines):
            return lines.keys, lines.amounts
        case events.Moved(_, moves):
            # They happened together: a holding passed through none of the balances in between.
            lines = moves.net()
            return lines.keys, lines.amounts
        case events.StagedBooked() | events.StagedDropped():
            return _columns([], [])
        case events.Redeemed(_, asset, account, amount) | events.Held(asset, account, amount):
            return _columns([line_key(asset, account)], [-amount])
        case events.Released(asset, account, amount):
            return _columns([line_key(asset, account)], [amount])
        case events.Transferred(_, asset, debtor, creditor, amount):
            both = [line_key(asset, debtor), line_key(asset, creditor)]
            return _columns(both, [-amount, amount])
        case _:
            assert_never(event)


def _columns(keys: list[int], amounts: list[int]) -> tuple[Column, Column]:
    return np.array(keys, dtype=np.int64), np.array(amounts, dtype=np.int64)
