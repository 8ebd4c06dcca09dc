"""Values as bytes, by their declared types: nothing but what is declared ever comes out.

MessagePack, by the annotations of dataclasses. Columns of numbers travel as their bytes, with type
and shape; rows of the books as their fields. Whatever else the bytes hold is refused.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from pydantic import BaseModel

T = TypeVar("T")

_ONE_DIMENSION: Final = {np.int64: "<i8", np.bool_: "|b1"}
_TWO_DIMENSIONS: Final = {np.int64: ">i8", np.uint8: "|u1"}


class MalformedMessageError(Exception):
    """The bytes are not what was expected; nothing was done."""


def packed(value: object) -> bytes:
    """The bytes of a value. Raises TypeError for what cannot travel."""
    return _ENCODER.encode(value)


def unpacked(kind: type[T], content: bytes) -> T:
    """The value of a declared type in bytes. Raises MalformedMessageError for any others."""
    try:
        value: T = _decoder_of(kind).decode(content)
    except (
        msgspec.MsgspecError,
        ValueError,
        TypeError,
        AssertionError,
        OverflowError,
        RecursionError,
    ) as error:
        raise MalformedMessageError(f"no {_name(kind)}: {error}") from error
    return value


def _encoded(value: object) -> object:
    """What stands for a value that MessagePack has no form for."""
    if isinstance(value, np.ndarray):
        content = np.ascontiguousarray(value)
        return [content.dtype.str, list(content.shape), content.tobytes()]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    raise TypeError(f"a {type(value).__name__} cannot travel")


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_encoded)


def _decoder_of(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # noqa: ANN401 # any declared type
    return _decoder(kind)


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # noqa: ANN401 # any declared type
    return msgspec.msgpack.Decoder(kind, dec_hook=_decoded)


def _decoded(kind: Any, form: Any) -> object:  # noqa: ANN401 # of somebody who may send anything
    """A value that MessagePack has no form for. Raises ValueError, TypeError."""
    if get_origin(kind) is np.ndarray:
        return _array(kind, form)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = msgspec.convert(form, _fields_of(kind))
        return kind(**msgspec.structs.asdict(fields))
    raise TypeError(f"a {_name(kind)} cannot travel")


def _array(kind: Any, form: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401 # as above
    shape_kind, number_kind = get_args(kind)
    number = get_args(number_kind)[0]
    is_table = len(get_args(shape_kind)) == 2 and Ellipsis not in get_args(shape_kind)
    has_rows = is_table or number not in _ONE_DIMENSION
    expected = (_TWO_DIMENSIONS if has_rows else _ONE_DIMENSION)[number]
    found, shape, content = form
    if found != expected or type(content) is not bytes:
        raise ValueError(f"expected numbers of type {expected}")
    if len(shape) != 1 + has_rows or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("expected another shape")
    if has_rows and shape[0] and not shape[1]:
        raise ValueError("expected no rows of nothing, of which there may be any number")
    # Refuses what has other bytes than its shape needs, before anything of that size is made.
    return np.frombuffer(content, dtype=np.dtype(expected)).reshape(shape)


@cache
def _fields_of(row: type[BaseModel]) -> type[msgspec.Struct]:
    """A row's fields with their types."""
    hints = get_type_hints(row)
    fields = [(name, hints[name]) for name in row.model_fields]
    return msgspec.defstruct(row.__name__, fields, forbid_unknown_fields=True)


@cache
def arguments_of(method: Callable[..., object]) -> type[msgspec.Struct]:
    """The arguments of a method by name, as one declared type; those with defaults may be left out.

    Raises TypeError, KeyError when one of them is not declared, or cannot travel.
    """
    hints = get_type_hints(method)
    fields: list[Any] = []
    _, *parameters = inspect.signature(method).parameters.items()
    for name, parameter in parameters:
        if parameter.default is inspect.Parameter.empty:
            fields.append((name, hints[name]))
        else:
            fields.append((name, hints[name], parameter.default))
    declared = msgspec.defstruct(method.__name__, fields, forbid_unknown_fields=True, kw_only=True)
    _decoder(declared)
    return declared


def _name(kind: object) -> str:
    return getattr(kind, "__name__", str(kind))
