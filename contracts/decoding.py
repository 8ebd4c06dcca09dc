"""Calls and events in words: from the bytes of a transaction to a function and named values.

Everything follows from the committed ABIs. Packed net lines become ``Lines``, packed moves
``Moves``, packed instructions ``PackedInstructions``, texts in words become texts. What somebody
else made, or did not make well, is None: a chain may hold anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

from eth_abi.codec import ABIDecoder
from eth_abi.decoding import BaseArrayDecoder, BaseDecoder, ContextFramesBytesIO
from eth_abi.exceptions import DecodingError
from eth_abi.registry import ABIRegistry, has_arrlist
from eth_abi.registry import registry as standard_registry

from contracts.abi import WORD_BYTES, number_of, selector, split_words, text_of, topic
from contracts.artifacts import artifact
from contracts.clients.participants import ROLES
from contracts.lines import Lines
from contracts.moves import INSTRUCTION_WORDS, Moves, PackedInstructions

CONTRACTS: Final = ("Participants", "Securities", "Cash", "Settlement", "Inclusion")
CONSTRUCTOR: Final = "constructor"

_LINES: Final = frozenset({"lines", "securities_lines", "cash_lines"})
_MOVES: Final = frozenset({"moves", "securities_moves"})
_INSTRUCTIONS: Final = "instructions"
_TEXTS: Final = frozenset({"code", "codes", "currencies", "identifier", "isins"})
_ITEM_BYTES: Final = {"uint256[]": WORD_BYTES, "uint256[2][]": INSTRUCTION_WORDS * WORD_BYTES}

Packed: TypeAlias = Lines | Moves | PackedInstructions
Value: TypeAlias = "int | str | bytes | Packed | tuple[Value, ...] | tuple[Named, ...]"
"""A number, a text (an address or a role as well), bytes, packed columns, a list, or a struct."""


@dataclass(frozen=True, slots=True)
class Named:
    """A value under the name that the contract's source gives it."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A call of one of our contracts; ``function`` is ``CONSTRUCTOR`` for its creation."""

    contract: str
    function: str
    arguments: tuple[Named, ...]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 # whoever names it knows its type
        """The argument of a name. Raises KeyError."""
        return _value_of(self.arguments, name)


@dataclass(frozen=True, slots=True)
class DecodedEvent:
    """An event of one of our contracts."""

    contract: str
    event: str
    values: tuple[Named, ...]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 # whoever names it knows its type
        """The value of a name. Raises KeyError."""
        return _value_of(self.values, name)


def decode_call(contract: str, data: bytes) -> DecodedCall | None:
    """What calls a contract of this name; None when it has no such function."""
    function = _functions(contract).get(data[:4])
    if function is None:
        return None
    values = _decoded(function["inputs"], data[4:])
    return None if values is None else DecodedCall(contract, function["name"], values)


def decode_creation(data: bytes) -> DecodedCall | None:
    """Which of our contracts is created, with which arguments; None for any other."""
    for contract in CONTRACTS:
        code = bytes.fromhex(artifact(contract).bytecode.removeprefix("0x"))
        if data.startswith(code):
            values = _decoded(_constructor_inputs(contract), data[len(code) :])
            return None if values is None else DecodedCall(contract, CONSTRUCTOR, values)
    return None


def decode_log(contract: str, topics: Sequence[bytes], data: bytes) -> DecodedEvent | None:
    """The event in a log of a contract of this name; None when it has no such event."""
    event = _events(contract).get(topics[0]) if topics else None
    if event is None:
        return None
    indexed = [each for each in event["inputs"] if each["indexed"]]
    others = [each for each in event["inputs"] if not each["indexed"]]
    from_topics = _decoded(indexed, b"".join(topics[1:]))
    from_data = _decoded(others, data)
    if from_topics is None or from_data is None:
        return None
    value_by_name = {named.name: named for named in from_topics + from_data}
    in_order = tuple(value_by_name[each["name"]] for each in event["inputs"])
    return DecodedEvent(contract, event["name"], in_order)


def event_names() -> frozenset[str]:
    """The names of all events of our contracts."""
    return frozenset(event["name"] for each in CONTRACTS for event in _events(each).values())


def topics_of(event: str) -> frozenset[bytes]:
    """The first topics under which logs of an event of this name are found."""
    return frozenset(
        digest
        for contract in CONTRACTS
        for digest, each in _events(contract).items()
        if each["name"] == event
    )


def _value_of(values: Sequence[Named], name: str) -> Value:
    for named in values:
        if named.name == name:
            return named.value
    raise KeyError(name)


def _decoded(inputs: Sequence[Mapping[str, Any]], data: bytes) -> tuple[Named, ...] | None:
    try:
        raw = _decoder().decode([_type_of(each) for each in inputs], data)
        return tuple(_named(inputs, raw))
    except (DecodingError, ValueError, OverflowError, AssertionError):
        return None


def _named(inputs: Sequence[Mapping[str, Any]], raw: Sequence[Any]) -> Iterator[Named]:
    for each, value in zip(inputs, raw, strict=True):
        yield Named(each["name"], _value(each, value))


def _value(described: Mapping[str, Any], raw: Any) -> Value:  # noqa: ANN401 # the decoder's answer
    """A decoded value in readable form."""
    name, type_name = described["name"], described["type"]
    if type_name == "tuple":
        return tuple(_named(described["components"], raw))
    if type_name == "tuple[]":
        return tuple(tuple(_named(described["components"], each)) for each in raw)
    if type_name in _ITEM_BYTES:
        return _numbers(name, raw)
    if name in _TEXTS:
        return _text(raw) if type_name == "bytes32" else tuple(_text(each) for each in raw)
    if name == "role":
        return _role(raw)
    assert isinstance(raw, (int, str, bytes)), f"{type_name} is a type that our contracts use"
    return raw


def _numbers(name: str, raw: bytes) -> Value:
    """An array of numbers by what its name says they are."""
    if name in _LINES:
        return Lines.unpack(raw)
    if name in _MOVES:
        return Moves.unpack(raw)
    if name == _INSTRUCTIONS:
        return PackedInstructions.unpack(raw)
    return tuple(number_of(word) for word in split_words(raw))


def _text(word: bytes) -> str:
    """The text in a word; its hex digits when it is not one that can be shown."""
    try:
        text = text_of(word)
    except UnicodeDecodeError:
        return word.hex()
    return text if text.isprintable() else word.hex()


def _role(flag: int) -> str:
    """The role of the contract's flag; the number itself when it is none."""
    role = flag.bit_length() - 1
    return ROLES[role] if flag.bit_count() == 1 and role < len(ROLES) else str(flag)


def _type_of(described: Mapping[str, Any]) -> str:
    """A type as ABI signatures write it, structs spelled out."""
    if not described["type"].startswith("tuple"):
        return str(described["type"])
    inner = ",".join(_type_of(each) for each in described["components"])
    return f"({inner}){described['type'].removeprefix('tuple')}"


def _signature(described: Mapping[str, Any]) -> str:
    return f"{described['name']}({','.join(_type_of(each) for each in described['inputs'])})"


@cache
def _functions(contract: str) -> Mapping[bytes, Mapping[str, Any]]:
    abi = artifact(contract).abi
    return {selector(_signature(each)): each for each in abi if each["type"] == "function"}


@cache
def _events(contract: str) -> Mapping[bytes, Mapping[str, Any]]:
    abi = artifact(contract).abi
    return {topic(_signature(each)): each for each in abi if each["type"] == "event"}


def _constructor_inputs(contract: str) -> Sequence[Mapping[str, Any]]:
    found = [each for each in artifact(contract).abi if each["type"] == "constructor"]
    return found[0]["inputs"] if found else []


class _WordsDecoder(BaseDecoder):
    """Reads an array of numbers as one run of bytes: thousands of net lines in one copy."""

    is_dynamic = True

    def __init__(self, item_bytes: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # eth_abi lacks it
        self._item_bytes = item_bytes

    def decode(self, stream: ContextFramesBytesIO) -> bytes:
        size = number_of(stream.read(WORD_BYTES)) * self._item_bytes
        rest = len(stream.getbuffer()) - stream.tell()
        if size > rest:
            raise ValueError(f"an array of {size} bytes where {rest} are left")
        return bytes(stream.read(size))

    @classmethod
    def from_type_str(cls, type_str: str, registry: ABIRegistry) -> "_WordsDecoder":  # noqa: ARG003 # eth_abi's signature
        return cls(_ITEM_BYTES[type_str])


@cache
def _decoder() -> ABIDecoder:
    registry = standard_registry.copy()  # type: ignore[no-untyped-call] # eth_abi lacks it
    registry.unregister_decoder("has_arrlist")
    registry.register_decoder(_is_other_array, BaseArrayDecoder, label="has_arrlist")
    registry.register_decoder(_is_packed, _WordsDecoder, label="words")
    return ABIDecoder(registry)


def _is_packed(type_str: str) -> bool:
    return type_str in _ITEM_BYTES


def _is_other_array(type_str: str) -> bool:
    return bool(has_arrlist(type_str)) and not _is_packed(type_str)  # type: ignore[no-untyped-call] # eth_abi lacks it
