"""What a field is to hold, in the words that describe it, for who has sent something else."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_FOUND_CHARS_MAX = 60
_PATTERN = "string_pattern_mismatch"


def faults_in_words(faults: Sequence[Mapping[str, Any]], *kinds: Any) -> str:  # noqa: ANN401 # any annotation
    """What pydantic has found, one after another. ``kinds`` are what the content was taken for."""
    return "; ".join(_at(fault, _field(kinds, fault["loc"])) for fault in faults)


def faults_of_request(faults: Sequence[Mapping[str, Any]], dependant: Dependant | None) -> str:
    """The same of a request, whose places begin with the part in which they are."""
    if dependant is None:
        return faults_in_words(faults)
    parameters = {
        (part, each.alias): each.field_info
        for every in _all(dependant)
        for part, found in (
            ("path", every.path_params),
            ("query", every.query_params),
            ("header", every.header_params),
        )
        for each in found
    }
    bodies = [each.field_info.annotation for every in _all(dependant) for each in every.body_params]
    said = []
    for fault in faults:
        loc = tuple(fault["loc"])
        field = _field(bodies, loc[1:]) if loc[0] == "body" else parameters.get(loc[:2])
        said.append(_at(fault, field))
    return "; ".join(said)


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all(each)


def _at(fault: Mapping[str, Any], field: FieldInfo | None) -> str:
    return f"{'.'.join(str(part) for part in fault['loc'])}: {_words(fault, field)}"


def _words(fault: Mapping[str, Any], field: FieldInfo | None) -> str:
    """A pattern says little to a person: instead of it, the description and an example."""
    if fault["type"] != _PATTERN or field is None or not field.description:
        return str(fault["msg"])
    description = field.description.rstrip(".")
    if description[1:2].islower():
        description = description[0].lower() + description[1:]
    example = f", such as {field.examples[0]}" if field.examples else ""
    found = repr(fault["input"])
    if len(found) > _FOUND_CHARS_MAX:
        found = found[:_FOUND_CHARS_MAX] + "…"
    return f"expected {description}{example}; found {found}"


def _field(kinds: Sequence[Any], loc: Sequence[str | int]) -> FieldInfo | None:
    """The field at a place inside of some kinds of content; None when there is none."""
    if not loc:
        return None
    models = [each for kind in kinds for each in _models(kind)]
    fields = [
        field
        for model in models
        for name, field in model.model_fields.items()
        if loc[0] in (name, field.alias)
    ]
    if not fields:
        # A place in a list, or which of several forms it was taken for.
        return _field(kinds, loc[1:])
    if len(loc) == 1:
        return fields[0]
    inner = _field([field.annotation for field in fields], loc[1:])
    return inner or fields[0]


def _models(kind: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 # any annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for each in get_args(kind):
        yield from _models(each)
