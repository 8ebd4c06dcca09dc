"""The envelope of JSON-RPC 2.0: single requests, batches and notifications, in and out.

``read`` turns bytes into requests; ``answer`` turns one request into the bytes of its response,
whatever goes wrong; ``joined`` makes one body of them.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    RESPONSE_TOO_LARGE,
    RpcError,
    invalid_params,
)
from ledger.chain.rpc.table import handle
from ledger.chain.rpc.values import Json, parse_data
from ledger.logs import logger_of

SEND_RAW: Final = "eth_sendRawTransaction"
BATCH_MAX: Final = 500
BODY_BYTES_MAX: Final = 5 * 1024 * 1024
OPENINGS_MAX: Final = 5_000
RESPONSE_BYTES_MAX: Final = 25 * 1024 * 1024

Id: TypeAlias = "str | int | float | None"

log = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. A notification wants no answer."""

    method: str
    params: Sequence[Json]
    id: Id
    is_notification: bool


@dataclass(frozen=True, slots=True)
class Malformed:
    """What stands where a request should be."""

    id: Id
    error: RpcError


Entry: TypeAlias = Request | Malformed


@dataclass(frozen=True, slots=True)
class Envelope:
    """The requests of one body, in order."""

    entries: Sequence[Entry]
    is_batch: bool


def read(body: bytes) -> Envelope:
    """The requests in a body. Raises RpcError when there is none to answer."""
    content = _parse(body)
    if not isinstance(content, list):
        return Envelope([_entry(content)], is_batch=False)
    if not content:
        raise RpcError(INVALID_REQUEST, "the batch is empty")
    if len(content) > BATCH_MAX:
        message = f"the batch has {len(content)} requests: at most {BATCH_MAX}"
        raise RpcError(INVALID_REQUEST, message)
    return Envelope([_entry(each) for each in content], is_batch=True)


def send_together(backend: Backend, entries: Sequence[Entry]) -> None:
    """Submits all transactions of a batch at once, so that they share blocks.

    Each is answered in its turn afterwards: what was taken is known by then, and what was not is
    refused again with its reason.
    """
    raws = []
    for entry in entries:
        if isinstance(entry, Request) and entry.method == SEND_RAW and len(entry.params) == 1:
            with suppress(RpcError):
                raws.append(parse_data(entry.params[0]))
    if len(raws) > 1:
        backend.chain.submit_all(raws)


def answer(backend: Backend, entry: Entry) -> bytes | None:
    """The response to one request; None to a notification. Never raises."""
    if isinstance(entry, Malformed):
        return error_response(entry.id, entry.error)
    try:
        response = response_to(entry.id, handle(backend, entry.method, entry.params))
    except RpcError as error:
        response = error_response(entry.id, error)
    except Exception:
        log.exception("rpc.failed", method=entry.method)
        response = error_response(entry.id, RpcError(INTERNAL_ERROR, "internal error"))
    return None if entry.is_notification else response


def response_to(id: Id, result: Json) -> bytes:
    """A response with a result, or with an error when the result is too large to send."""
    response = msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": result})
    return response if len(response) <= RESPONSE_BYTES_MAX else too_large(id)


def error_response(id: Id, error: RpcError) -> bytes:
    """A response with an error."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "error": error_form(error)})


def error_form(error: RpcError) -> dict[str, Json]:
    """An error as JSON-RPC writes it."""
    form: dict[str, Json] = {"code": error.code, "message": error.message}
    if error.data is not None:
        form["data"] = error.data
    return form


def too_large(id: Id) -> bytes:
    """The response in place of one that is too large."""
    message = f"the response is above {RESPONSE_BYTES_MAX} bytes: ask for less at once"
    return error_response(id, RpcError(RESPONSE_TOO_LARGE, message))


def joined(responses: Sequence[bytes], *, is_batch: bool) -> bytes | None:
    """The body that carries responses; None when there is nothing to say."""
    if not responses:
        return None
    return b"[" + b",".join(responses) + b"]" if is_batch else responses[0]


def openings(body: bytes | bytearray) -> int:
    """How many lists and objects a body opens, or more: brackets in texts count too."""
    return body.count(b"[") + body.count(b"{")


def _entry(content: Json) -> Entry:
    if not isinstance(content, Mapping):
        return Malformed(None, RpcError(INVALID_REQUEST, "a request is an object"))
    id, method, params = content.get("id"), content.get("method"), content.get("params")
    if isinstance(id, bool) or not isinstance(id, str | int | float | None):
        return Malformed(None, RpcError(INVALID_REQUEST, "an id is a string, a number or null"))
    if content.get("jsonrpc") != "2.0":
        return Malformed(id, RpcError(INVALID_REQUEST, "expected 'jsonrpc': '2.0'"))
    if not isinstance(method, str):
        return Malformed(id, RpcError(INVALID_REQUEST, "expected 'method', a string"))
    if params is not None and not isinstance(params, list):
        return Malformed(id, invalid_params("parameters are given by place, in a list"))
    return Request(method, params or [], id, is_notification="id" not in content)


def _parse(body: bytes) -> Json:
    # The interpreter's recursion limit does not protect: web3.py lifts it above the C stack.
    if openings(body) > OPENINGS_MAX:
        raise RpcError(PARSE_ERROR, f"nested too deeply, or above {OPENINGS_MAX} lists and objects")
    try:
        content: Json = msgspec.json.decode(body)
    except RecursionError:
        raise RpcError(PARSE_ERROR, "nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RpcError(PARSE_ERROR, f"not JSON: {error}") from None
    return content
