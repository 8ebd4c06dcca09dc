"""Carries signed envelopes to nodes in other processes, and what comes back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from ledger.books.database import StorageError
from ledger.domain.errors import MalformedError
from nodes.bus import Handler, UnreachableError
from nodes.keys import Key, fresh_session
from nodes.messages import Message
from nodes.turns import Turns
from nodes.wire.codec import MalformedMessageError
from nodes.wire.contents import (
    Content,
    Method,
    packed_call,
    packed_message,
    unpacked_answer,
    unpacked_result,
)
from nodes.wire.directory import Directory
from nodes.wire.envelope import Answer, Envelope, Kind
from nodes.wire.http_post import Post
from nodes.wire.signers import Signers

PATH: Final = "/messages"
OK: Final = 200
SERVER_ERRORS: Final = 500


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name something is sent, and the key for it."""

    id: str
    key: Key


@dataclass(slots=True)
class _Line:
    """What was sent to one recipient.

    Each has a start of its own: nobody can name what others are being asked, and have it lent.
    """

    start: bytes = field(default_factory=fresh_session)
    numbers: Iterator[int] = field(default_factory=count)
    session: bytes = b""


class Courier:
    """What one process sends to the nodes of others."""

    def __init__(self, directory: Directory, signers: Signers, post: Post, turns: Turns) -> None:
        self._directory = directory
        self._signers = signers
        self._seal = signers.seal()
        self._post = post
        self._turns = turns
        self._lines: dict[str, _Line] = {}

    def message(self, sender: Sender, recipient: str, message: Message) -> object:
        """Delivers a message of a node. Raises UnreachableError, PermissionError, StorageError."""
        content = packed_message(message)
        return self._ask(sender, recipient, "message", content, unpacked_answer)

    def call(
        self, desk: Sender, method: Method, args: tuple[Any, ...], named: dict[str, Any]
    ) -> object:
        """Calls a method of a desk's own node. Raises as ``message`` does, and MalformedError."""
        content = (method.__name__, packed_call(method, args, named))
        return self._ask(
            desk, desk.id, "call", content, lambda name, body: unpacked_result(method, name, body)
        )

    def _ask(
        self,
        sender: Sender,
        recipient: str,
        kind: Kind,
        content: Content,
        read: Callable[[str, bytes], object],
    ) -> object:
        signer = self._signers.of(recipient)
        if signer is None:
            raise UnreachableError(f"there is no {recipient}")
        for _ in range(2):
            answer = self._exchange(sender, recipient, kind, content, signer)
            if answer.status != "session":
                break
            # It has started anew since: what was sent to its last session counts there no more.
            self._line(recipient).session = answer.body
        if answer.status == "stale":
            # Whether it was done is not known. The next one begins anew.
            self._lines.pop(recipient, None)
        if answer.status == "answer":
            try:
                return read(answer.name, answer.body)
            except MalformedMessageError as error:
                raise UnreachableError(f"{recipient} makes no sense: {error}") from error
        said = answer.body.decode(errors="replace")
        why = f"{recipient}: {said}"
        match answer.status:
            case "malformed" if kind == "call":
                raise MalformedError(answer.name, said)
            case "refused":
                raise PermissionError(why)
            case "storage":
                raise StorageError(why)
            case _:
                raise UnreachableError(why)

    def _exchange(
        self, sender: Sender, recipient: str, kind: Kind, content: Content, signer: bytes
    ) -> Answer:
        port = self._directory.port_of(recipient)
        if not port:
            raise UnreachableError(f"{recipient} does not listen")
        line = self._line(recipient)
        number = next(line.numbers)
        with self._turns.asking(line.start + number.to_bytes(8, "big")) as path:
            envelope = Envelope(
                sender=sender.id,
                recipient=recipient,
                session=line.session,
                start=line.start,
                number=number,
                path=path,
                kind=kind,
                name=content[0],
                body=content[1],
            )
            status, body = self._post.send(port, PATH, self._seal.sealed(envelope, sender.key))
        if status >= SERVER_ERRORS:
            raise UnreachableError(f"{recipient} is not ready")
        if status != OK:
            raise PermissionError(f"{recipient}: {body[:200].decode(errors='replace')}")
        try:
            return self._seal.opened_answer(body, envelope, signer)
        except MalformedMessageError as error:
            raise UnreachableError(f"somebody else answers for {recipient}: {error}") from error

    def _line(self, recipient: str) -> _Line:
        return self._lines.setdefault(recipient, _Line())


class HttpBus:
    """The bus of a process that has one node: it speaks for that one only."""

    def __init__(self, courier: Courier, sender: Sender) -> None:
        self._courier = courier
        self._sender = sender

    def register(self, participant: str, handler: Handler) -> None:
        """The process serves its node by itself (``nodes.wire.host``)."""

    def request(self, sender: str, recipient: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Delivers a message; returns the answer. Raises UnreachableError."""
        assert sender == self._sender.id, "a process speaks for its own node"
        return self._courier.message(self._sender, recipient, message)
