"""The seam to the chain: what the product needs of an engine beyond reading through web3.

An engine takes signed transactions into final blocks, says how far the chain is final, and what
time it is there. One is in this process; any other is behind an endpoint (external_engine.py).

The final height stands still until somebody looks: all nodes of one process then read the same
blocks, however fast the chain goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from contracts.deployment import Contracts
from ledger.chain.chain import Chain, FinalityState
from ledger.chain.rpc.errors import revert_text
from ledger.chain.rpc.provider import web3_of
from nodes.clock import Clock, pause

Json = Any
PATIENCE_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.05
Request = tuple[str, Sequence[Json]]

TRANSACTION_GAS: Final = 100_000_000
"""What a transaction may use at most, where a block has room for it."""


class EngineError(Exception):
    """The engine does not answer, refuses, or is not the one that was expected; says what to do."""


class UnfitEngineError(EngineError):
    """The engine answers, but cannot be used for this; nothing was changed."""


class EngineIdentity(msgspec.Struct, frozen=True):
    """Which chain an engine runs, wherever it is reached.

    Attributes:
        genesis: hash of block 0, as 0x-prefixed hex.
        contracts: addresses of the network's contracts on it; empty before they are created.
    """

    chain_id: int
    genesis: str
    contracts: tuple[str, ...] = ()

    def with_contracts(self, contracts: Contracts) -> "EngineIdentity":
        """The same chain, with the contracts on it."""
        at = contracts.addresses
        addresses = (at.participants, at.securities, at.cash, at.settlement, at.inclusion)
        return msgspec.structs.replace(
            self, contracts=tuple("0x" + address.hex() for address in addresses)
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a transaction, once final. ``revert`` is the contract's text if it failed."""

    block: int
    succeeded: bool
    revert: str
    contract: bytes | None


class Engine(Protocol):
    """A chain that the contracts run on."""

    @property
    def w3(self) -> Web3:
        """For reading contracts."""

    @property
    def chain_id(self) -> int:
        """What transactions are signed for."""

    def gas_limit(self, needed: int) -> int:
        """The gas limit of a transaction that may need so much; none costs anything."""

    @property
    def identity(self) -> EngineIdentity | None:
        """Which chain it is; None when it lives and dies with the state folder."""

    def require(self, chain_id: int, cycle_lines_max: int) -> None:
        """Raises UnfitEngineError unless it is the chain meant and the largest cycle has room."""

    def requests(self, requests: Sequence[Request]) -> list[Json]:
        """The results of JSON-RPC requests, together. Raises EngineError on the first error."""

    def look(self) -> int:
        """Learns how far the chain is final by now; returns that height."""

    def final_height(self) -> int:
        """The last final block, as of the last look."""

    def announce(self, raws: Sequence[bytes]) -> None:
        """Sends signed transactions in order, in one block if they fit, and waits for none of them.

        Says nothing of what it could not send: ``settle`` finds out about each.
        """

    def settle(self, raw: bytes, digest: bytes) -> Outcome:
        """Gets a signed transaction into a final block, once however often it is asked.

        Raises EngineError when that cannot be done; the same call may be made again later.
        """

    def chain_time(self) -> int:
        """About when the next block will be stamped; what deadlines are counted from."""

    def passed_time(self) -> int:
        """A time before which no later final block is stamped: what is over by it is over."""

    def close(self) -> None:
        """Releases what the engine holds."""


class EmbeddedEngine:
    """The chain in this process. ``patience_seconds`` is how long its validators may be away."""

    identity: EngineIdentity | None = None

    def __init__(
        self, chain: Chain, clock: Clock, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.chain = chain
        self._patience_seconds = patience_seconds
        self.w3 = web3_of(chain)
        self.chain_id = chain.config.chain_id
        self._clock = clock

    def gas_limit(self, needed: int) -> int:
        """The gas limit of a transaction that may need so much."""
        return max(needed, TRANSACTION_GAS)

    def require(self, chain_id: int, cycle_lines_max: int) -> None:
        """Always: this chain was made for the network."""

    def requests(self, requests: Sequence[Request]) -> list[Json]:
        """The results of JSON-RPC requests. Raises EngineError on the first error."""
        return [result_of(request, ask(self.w3, request)) for request in requests]

    def look(self) -> int:
        """Has made final what can be, and returns the last final block."""
        if self.chain.finality().is_halted or self.chain.pending_count:
            self.chain.advance()
        return self.chain.final.number

    def final_height(self) -> int:
        """The last final block."""
        return self.chain.final.number

    def announce(self, raws: Sequence[bytes]) -> None:
        """Seals transactions, as many in a block as fit."""
        self.chain.submit_all(raws)

    def settle(self, raw: bytes, digest: bytes) -> Outcome:
        """Seals the transaction into a block, unless it is in one. Raises EngineError.

        When the chain has halted, waits for its validators as long as patience lasts.
        """
        place = self.chain.store.place_of(digest)
        if place is None:
            self.requests([send_request(raw)])
        began = self._clock.stopwatch_ns()
        while (place := self.chain.store.place_of(digest)) is None or self._is_open(place[0]):
            if self._clock.stopwatch_ns() - began > self._patience_seconds * 1_000_000_000:
                raise EngineError(_halt_words(self.chain.finality()))
            pause(PAUSE_SECONDS)
            self.chain.advance()
        [receipt] = self.requests([receipt_request(digest)])
        return outcome_of(receipt, revert_text(bytes_of(receipt.get("revertReason"))))

    def chain_time(self) -> int:
        """The next block is stamped with the clock's time, and never before the last one."""
        return max(self._clock.chain_time(), self.chain.head.timestamp)

    def passed_time(self) -> int:
        """The next block is stamped with the clock's time, and never before the last one."""
        return self.chain_time()

    def close(self) -> None:
        """Releases validators and files."""
        self.chain.close()

    def _is_open(self, number: int) -> bool:
        return number > self.chain.final.number


def _halt_words(finality: FinalityState) -> str:
    words = "; ".join(f"{name}: {said}" for name, said in finality.words.items())
    return (
        f"the chain has halted: block {finality.sealed} needs {finality.quorum} votes ({words})."
        " It goes on when enough validators answer; nothing is lost"
    )


def ask(w3: Web3, request: Request) -> RPCResponse:
    """The JSON-RPC answer to one request."""
    provider = w3.provider
    assert isinstance(provider, BaseProvider)
    method, params = request
    return provider.make_request(RPCEndpoint(method), params)


def result_of(request: Request, response: RPCResponse) -> Json:
    """The result in an answer. Raises EngineError when it is an error, or no answer at all."""
    answer: Json = response  # what another process calls an answer
    if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
        raise EngineError(f"the answer to {request[0]} does not speak JSON-RPC: {answer!r:.80}")
    if answer.get("error") is not None:
        raise EngineError(f"{request[0]} was refused: {error_text(response)}")
    return answer.get("result")


def error_text(response: RPCResponse) -> str:
    """The message of an answer that is an error; empty when it is none."""
    error: Json = response.get("error")
    if error is None:
        return ""
    return str(error["message"]) if isinstance(error, dict) and "message" in error else str(error)


def receipt_request(digest: bytes) -> Request:
    """Asks for the receipt of a transaction."""
    return "eth_getTransactionReceipt", ["0x" + digest.hex()]


def send_request(raw: bytes) -> Request:
    """Sends a signed transaction."""
    return "eth_sendRawTransaction", ["0x" + raw.hex()]


def outcome_of(receipt: Json, revert: str) -> Outcome:
    """What a receipt says."""
    contract = receipt.get("contractAddress")
    return Outcome(
        block=int(receipt["blockNumber"], 16),
        succeeded=receipt["status"] == "0x1",
        revert=revert,
        contract=bytes_of(contract) if contract else None,
    )


def bytes_of(text: Json) -> bytes:
    """The bytes of 0x-prefixed hex; none of anything else."""
    if not isinstance(text, str) or not text.startswith("0x"):
        return b""
    return bytes.fromhex(text[2:])
