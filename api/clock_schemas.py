"""The business clock over the wire."""

from typing import Annotated, Literal

from pydantic import model_validator

from api.fields import WHOLE
from api.said import said
from api.schemas import Wire
from nodes.business_clock import ADVANCE_SECONDS_MAX

TIME_LENGTH_MAX = 19
MOVES = ("time", "advance", "next_day")


class Clock(Wire):
    """The business clock, as of the answer."""

    business_time: Annotated[
        str, said("Date and time in UTC.", "业务日期和时间（UTC）。", "2026-02-10T17:30:00")
    ]
    business_date: Annotated[str, said("The date of the market.", "营业日。", "2026-02-10")]
    frozen: Annotated[bool, said("Whether it stands still.", "是否已冻结。", False)]
    end_of_day_at: Annotated[
        str | None,
        said(
            "When a business date ends; null: at midnight.",
            "营业日的日终时间；空：午夜。",
            "18:00:00",
        ),
    ]
    last_day_ended: Annotated[
        str | None,
        said(
            "The last business date that has ended; null: not kept here.",
            "最近结束的营业日；此处不记录则为空。",
            "2026-02-09",
        ),
    ]
    chain_time: Annotated[
        int,
        said(
            "Seconds since 1970, for blocks; business time is apart from it.",
            "区块所用的链时间，自 1970 年起的秒数；与业务时间无关。",
            1_770_744_600,
        ),
    ]


class ClockChange(Wire):
    """What to do to the business clock; at least one thing, at most one of the three moves."""

    frozen: Annotated[
        bool | None,
        said(
            "true: stand still after the move; false: run from there.",
            "true：移动后冻结；false：由此继续走时。",
            True,
        ),
    ] = None
    time: Annotated[
        str | None,
        said(
            "Move to a time of the business date, or a date and time, in UTC.",
            "移至当个营业日的某一时间，或某一日期和时间（UTC）。",
            "17:30",
            max_length=TIME_LENGTH_MAX,
        ),
    ] = None
    advance: Annotated[
        int | None,
        said("Move by so many seconds.", "前移的秒数。", 60, ge=0, le=ADVANCE_SECONDS_MAX),
        WHOLE,
    ] = None
    next_day: Annotated[
        Literal[True] | None,
        said(
            "Move to the opening of the next business date.",
            "移至下一营业日开市。",
            True,
        ),
    ] = None
    end_of_day: Annotated[
        Literal[True] | None,
        said(
            "After the move: end the business date. The queue is tried once more, then"
            " what has not settled fails with LATE.",
            "移动后执行日终：队列再试一次，仍未交收者以 LATE 失败。",
            True,
        ),
    ] = None
    end_of_day_at: Annotated[
        str | None,
        said(
            "From now on a business date ends at this time by itself; or 'midnight'.",
            "此后营业日于该时间自动日终；或 'midnight' 即午夜。",
            "18:00",
            max_length=TIME_LENGTH_MAX,
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
