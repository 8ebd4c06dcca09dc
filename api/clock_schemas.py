"""The business clock over the wire."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from api.schemas import Wire
from nodes.business_clock import ADVANCE_SECONDS_MAX

TIME_LENGTH_MAX = 19


class Clock(Wire):
    """The business clock, as of the answer."""

    business_time: Annotated[
        str, Field(description="Date and time in UTC.", examples=["2026-02-10T17:30:00"])
    ]
    business_date: Annotated[str, Field(examples=["2026-02-10"])]
    frozen: Annotated[bool, Field(description="Whether it stands still.")]
    end_of_day_at: Annotated[
        str | None, Field(description="When a business date ends; null: at midnight.")
    ]
    last_day_ended: Annotated[
        str | None, Field(description="The last business date that has ended; null: not kept here.")
    ]
    chain_time: Annotated[
        int, Field(description="Seconds since 1970, for blocks; business time is apart from it.")
    ]


class ClockChange(Wire):
    """What to do to the business clock; at least one thing, at most one of the three moves."""

    frozen: Annotated[
        bool | None, Field(description="true: stand still after the move; false: run from there.")
    ] = None
    time: Annotated[
        str | None,
        Field(
            max_length=TIME_LENGTH_MAX,
            description="Move to a time of the business date, or a date and time, in UTC.",
            examples=["17:30", "2026-02-11T09:00"],
        ),
    ] = None
    advance: Annotated[
        int | None,
        Field(ge=0, le=ADVANCE_SECONDS_MAX, description="Move by so many seconds.", examples=[60]),
    ] = None
    next_day: Annotated[
        Literal[True] | None, Field(description="Move to the opening of the next business date.")
    ] = None
    end_of_day: Annotated[
        Literal[True] | None,
        Field(
            description="After the move: end the business date. The queue is tried once more, then"
            " what has not settled fails with LATE."
        ),
    ] = None
    end_of_day_at: Annotated[
        str | None,
        Field(
            max_length=TIME_LENGTH_MAX,
            description="From now on a business date ends at this time by itself; or 'midnight'.",
            examples=["18:00"],
        ),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> "ClockChange":
        if not self.model_fields_set or all(
            getattr(self, name) is None for name in self.model_fields_set
        ):
            raise ValueError(f"expected at least one of {', '.join(type(self).model_fields)}")
        moves = [name for name in MOVES if getattr(self, name) is not None]
        if len(moves) > 1:
            raise ValueError(f"expected one of {', '.join(MOVES)}, found {' and '.join(moves)}")
        return self


MOVES = ("time", "advance", "next_day")
