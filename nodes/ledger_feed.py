"""The feed: final blocks, read through web3, in the ledger's own words.

Any engine that speaks JSON-RPC can stand behind it. Blocks are read once and kept for a while,
since all nodes of one process want the same ones.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, assert_never

import numpy as np
from web3 import Web3
from web3.types import LogReceipt

from contracts import events
from contracts.deployment import Contracts
from contracts.events import decode_event
from contracts.lines import Column, line_key
from ledger.books.postings import Cause, FinalBlock, Origin, Posting, PostingKind, Register

KEPT_BLOCKS_MAX: Final = 64


class LedgerFeed:
    """Final blocks of one chain, with what they did to the registers."""

    def __init__(self, w3: Web3, contracts: Contracts) -> None:
        self._w3 = w3
        self._contracts = contracts
        self._register_by_address = {
            contracts.addresses.securities: Register.SECURITIES,
            contracts.addresses.cash: Register.CASH,
        }
        self._kept: OrderedDict[int, FinalBlock] = OrderedDict()

    def height(self) -> int:
        """The number of the last final block."""
        return int(self._w3.eth.get_block_number())

    def blocks_after(self, height: int) -> Iterator[FinalBlock]:
        """The final blocks above a height, in order."""
        for number in range(height + 1, self.height() + 1):
            yield self._kept.get(number) or self._read(number)

    def _read(self, number: int) -> FinalBlock:
        header = self._w3.eth.get_block(number)
        addresses = self._contracts.addresses
        logs = self._w3.eth.get_logs(
            {
                "fromBlock": number,
                "toBlock": number,
                "address": [
                    Web3.to_checksum_address(address)
                    for address in (addresses.securities, addresses.cash, addresses.settlement)
                ],
            }
        )
        postings: list[Posting] = []
        settled: list[Cause] = []
        for log in logs:
            self._take(log, postings, settled)
        block = FinalBlock(
            number=number,
            hash=bytes(header["hash"]),
            parent_hash=bytes(header["parentHash"]),
            timestamp=header["timestamp"],
            postings=postings,
            settled=settled,
        )
        self._kept[number] = block
        while len(self._kept) > KEPT_BLOCKS_MAX:
            self._kept.popitem(last=False)
        return block

    def _take(self, log: LogReceipt, postings: list[Posting], settled: list[Cause]) -> None:
        event = decode_event([bytes(topic) for topic in log["topics"]], bytes(log["data"]))
        match event:
            case events.CycleSettled():
                settled.append(Cause(Origin.CYCLE, event.id, event.digest))
            case events.InstructionSettled():
                settled.append(Cause(Origin.INSTRUCTION, event.id, event.terms_hash))
            case events.AssetRegistered() | None:
                pass
            case _:
                register = self._register_by_address[bytes.fromhex(log["address"][2:])]
                postings.append(posting_of(register, event))


def posting_of(register: Register, event: events.HoldingEvent) -> Posting:
    """What a register's event did to its holdings."""
    match event:
        case events.Issued(reference, lines):
            kind, keys, available = PostingKind.ISSUED, lines.keys, lines.amounts
        case events.Booked(reference, lines):
            kind, keys, available = PostingKind.BOOKED, lines.keys, lines.amounts
        case events.Redeemed(reference, asset, account, amount):
            kind = PostingKind.REDEEMED
            keys, available = _columns([line_key(asset, account)], [-amount])
        case events.Transferred(reference, asset, debtor, creditor, amount):
            kind = PostingKind.TRANSFERRED
            both = [line_key(asset, debtor), line_key(asset, creditor)]
            keys, available = _columns(both, [-amount, amount])
        case events.Held(asset, account, amount):
            kind, reference = PostingKind.HELD, b""
            keys, available = _columns([line_key(asset, account)], [-amount])
        case events.Released(asset, account, amount):
            kind, reference = PostingKind.RELEASED, b""
            keys, available = _columns([line_key(asset, account)], [amount])
        case _:
            assert_never(event)
    moves_held = kind in (PostingKind.HELD, PostingKind.RELEASED)
    held = -available if moves_held else np.zeros(len(keys), dtype=np.int64)
    return Posting(register, kind, reference, keys, available, held)


def _columns(keys: list[int], amounts: list[int]) -> tuple[Column, Column]:
    return np.array(keys, dtype=np.int64), np.array(amounts, dtype=np.int64)
