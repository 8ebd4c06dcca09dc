"""An engine behind a JSON-RPC endpoint: Besu, anvil, or any other Ethereum node.

It is another's process. It may be down for a while, be restarted without what waited in its pool,
stamp blocks by a clock of its own, and know a transaction that this process has no memory of having
sent. What is asked of it is therefore always asked by hash, and may be asked again.
"""

from collections.abc import Sequence
from typing import Final, Literal

from web3 import Web3
from web3.types import RPCEndpoint

from contracts.lines import LINES_PER_CALL_MAX
from nodes.clock import NS, WallClock, pause
from nodes.endpoint import Endpoint
from nodes.engine import (
    TRANSACTION_GAS,
    EngineError,
    EngineIdentity,
    Json,
    Outcome,
    Request,
    UnfitEngineError,
    ask,
    error_text,
    outcome_of,
    receipt_request,
    result_of,
    send_request,
)
from nodes.revert_words import revert_words

Finality = int | Literal["finalized"]
"""Blocks on top of a final one, or the tag by which the node itself names the last final block."""

CONNECT_PATIENCE_SECONDS: Final = 2.0
OUTAGE_PATIENCE_SECONDS: Final = 60.0
FINALITY_PATIENCE_SECONDS: Final = 180.0
LOST_GRACE_SECONDS: Final = 3.0
FIRST_PAUSE_SECONDS: Final = 0.002
PAUSE_SECONDS_MAX: Final = 0.25
REQUESTS_PER_BATCH_MAX: Final = 40
GAS_BASE: Final = 20_000_000
GAS_PER_CYCLE_LINE: Final = 55_000
"""A line in each register: two words of storage that may be new, calldata, checks; rounded up."""


class ExternalEngine:
    """The chain behind a URL. ``patience_seconds`` bounds how long its node may be down."""

    def __init__(
        self,
        url: str,
        finality: Finality = 0,
        *,
        patience_seconds: float = OUTAGE_PATIENCE_SECONDS,
        finality_patience_seconds: float = FINALITY_PATIENCE_SECONDS,
    ) -> None:
        self._clock = WallClock()
        self._endpoint = Endpoint(url, self._clock, min(CONNECT_PATIENCE_SECONDS, patience_seconds))
        self.name = self._endpoint.name
        self.w3 = Web3(self._endpoint)
        self._finality = finality
        self._finality_patience_seconds = finality_patience_seconds
        self._batches = True
        self._height = -1
        self._stamp_by_height: dict[int, int] = {}
        genesis, head, chain_id = self.requests(
            [_block_request("0x0"), _block_request("latest"), ("eth_chainId", [])]
        )
        if not (isinstance(genesis, dict) and isinstance(head, dict) and chain_id):
            raise EngineError(f"{self.name} has no chain yet: wait until its node is in sync")
        self._endpoint.patience_seconds = patience_seconds
        self.chain_id = int(chain_id, 16)
        self.block_gas_limit = int(head["gasLimit"], 16)
        self.identity: EngineIdentity | None = EngineIdentity(self.chain_id, genesis["hash"])
        self.look()

    def gas_limit(self, needed: int) -> int:
        """The gas limit of a transaction that may need so much, as far as a block has room."""
        return min(max(needed, TRANSACTION_GAS), self.block_gas_limit)

    def require(self, chain_id: int, cycle_lines_max: int) -> None:
        """Raises UnfitEngineError unless it is the chain meant and the largest cycle has room."""
        if self.chain_id != chain_id:
            raise UnfitEngineError(
                f"{self.name} is chain {self.chain_id}, this network is for chain {chain_id}:"
                " name the network's own node with --engine"
            )
        # A larger cycle goes in parts.
        lines_max = min(cycle_lines_max, LINES_PER_CALL_MAX)
        needed = GAS_BASE + GAS_PER_CYCLE_LINE * lines_max
        if self.block_gas_limit < needed:
            raise UnfitEngineError(
                f"the blocks of {self.name} have room for {self.block_gas_limit:,} gas, a cycle of"
                f" {lines_max:,} lines in each register may need {needed:,}: raise the block"
                " gas limit of the chain (docs/besu.md says how)"
            )

    def requests(self, requests: Sequence[Request]) -> list[Json]:
        """The results of JSON-RPC requests, as many at once as it takes. Raises EngineError."""
        results: list[Json] = []
        for first in range(0, len(requests), REQUESTS_PER_BATCH_MAX):
            results += self._together(requests[first : first + REQUESTS_PER_BATCH_MAX])
        return results

    def look(self) -> int:
        """Learns how far the chain is final by now. Raises EngineError when it stays behind."""
        began = self._clock.stopwatch_ns()
        while (height := self._read_height()) < self._height:
            # One address may stand for several nodes, of which one is a block behind.
            if self._clock.stopwatch_ns() - began < LOST_GRACE_SECONDS * NS:
                pause(PAUSE_SECONDS_MAX)
                continue
            raise EngineError(
                f"{self.name} is at block {height}, and was at final block {self._height} before:"
                " the node has lost blocks; restore it from a backup or another validator"
            )
        self._height = height
        return height

    def final_height(self) -> int:
        """The last final block, as of the last look."""
        return self._height

    def announce(self, raws: Sequence[bytes]) -> None:
        """Sends transactions; a node that has one already refuses it in words of its own."""
        for raw in raws:
            ask(self.w3, send_request(raw))

    def settle(self, raw: bytes, digest: bytes) -> Outcome:
        """Gets a signed transaction into a final block: looks it up, sends it when it is unknown.

        Sends the same bytes again when the node has forgotten them. Raises EngineError.
        """
        began = asked = self._clock.stopwatch_ns()
        wait, is_sent = FIRST_PAUSE_SECONDS, False
        while True:
            [receipt] = self.requests([receipt_request(digest)])
            if receipt is not None and self._is_final(int(receipt["blockNumber"], 16)):
                return outcome_of(receipt, revert_words(self.w3, raw, receipt))
            now = self._clock.stopwatch_ns()
            if receipt is None and (not is_sent or now - asked > LOST_GRACE_SECONDS * NS):
                self._send_unless_known(raw, digest, is_first=not is_sent)
                is_sent, asked = True, now
            if now - began > self._finality_patience_seconds * NS:
                raise EngineError(self._why_not_final(digest, receipt))
            pause(wait)
            wait = min(wait * 3 / 2, PAUSE_SECONDS_MAX)

    def chain_time(self) -> int:
        """The stamp of the block that the node would make now; else its head's, or the time here.

        A node that stamps by a clock of its own says so in its pending block; where there is none,
        an old head says nothing of the next block, and the machine's clock is the better guess.
        """
        latest = _block_request("latest")
        head = result_of(latest, ask(self.w3, latest))
        pending: Json = ask(self.w3, _block_request("pending")).get("result")
        stamp = int(head["timestamp"], 16)
        if pending and _number(pending) == int(head["number"], 16) + 1:
            return max(stamp, int(pending["timestamp"], 16))
        return max(stamp, self._clock.chain_time())

    def passed_time(self) -> int:
        """The stamp of the last final block; later ones are not stamped before it."""
        height = self._height
        if height not in self._stamp_by_height:
            [block] = self.requests([_block_request(hex(height))])
            self._stamp_by_height = {height: int(block["timestamp"], 16)}
        return self._stamp_by_height[height]

    def close(self) -> None:
        """Nothing is held but connections, which close with the process."""

    def _together(self, requests: Sequence[Request]) -> list[Json]:
        if self._batches and len(requests) > 1:
            batch = [(RPCEndpoint(method), params) for method, params in requests]
            answers = self._endpoint.make_batch_request(batch)
            if isinstance(answers, list) and len(answers) == len(requests):
                return [result_of(*pair) for pair in zip(requests, answers, strict=True)]
            self._batches = False  # the node takes no batches: one by one from here on
        return [result_of(request, ask(self.w3, request)) for request in requests]

    def _read_height(self) -> int:
        if self._finality == "finalized":
            [block] = self.requests([_block_request("finalized")])
            return int(block["number"], 16) if block else 0
        [head] = self.requests([("eth_blockNumber", [])])
        return max(int(head, 16) - self._finality, 0)

    def _is_final(self, block: int) -> bool:
        return block <= self._height or block <= self.look()

    def _send_unless_known(self, raw: bytes, digest: bytes, *, is_first: bool) -> None:
        """Sends, and does not mind an error as long as the node knows the transaction after it.

        Nodes have no common words for 'known already' and 'in a block already'.
        """
        if not is_first and self._is_known(digest):
            return
        refusal = error_text(ask(self.w3, send_request(raw)))
        if not refusal:
            return
        for _ in range(5):
            if self._is_known(digest):
                return
            pause(PAUSE_SECONDS_MAX)
        if "nonce too low" in refusal.lower():
            refusal += (
                ": the key has sent something else under this number; no other process and no other"
                " state folder may use the same seed on the same chain"
            )
        raise EngineError(f"{self.name} does not take transaction 0x{digest.hex()}: {refusal}")

    def _is_known(self, digest: bytes) -> bool:
        """Whether the node has the transaction in a block or in its pool."""
        found, receipt = self.requests(
            [("eth_getTransactionByHash", ["0x" + digest.hex()]), receipt_request(digest)]
        )
        return found is not None or receipt is not None

    def _why_not_final(self, digest: bytes, receipt: Json) -> str:
        name, seconds = f"transaction 0x{digest.hex()}", self._finality_patience_seconds
        if receipt is None:
            return (
                f"{name} is in no block of {self.name} after {seconds:.0f} s: the chain stands"
                " still, or its nodes do not take transactions of gas price zero or of this sender"
            )
        return (
            f"{name} is in block {int(receipt['blockNumber'], 16)} of {self.name}, which is not"
            f" final after {seconds:.0f} s (--finality {self._finality}, final up to"
            f" {self._height})"
        )


def _block_request(block: str) -> Request:
    return "eth_getBlockByNumber", [block, False]


def _number(block: Json) -> int | None:
    number = block.get("number")
    return int(number, 16) if isinstance(number, str) else None
