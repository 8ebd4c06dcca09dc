"""What an envelope may hold: messages between nodes, calls of a desk, and the answers to both.

The tables are closed: a name that is not in them is refused before anything is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from contracts.typed_data import CycleMessage
from ledger.clearing.commitment import ShownChunks
from nodes.for_desk import is_for_desk
from nodes.messages import (
    Accepted,
    Affirmation,
    AffirmationRequest,
    AffirmedLate,
    AllegementRequest,
    Allegements,
    AmendedSide,
    Attestation,
    Back,
    CapturedBatch,
    CycleProposal,
    Disagreement,
    Dissolved,
    EnteredSide,
    Matched,
    Message,
    RedemptionRequest,
    ReportedLate,
    SetProposal,
    SignedCycle,
    SignedSet,
    Statement,
    StatementRequest,
    UnsoundAssets,
    WithdrawnSide,
)
from nodes.wire.codec import MalformedMessageError, arguments_of, packed, unpacked


@dataclass(frozen=True, slots=True)
class ShownCycle:
    """A proposal of a cycle as it travels: its chunks are made before it is sent."""

    cycle: CycleMessage
    chunks: ShownChunks


MESSAGES: Final = (
    AffirmationRequest,
    CapturedBatch,
    CycleProposal,
    SignedCycle,
    SetProposal,
    SignedSet,
    RedemptionRequest,
    StatementRequest,
    EnteredSide,
    WithdrawnSide,
    AmendedSide,
    AllegementRequest,
    Matched,
    Dissolved,
    Back,
    UnsoundAssets,
    ReportedLate,
    AffirmedLate,
)
ANSWERS: Final = (Accepted, Affirmation, Allegements, Attestation, Disagreement, Statement)

_FORMS: Final[Mapping[str, Any]] = {
    each.__name__: ShownCycle if each is CycleProposal else each for each in MESSAGES
}
_ANSWERS: Final[Mapping[str, Any]] = {each.__name__: each for each in ANSWERS}

Content = tuple[str, bytes]
"""The name of what it is, and its bytes."""


def packed_message(message: Message) -> Content:
    """A message as it travels."""
    form: object = message
    if isinstance(message, CycleProposal):
        form = ShownCycle(message.cycle, message.chunks())
    return type(message).__name__, packed(form)


def unpacked_message(name: str, body: bytes) -> Message:
    """The message in an envelope. Raises MalformedMessageError."""
    if name not in _FORMS:
        raise MalformedMessageError(f"there is no message {name!r:.40}")
    message: Any = unpacked(_FORMS[name], body)
    if isinstance(message, ShownCycle):
        chunks = message.chunks
        return CycleProposal(message.cycle, lambda: chunks)
    return message  # type: ignore[no-any-return] # the table has messages only


def packed_answer(answer: object) -> Content:
    """The answer to a message as it travels. Raises TypeError for what is none."""
    name = type(answer).__name__
    if _ANSWERS.get(name) is not type(answer):
        raise TypeError(f"a {name} is no answer to a message")
    return name, packed(answer)


def unpacked_answer(name: str, body: bytes) -> object:
    """The answer to a message. Raises MalformedMessageError."""
    if name not in _ANSWERS:
        raise MalformedMessageError(f"there is no answer {name!r:.40}")
    answer: object = unpacked(_ANSWERS[name], body)
    return answer


Method = Callable[..., object]


def method_of(role: type, name: str) -> Method:
    """A method of a role's nodes that their desk may call. Raises MalformedMessageError."""
    method: Any = getattr(role, name, None)
    if not is_for_desk(method):
        raise MalformedMessageError(f"{name!r:.40} is not for the desk")
    found: Method = method
    return found


def packed_call(method: Method, args: tuple[Any, ...], named: dict[str, Any]) -> bytes:
    """The arguments of a call, by name."""
    declared = arguments_of(method)
    by_place = dict(zip(declared.__struct_fields__, args, strict=False))
    return packed({**by_place, **named})


def unpacked_call(method: Method, body: bytes) -> dict[str, Any]:
    """The arguments of a call. Raises MalformedMessageError."""
    declared = arguments_of(method)
    arguments = unpacked(declared, body)
    return {name: getattr(arguments, name) for name in declared.__struct_fields__}


def packed_result(method: Method, result: object) -> Content:
    """What a call has returned: which of the declared types, and its bytes."""
    for place, kind in enumerate(results_of(method)):
        if isinstance(result, get_origin(kind) or kind):
            return str(place), packed(result)
    raise TypeError(f"{method.__name__} does not declare that it returns a {type(result).__name__}")


def unpacked_result(method: Method, name: str, body: bytes) -> object:
    """What a call has returned. Raises MalformedMessageError."""
    kinds = results_of(method)
    if not name.isdecimal() or int(name) >= len(kinds):
        raise MalformedMessageError(f"{method.__name__} returns no {name!r:.40}")
    result: object = unpacked(kinds[int(name)], body)
    return result


@cache
def results_of(method: Method) -> tuple[Any, ...]:
    """The types that a method may return; raises KeyError when it does not say."""
    declared = get_type_hints(method)["return"]
    is_union = get_origin(declared) in (Union, UnionType)
    return get_args(declared) if is_union else (declared or NoneType,)
