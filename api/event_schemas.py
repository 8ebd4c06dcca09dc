"""Events over the wire, in the form of CloudEvents 1.0."""

from typing import Annotated, Any

from api.said import said
from api.schemas import Wire


class JournalEvent(Wire):
    """Something that has happened. What it is about is in keys and parameters, not in sentences."""

    specversion: Annotated[
        str, said("The version of CloudEvents.", "CloudEvents 规范的版本。", "1.0")
    ]
    id: Annotated[
        str,
        said(
            "Names the event for ever; the same in stream, list and webhook.",
            "事件的永久标识；在事件流、列表和回调通知中相同。",
            "evt-3fa9c1d2-17",
        ),
    ]
    source: Annotated[
        str,
        said(
            "The node in whose books it stands.",
            "记录该事件的节点。",
            "/networks/XNOV/nodes/CLEARING-HOUSE",
        ),
    ]
    type: Annotated[
        str,
        said(
            "What has happened, with the version of its data.",
            "事件类型，含数据版本。",
            "org.novate.trade.settled.v1",
        ),
    ]
    subject: Annotated[
        str,
        said(
            "What it has happened to: the id, label or number of a resource.",
            "事件所涉对象：资源的标识、标签或编号。",
            "XNOV.2026-02-10.ZZ0000NOVA12.T1",
        ),
    ]
    time: Annotated[
        str,
        said(
            "Business time at which it was written down.",
            "写入事件日志时的业务时间。",
            "2026-02-10T09:30:00.120000+00:00",
        ),
    ]
    datacontenttype: Annotated[str, said("The form of data.", "数据的格式。", "application/json")]
    sequence: Annotated[
        int,
        said(
            "From 1, without a gap over all events; who may not see all finds gaps.",
            "从 1 起连续编号；只能看到部分事件的调用方会看到间断。",
            17,
        ),
    ]
    chaintime: Annotated[
        int,
        said(
            "When it was written down, in seconds since 1970 by the clock of the chain.",
            "写入时的链时间，自 1970 年起的秒数。",
            1770715800,
        ),
    ]
    block: Annotated[
        int | None,
        said("The final block that shows it.", "载有该事件的最终区块。", 16),
    ]
    transactionhash: Annotated[
        str | None,
        said(
            "The transaction that did it, where it is known.",
            "完成该事件的交易哈希（如已知）。",
            "0x21e3a7145ad1727ab1498e863f56acb29aacc642ae25eae2f735bb95108595fc",
        ),
    ]
    participants: Annotated[
        list[str],
        said(
            "Whom it concerns; nobody: it is for all to know.",
            "所涉参与者；为空则对所有人公开。",
            ["BRK-A", "BRK-B"],
        ),
    ]
    data: Annotated[
        dict[str, Any],
        said(
            "Parameters of the event: see docs/events.md.",
            "事件的参数：见 docs/events.md。",
            {"position": 0, "cycle": 1},
        ),
    ]


class JournalEvents(Wire):
    """Events in order. Give ``next_cursor`` as ``cursor`` for those after; null is the end."""

    as_of_block: Annotated[
        int, said("The last final block in the books.", "账簿所含的最后一个最终区块。", 16)
    ]
    first_sequence: Annotated[
        int, said("The oldest event that is kept.", "仍保留的最早事件的编号。", 1)
    ]
    last_sequence: Annotated[int, said("The latest event.", "最新事件的编号。", 17)]
    data: Annotated[list[JournalEvent], said("The events, oldest first.", "事件，由旧到新。", [])]
    next_cursor: Annotated[str | None, said("Where the next page begins.", "下一页的起点。", "17")]
