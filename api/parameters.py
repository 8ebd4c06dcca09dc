"""Parameters that many endpoints have, described once."""

from typing import Annotated, Final

from api.fields import EXAMPLE_TRADE, INSTRUMENT_PATTERN, TRADE_ID_PATTERN
from api.said import in_path, in_query

PAGE_MAX: Final = 500
LABEL_LENGTH_MAX: Final = 160
CURSOR_PATTERN: Final = r"^[0-9]{1,18}$"

Limit = Annotated[int, in_query("Items a page.", "每页条数。", 100, ge=1, le=PAGE_MAX)]
CursorText = Annotated[
    str | None,
    in_query(
        "The next_cursor of the page before.",
        "上一页的 next_cursor。",
        "100",
        pattern=CURSOR_PATTERN,
    ),
]
ParticipantInPath = Annotated[
    str, in_path("The participant's id.", "参与方编号。", "BRK-A", max_length=24)
]
TraderInPath = Annotated[
    str, in_path("A broker or bank.", "经纪商或银行。", "BRK-A", max_length=24)
]
NodeInPath = Annotated[
    str, in_path("The participant whose node it is.", "节点所属的参与方。", "BANK-1", max_length=24)
]
LabelInPath = Annotated[
    str,
    in_path(
        "The label of the instruction, the trade or the match.",
        "指令标签，或成交、匹配的编号。",
        "DVP-1",
        max_length=LABEL_LENGTH_MAX,
    ),
]
TradeIdInPath = Annotated[
    str,
    in_path(
        "Venue, trade date, ISIN and the venue's identifier.",
        "交易场所、成交日期、ISIN 与场所成交编号。",
        EXAMPLE_TRADE,
        max_length=60,
        pattern=TRADE_ID_PATTERN,
    ),
]
OnlyParticipant = Annotated[
    str | None, in_query("Only this participant's.", "仅该参与方的。", "BRK-A", max_length=24)
]
OnlySide = Annotated[
    str | None,
    in_query("Only those with this side.", "仅其为一方的。", "BRK-A", max_length=24),
]
OnlyInstrument = Annotated[
    str | None,
    in_query(
        "Symbol or ISIN.",
        "证券代码或 ISIN。",
        "NOVA1",
        max_length=24,
        pattern=INSTRUMENT_PATTERN,
    ),
]
