"""Why a transaction failed, in the contract's own words.

The embedded chain and Besu (when told to) put the revert data into the receipt. Elsewhere the
transaction is traced, or asked again as a question against the block it failed in: a failed
transaction has changed nothing, so it fails there again, under the same time stamp.
"""

import rlp
from web3 import Web3

from ledger.chain.rpc.errors import revert_text
from nodes.engine import Json, Request, ask, bytes_of


def revert_words(w3: Web3, raw: bytes, receipt: Json) -> str:
    """The revert text behind a receipt; empty when it succeeded or no text can be had."""
    if receipt["status"] == "0x1":
        return ""
    text = revert_text(bytes_of(receipt.get("revertReason")))
    return text or _traced(w3, receipt) or _asked_again(w3, raw, receipt)


def _traced(w3: Web3, receipt: Json) -> str:
    request: Request = (
        "debug_traceTransaction",
        [receipt["transactionHash"], {"tracer": "callTracer"}],
    )
    trace: Json = ask(w3, request).get("result")
    return revert_text(bytes_of(trace.get("output"))) if isinstance(trace, dict) else ""


def _asked_again(w3: Web3, raw: bytes, receipt: Json) -> str:
    to, data, gas = _call_of(raw)
    call = {"from": receipt["from"], "input": "0x" + data.hex(), "gas": hex(gas)}
    if to:
        call["to"] = "0x" + to.hex()
    for block in (int(receipt["blockNumber"], 16), int(receipt["blockNumber"], 16) - 1):
        error: Json = ask(w3, ("eth_call", [call, hex(block)])).get("error")
        if isinstance(error, dict) and (text := revert_text(_revert_data(error))):
            return text
    return ""


def _revert_data(error: Json) -> bytes:
    """The data of an error, plain or (as some nodes have it) one level down."""
    data = error.get("data")
    return bytes_of(data.get("data") if isinstance(data, dict) else data)


def _call_of(raw: bytes) -> tuple[bytes, bytes, int]:
    """Recipient, data and gas of a raw EIP-1559 transaction."""
    assert raw[:1] == b"\x02", "keys sign EIP-1559 transactions only"
    fields = rlp.decode(raw[1:])
    return fields[5], fields[7], int.from_bytes(fields[4], "big")
