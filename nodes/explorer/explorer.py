"""Blocks and transactions, found, decoded and named. Reads only, and only final or sealed blocks.

What cannot be decoded is shown as such: whoever may send to the chain may write anything into it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3RPCError
from web3.types import BlockData, LogReceipt

from contracts.decoding import (
    DecodedCall,
    DecodedEvent,
    decode_call,
    decode_creation,
    decode_log,
    topics_of,
)
from contracts.deployment import Addresses
from ledger.chain.rpc.errors import revert_text
from ledger.domain.reasons import Reason, reason_of_revert
from nodes.explorer.acts import Act, act_of
from nodes.explorer.finality import FinalityOf, FinalityView, one_replica
from nodes.explorer.names import Names, to_hex
from nodes.explorer.settlements import LOG_BLOCKS_A_CALL, Settlements
from nodes.explorer.values import Field, LineTable, fields, line_tables
from nodes.network import Network

LOOKED_AT_MAX: Final = 8
"""Of how many transactions of a block the list of blocks says what they do."""

SUMMARIES_KEPT_MAX: Final = 4_096
_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_CYCLE = re.compile(r"(?:cycle|批次)\s*#?\s*([1-9][0-9]{0,9})", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})", re.ASCII)


@dataclass(frozen=True, slots=True)
class TransactionSummary:
    """A transaction in a list. ``reason`` is why it was refused, if the text is one of ours."""

    hash: bytes
    block: int
    position: int
    sender: str
    contract: str
    act: Act
    succeeded: bool
    revert: str
    reason: Reason | None
    gas_used: int


@dataclass(frozen=True, slots=True)
class BlockSummary:
    """A block in a list; ``acts`` are those of its first transactions."""

    number: int
    hash: bytes
    time: str
    transaction_count: int
    gas_used: int
    finality: FinalityView
    transactions: tuple[TransactionSummary, ...]


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block with a page of its transactions. ``hashes`` are the header's, by name."""

    summary: BlockSummary
    proposer: str
    gas_limit: int
    size_bytes: int
    hashes: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class EventView:
    """An event; ``name`` is empty when it is none of ours."""

    index: int
    block: int
    transaction: bytes
    contract: str
    name: str
    values: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class TransactionView:
    """A transaction with everything that is known of it.

    Attributes:
        reference: id of the cycle, set or instruction that it settles; empty when it settles none.
        cycle: the number of that cycle.
        lines: the net lines it carries, by register.
        data: the raw calldata.
    """

    summary: TransactionSummary
    block_hash: bytes
    time: str
    finality: FinalityView
    function: str
    arguments: tuple[Field, ...]
    lines: tuple[LineTable, ...]
    events: tuple[EventView, ...]
    signatures: int
    reference: bytes
    cycle: int | None
    nonce: int
    gas_limit: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """What a search leads to: a block or a transaction."""

    block: int | None = None
    transaction: bytes | None = None


class Explorer:
    """A look at one chain, with the names of one network."""

    def __init__(
        self,
        network: Network,
        w3: Web3,
        addresses: Addresses,
        finality: FinalityOf = one_replica,
    ) -> None:
        self.names = Names(network, w3, addresses)
        self._w3 = w3
        self._settlements = Settlements(w3, addresses.settlement)
        self._finality = finality
        # A transaction in a block of this hash never changes, so that its summary can be kept.
        self._summary = lru_cache(SUMMARIES_KEPT_MAX)(self._read_summary)
        self._hash_by_reference = lru_cache(SUMMARIES_KEPT_MAX)(self._settlements.transaction)

    def height(self) -> int:
        """The number of the last block."""
        return int(self._w3.eth.get_block_number())

    def blocks(self, below: int | None, limit: int) -> list[BlockSummary]:
        """At most so many blocks, newest first, below a number (from the last one when None)."""
        end = self.height() + 1
        end = end if below is None else max(0, min(below, end))
        numbers = range(end - 1, max(end - 1 - limit, -1), -1)
        return [
            self._block_summary(self._w3.eth.get_block(number), 0, LOOKED_AT_MAX)
            for number in numbers
        ]

    def block(self, id: int | bytes, first: int, limit: int) -> BlockView | None:
        """A block by number or hash, with some of its transactions; None when there is none."""
        found = self._find_block(id)
        if found is None:
            return None
        names = ("hash", "parentHash", "stateRoot", "transactionsRoot", "receiptsRoot")
        return BlockView(
            summary=self._block_summary(found, first, limit),
            proposer=self.names.holder(_address(found["miner"]) or b""),
            gas_limit=found["gasLimit"],
            size_bytes=found.get("size", 0),
            hashes=tuple(Field(name, to_hex(found[name])) for name in names),  # type: ignore[literal-required] # the names above
        )

    def transaction(self, hash: bytes) -> TransactionView | None:
        """A transaction that is in a block; None when there is none of this hash."""
        try:
            sent = self._w3.eth.get_transaction(HexBytes(hash))
            receipt = self._w3.eth.get_transaction_receipt(HexBytes(hash))
        except TransactionNotFound:
            return None
        block = self._w3.eth.get_block(receipt["blockNumber"])
        summary = self._summary(bytes(receipt["blockHash"]), hash)
        call = self._call(sent)
        reference = _reference(call)
        return TransactionView(
            summary=summary,
            block_hash=bytes(receipt["blockHash"]),
            time=self.names.time(block["timestamp"]),
            finality=self._finality(summary.block),
            function=call.function if call else "",
            arguments=fields(call.contract, call.arguments, self.names) if call else (),
            lines=line_tables(call.contract, call.arguments, self.names) if call else (),
            events=tuple(self._event(log) for log in receipt["logs"]),
            signatures=_count(
                summary.act.facts.get("signatures", int(summary.act.kind == "redeem"))
            ),
            reference=reference,
            cycle=self.names.cycle(reference) if reference else None,
            nonce=sent["nonce"],
            gas_limit=sent["gas"],
            data=bytes(sent["input"]),
        )

    def settling(self, reference: bytes, block: int) -> bytes | None:
        """The hash of the transaction in a block that settled a cycle, a set or an instruction."""
        return self._hash_by_reference(reference, block, block)

    def find(self, text: str) -> Found | None:
        """What a number, a hash, a cycle's or instruction's id, or ``cycle 12`` means here."""
        text = text.strip()
        if _NUMBER.fullmatch(text):
            return Found(block=int(text)) if int(text) <= self.height() else None
        if cycle := _CYCLE.fullmatch(text):
            return self._find_settled(self.names.cycle_id(int(cycle[1])))
        digest = parse_hash(text)
        if digest is None:
            return None
        block = self._find_block(digest)
        if block is not None:
            return Found(block=block["number"])
        try:
            self._w3.eth.get_transaction(HexBytes(digest))
        except TransactionNotFound:
            return self._find_settled(digest)
        return Found(transaction=digest)

    def logs(self, event: str | None, first: int, last: int) -> Iterator[EventView]:
        """Events of our contracts in blocks from first to last; of one name, or all."""
        topics = sorted(topics_of(event)) if event else []
        for start in range(first, last + 1, LOG_BLOCKS_A_CALL):
            logs = self._w3.eth.get_logs(
                {
                    "fromBlock": start,
                    "toBlock": min(start + LOG_BLOCKS_A_CALL - 1, last),
                    "topics": [[to_hex(topic) for topic in topics]] if topics else [],
                }
            )
            yield from (self._event(log) for log in logs)

    def _find_block(self, id: int | bytes) -> BlockData | None:
        if isinstance(id, int) and id > self.height():
            return None
        try:
            return self._w3.eth.get_block(HexBytes(id) if isinstance(id, bytes) else id)
        except BlockNotFound:
            return None

    def _find_settled(self, reference: bytes) -> Found | None:
        digest = self._settlements.transaction(reference, 0, self.height())
        return Found(transaction=digest) if digest else None

    def _block_summary(self, block: BlockData, first: int, limit: int) -> BlockSummary:
        hashes = [bytes(each) for each in block["transactions"]]  # type: ignore[arg-type] # hashes only
        return BlockSummary(
            number=block["number"],
            hash=bytes(block["hash"]),
            time=self.names.time(block["timestamp"]),
            transaction_count=len(hashes),
            gas_used=block["gasUsed"],
            finality=self._finality(block["number"]),
            transactions=tuple(
                self._summary(bytes(block["hash"]), digest)
                for digest in hashes[first : first + limit]
            ),
        )

    def _read_summary(self, _block_hash: bytes, hash: bytes) -> TransactionSummary:
        sent = self._w3.eth.get_transaction(HexBytes(hash))
        receipt = self._w3.eth.get_transaction_receipt(HexBytes(hash))
        sender, to = _address(sent["from"]), _address(sent.get("to"))
        assert sender is not None
        succeeded = receipt["status"] == 1
        revert = "" if succeeded else self._revert(sent, receipt)
        return TransactionSummary(
            hash=hash,
            block=receipt["blockNumber"],
            position=receipt["transactionIndex"],
            sender=self.names.holder(sender),
            contract=self.names.contract(to or _address(receipt.get("contractAddress"))),
            act=act_of(self._call(sent), self.names, sender, to),
            succeeded=succeeded,
            revert=revert,
            reason=_reason(revert),
            gas_used=receipt["gasUsed"],
        )

    def _call(self, sent: Any) -> DecodedCall | None:  # noqa: ANN401 # web3's TxData, all keys optional
        to, data = _address(sent.get("to")), bytes(sent["input"])
        if to is None:
            return decode_creation(data)
        contract = self.names.contract(to)
        return decode_call(contract, data) if contract else None

    def _revert(self, sent: Any, receipt: Any) -> str:  # noqa: ANN401 # web3's TxData and TxReceipt
        """Why a transaction failed: as its receipt says, or as it fails when it is run again."""
        if "revertReason" in receipt:
            return _shown(revert_text(bytes(HexBytes(receipt["revertReason"]))))
        again = {name: sent[name] for name in ("from", "to", "gas") if sent.get(name)}
        try:
            self._w3.eth.call(again | {"data": sent["input"]}, receipt["blockNumber"] - 1)  # type: ignore[arg-type] # made above
        except ContractLogicError as error:
            data = error.data if isinstance(error.data, str) else ""
            return _shown(revert_text(bytes(HexBytes(data))) or (error.message or ""))
        except Web3RPCError:
            return ""
        return ""

    def _event(self, log: LogReceipt) -> EventView:
        contract = self.names.contract(_address(log["address"]))
        event = self._decoded(contract, log)
        return EventView(
            index=log["logIndex"],
            block=log["blockNumber"],
            transaction=bytes(log["transactionHash"]),
            contract=contract or str(log["address"]),
            name=event.event if event else "",
            values=fields(contract, event.values, self.names) if event else (),
        )

    def _decoded(self, contract: str, log: LogReceipt) -> DecodedEvent | None:
        if not contract:
            return None
        return decode_log(contract, [bytes(topic) for topic in log["topics"]], bytes(log["data"]))


def parse_hash(text: str) -> bytes | None:
    """The hash in hex text with ``0x``; None when it is none."""
    return bytes.fromhex(text[2:]) if _HASH.fullmatch(text) else None


def parse_block_id(text: str) -> int | bytes | None:
    """The number or hash of a block; None when the text is neither."""
    return int(text) if _NUMBER.fullmatch(text) else parse_hash(text)


def _reference(call: DecodedCall | None) -> bytes:
    """The id of the cycle, set or instruction that a call settles; empty when it settles none."""
    struct = {
        "settle_cycle": "cycle",
        "settle_cycle_gross": "cycle",
        "settle_set": "set",
        "settle_instruction": "instruction",
    }
    if call is not None and call.function == "settle_staged":
        return bytes(call["id"])
    if call is None or call.function not in struct:
        return b""
    terms: Sequence[Any] = call[struct[call.function]]
    return next(bytes(named.value) for named in terms if named.name == "id")


def _reason(revert: str) -> Reason | None:
    try:
        return reason_of_revert(revert)
    except KeyError:
        return None


def _address(text: Any) -> bytes | None:  # noqa: ANN401 # web3 gives text, bytes or None
    return bytes(HexBytes(text)) if text else None


def _count(value: str | int) -> int:
    return value if isinstance(value, int) else 0


def _shown(text: str) -> str:
    """A foreign text without what a terminal would obey."""
    return "".join(char for char in text if char.isprintable())[:200]
