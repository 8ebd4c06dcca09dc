"""What the description of the interface says, in two languages, with an example.

Of a field with ``said``, of a parameter with ``in_query``, ``in_path`` or ``in_header``; all stand
inside ``Annotated``. ``constraints`` are those of pydantic's Field, such as ``pattern`` or ``le``.
"""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import Header, Path, Query
from pydantic import Field

CHINESE: Final = "x-description-zh"
"""Under which the description in Chinese stands."""


def said(english: str, chinese: str, example: Any, **constraints: Any) -> Any:  # noqa: ANN401 # as Field has them
    """Describes a field."""
    return Field(**_words(english, chinese, example), **constraints)


def holding(english: str, chinese: str, **constraints: Any) -> Any:  # noqa: ANN401 # as Field has them
    """Describes a field that holds models, one or a list; its example is made of theirs."""
    return Field(description=english, json_schema_extra={CHINESE: chinese}, **constraints)


def in_query(  # as Query has them
    english: str,
    chinese: str,
    example: Any,  # noqa: ANN401 # of any type
    choices: Iterable[str] = (),
    **constraints: Any,  # noqa: ANN401 # of any type
) -> Any:  # noqa: ANN401 # as Query itself
    """Describes a parameter of the query; ``choices`` are told, and checked by the endpoint."""
    words = _words(english, chinese, example)
    if choices:
        words["json_schema_extra"]["enum"] = [*choices]
    return Query(**words, **constraints)


def in_path(english: str, chinese: str, example: Any, **constraints: Any) -> Any:  # noqa: ANN401 # as Path has them
    """Describes a part of the path."""
    return Path(**_words(english, chinese, example), **constraints)


def in_header(english: str, chinese: str, example: Any, **constraints: Any) -> Any:  # noqa: ANN401 # as Header has them
    """Describes a header."""
    return Header(**_words(english, chinese, example), **constraints)


def _words(english: str, chinese: str, example: Any) -> dict[str, Any]:  # noqa: ANN401 # of any field
    return {
        "description": english,
        "examples": [example],
        "json_schema_extra": {CHINESE: chinese},
    }
