"""Signed envelopes: who says what to whom, on which network, once.

The sender signs an EIP-712 message under the domain of the network's own contract of participants,
chain id included: an envelope is good for one recipient, in one of its sessions, on one network.
The answer is signed by the recipient, for that envelope alone.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import msgspec
from eth_hash.auto import keccak

from contracts.typed_data import Domain
from ledger.chain.signatures import signer_of
from nodes.keys import Key
from nodes.wire.codec import MalformedMessageError

ENVELOPE_TYPE: Final = (
    "Envelope(string sender,string recipient,bytes session,bytes id,bytes path,string kind,"
    "string name,bytes32 body_hash)"
)
ANSWER_TYPE: Final = "Answer(bytes32 envelope,string status,string name,bytes32 body_hash)"
_ENVELOPE_TYPE_HASH: Final = keccak(ENVELOPE_TYPE.encode())
_ANSWER_TYPE_HASH: Final = keccak(ANSWER_TYPE.encode())

T = TypeVar("T")

SESSION_BYTES: Final = 16
PATH_MAX: Final = 16
"""How deep questions may be asked while answering others."""

Kind = Literal["message", "call"]
Status = Literal[
    "answer", "session", "stale", "refused", "malformed", "unreachable", "storage", "failed"
]


class Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A message or a desk's call on its way.

    Attributes:
        session: which start of the recipient's process it is for.
        start: which start of the sender's process it is from.
        number: counts what the sender has sent since then.
        path: the ids of the envelopes that are being answered while this one is sent.
        kind: a message of a node, or a call of the recipient's own desk.
    """

    sender: str
    recipient: str
    session: bytes
    start: bytes
    number: int
    path: tuple[bytes, ...]
    kind: Kind
    name: str
    body: bytes
    signature: bytes = b""

    @property
    def id(self) -> bytes:
        """What names it for good."""
        return self.start + self.number.to_bytes(8, "big")

    def struct_hash(self) -> bytes:
        """The EIP-712 hash of it."""
        return keccak(
            _ENVELOPE_TYPE_HASH
            + keccak(self.sender.encode())
            + keccak(self.recipient.encode())
            + keccak(self.session)
            + keccak(self.id)
            + keccak(b"".join(self.path))
            + keccak(self.kind.encode())
            + keccak(self.name.encode())
            + hashlib.sha256(self.body).digest()
        )


class Answer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the recipient answers; of anything but an answer the body is text that says why."""

    status: Status
    name: str
    body: bytes
    signature: bytes = b""

    def struct_hash(self, envelope: Envelope) -> bytes:
        """The EIP-712 hash of it, for the envelope that it answers."""
        return keccak(
            _ANSWER_TYPE_HASH
            + envelope.struct_hash()
            + keccak(self.status.encode())
            + keccak(self.name.encode())
            + hashlib.sha256(self.body).digest()
        )


@dataclass(frozen=True, slots=True)
class Seal:
    """How the envelopes of one network are signed and checked."""

    domain: Domain

    def sealed(self, envelope: Envelope, key: Key) -> bytes:
        """An envelope, signed, as bytes."""
        signature = key.sign(self.domain.digest(envelope.struct_hash()))
        return msgspec.msgpack.encode(msgspec.structs.replace(envelope, signature=signature))

    def is_of(self, envelope: Envelope, signer: bytes) -> bool:
        """Whether an address has signed an envelope."""
        return _is_signed(self.domain.digest(envelope.struct_hash()), envelope.signature, signer)

    def sealed_answer(self, answer: Answer, envelope: Envelope, key: Key) -> bytes:
        """An answer, signed, as bytes."""
        signature = key.sign(self.domain.digest(answer.struct_hash(envelope)))
        return msgspec.msgpack.encode(msgspec.structs.replace(answer, signature=signature))

    def opened_answer(self, content: bytes, envelope: Envelope, signer: bytes) -> Answer:
        """An answer in bytes. Raises MalformedMessageError unless an address gave it to this."""
        answer = _read(Answer, content)
        digest = self.domain.digest(answer.struct_hash(envelope))
        if not _is_signed(digest, answer.signature, signer):
            raise MalformedMessageError(f"{envelope.recipient} did not sign this answer")
        return answer


def opened(content: bytes) -> Envelope:
    """The envelope in bytes; nothing in it is checked yet. Raises MalformedMessageError."""
    envelope = _read(Envelope, content)
    is_whole = (
        len(envelope.start) == SESSION_BYTES
        and 0 <= envelope.number < 1 << 63
        and len(envelope.path) <= PATH_MAX
        and all(len(each) == SESSION_BYTES + 8 for each in envelope.path)
    )
    if not is_whole:
        raise MalformedMessageError("no envelope: its id or its path is none")
    return envelope


def _read(kind: type[T], content: bytes) -> T:
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedMessageError(f"no {kind.__name__}: {error}") from error


def _is_signed(digest: bytes, signature: bytes, signer: bytes) -> bool:
    try:
        return signer_of(digest, signature) == signer
    except ValueError:
        return False
