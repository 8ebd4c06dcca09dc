"""A node behind its port: opens envelopes, checks who sent them, and answers each once."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from ledger.books.database import StorageError
from ledger.domain.errors import MalformedError
from ledger.logs import logger_of
from nodes.bus import UnreachableError, disturbed
from nodes.engine import EngineError
from nodes.keys import fresh_session
from nodes.messages import StatementRequest, UnsoundAssets
from nodes.node import Node
from nodes.turns import TURN_SECONDS_MAX, OverError, Turns
from nodes.wire.codec import MalformedMessageError
from nodes.wire.contents import (
    Content,
    method_of,
    packed_answer,
    packed_result,
    unpacked_call,
    unpacked_message,
)
from nodes.wire.deliveries import Deliveries, StaleError
from nodes.wire.envelope import Answer, Envelope, Status, opened
from nodes.wire.signers import Signers

ASIDE_SECONDS_MAX: Final = 1.0
_ASIDE: Final = (StatementRequest.__name__, UnsoundAssets.__name__)

log = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a body that came to the port. Only with ``OK`` is it signed."""

    status: HTTPStatus
    body: bytes


class NodeHost:
    """Serves one node, in one session: from its start to its end."""

    def __init__(self, node: Node, signers: Signers, turns: Turns, desk: bytes | None) -> None:
        """``desk`` is the address of the node's own desk; None: it has none in other processes."""
        self._node = node
        self._signers = signers
        self._seal = signers.seal()
        self._turns = turns
        self._desk = desk
        self._session = fresh_session()
        self._deliveries = Deliveries()

    def take(self, content: bytes) -> Taken:
        """Answers an envelope, unless it is for another, or not from who it says."""
        try:
            envelope = opened(content)
        except MalformedMessageError as error:
            return Taken(HTTPStatus.BAD_REQUEST, str(error).encode())
        try:
            flaw = self._flaw_of(envelope)
        except EngineError:
            return Taken(HTTPStatus.SERVICE_UNAVAILABLE, b"the chain does not answer")
        if flaw:
            return Taken(HTTPStatus.FORBIDDEN, flaw.encode())
        return Taken(HTTPStatus.OK, self._answer(envelope))

    def _flaw_of(self, envelope: Envelope) -> str:
        """Why an envelope is not even looked into; nothing when it is."""
        if envelope.recipient != self._node.id:
            return f"this is {self._node.id}, not who it is for"
        if envelope.kind == "call":
            signer = self._desk if envelope.sender == self._node.id else None
        else:
            signer = self._signers.of(envelope.sender)
        if signer is None or not self._seal.is_of(envelope, signer):
            return "not signed by its sender for this network"
        return "" if envelope.path[-1:] == (envelope.id,) else "the path does not end with its id"

    def _answer(self, envelope: Envelope) -> bytes:
        if envelope.session != self._session:
            return self._sealed(envelope, Answer("session", "", self._session))
        sender = f"{envelope.sender}/{envelope.kind}"
        try:
            return self._deliveries.once(
                sender,
                envelope.start,
                envelope.number,
                lambda: self._sealed(envelope, self._done(envelope)),
            )
        except StaleError as error:
            return self._sealed(envelope, Answer("stale", "", str(error).encode()))

    def _done(self, envelope: Envelope) -> Answer:
        """Does what an envelope asks for, in the node's turn; errors are answers too."""
        status: Status
        try:
            with self._turns.answering(envelope.path, _patience(envelope)):
                name, body = self._handled(envelope)
                return Answer("answer", name, body)
        except (PermissionError, MalformedMessageError, NotImplementedError) as error:
            status, why = "refused", str(error)
        except MalformedError as error:
            return Answer("malformed", error.expected, str(error.found).encode())
        except StorageError as error:
            status, why = "storage", str(error)
        except (UnreachableError, EngineError, OverError) as error:
            status, why = "unreachable", str(error)
        except Exception as error:
            # Of somebody who may send anything: the node goes on.
            log.exception("message.failed", kind=envelope.name, sender=envelope.sender)
            status, why = "failed", type(error).__name__
        return Answer(status, "", why.encode())

    def _handled(self, envelope: Envelope) -> Content:
        node = self._node
        if envelope.kind == "message":
            message = unpacked_message(envelope.name, envelope.body)
            if isinstance(message, StatementRequest):
                # As of the last block: whoever asks has followed the chain before.
                node.catch_up()
            answer = disturbed(node.disturbance, node.handle, envelope.sender, message)
            return packed_answer(answer)
        method = method_of(type(node), envelope.name)
        result = method(node, **unpacked_call(method, envelope.body))
        return packed_result(method, result)

    def _sealed(self, envelope: Envelope, answer: Answer) -> bytes:
        return self._seal.sealed_answer(answer, envelope, self._node.key)


def _patience(envelope: Envelope) -> float:
    """How long an envelope waits for the node's turn.

    Who sends one of these of its own accord keeps its own turn meanwhile, and whoever it asks may
    be waiting for just that: it asks again later.
    """
    is_aside = envelope.name in _ASIDE and len(envelope.path) == 1
    return ASIDE_SECONDS_MAX if is_aside else TURN_SECONDS_MAX
