"""What the description of the interface says of a field, in two languages, with an example."""

from typing import Any

from pydantic import Field


def said(english: str, chinese: str, example: Any, **constraints: Any) -> Any:  # noqa: ANN401 # as Field has them
    """Describes a field, inside ``Annotated``: in English, in Chinese, and by an example.

    ``constraints`` are those of pydantic's Field, such as ``pattern`` or ``max_length``.
    """
    return Field(
        description=english,
        examples=[example],
        json_schema_extra={"x-description-zh": chinese},
        **constraints,
    )
