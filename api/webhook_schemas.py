"""Webhook endpoints over the wire."""

from typing import Annotated

from pydantic import Field

from api.fields import WHOLE
from api.said import said
from api.schemas import Wire

TYPES_MAX = 20
EVENTS_A_RESEND_MAX = 1_000

EventType = Annotated[
    str,
    said(
        "A type of events; * stands for any end.",
        "事件类型；* 代表任意结尾。",
        "trade.*",
        max_length=80,
        min_length=1,
    ),
]


class NewWebhookEndpoint(Wire):
    """An address that events are to be sent to."""

    url: Annotated[
        str,
        said(
            "http or https; private addresses are refused.",
            "http 或 https 地址；拒绝内网地址。",
            "https://example.com/hook",
            max_length=2_000,
        ),
    ]
    types: Annotated[
        list[EventType],
        said(
            "Which events; none: all.",
            "事件类型；为空则全部。",
            ["trade.*"],
            max_length=TYPES_MAX,
        ),
    ] = Field(default_factory=list)
    participant: Annotated[
        str | None,
        said(
            "Only events that concern this participant.",
            "仅限涉及该参与者的事件。",
            "BRK-A",
            max_length=24,
        ),
    ] = None
    description: Annotated[
        str, said("For people.", "说明文字。", "Back office of broker A", max_length=200)
    ] = ""


class WebhookEndpoint(Wire):
    """An address that events are sent to, in order, each until it is taken or given up."""

    id: Annotated[str, said("Names the endpoint.", "端点标识。", "whe-5f0c2a9d41b7")]
    url: Annotated[str, said("Where events are sent.", "接收地址。", "https://example.com/hook")]
    types: Annotated[
        list[str], said("Which events; none: all.", "事件类型；为空则全部。", ["trade.*"])
    ]
    participant: Annotated[
        str | None, said("Whose events; null: everybody's.", "所涉参与者；null 为不限。", "BRK-A")
    ]
    description: Annotated[str, said("For people.", "说明文字。", "Back office of broker A")]
    state: Annotated[str, said("enabled or disabled.", "enabled 启用，disabled 停用。", "enabled")]
    why_disabled: Annotated[
        str,
        said(
            "Why it was disabled by itself; empty otherwise.",
            "自动停用的原因；否则为空。",
            "",
        ),
    ]
    sequence: Annotated[
        int,
        said(
            "The last event that was taken, given up or passed over.",
            "最后一个已送达、已放弃或已跳过的事件编号。",
            17,
        ),
    ]
    attempts: Annotated[
        int, said("Failed attempts of the next event.", "下一事件已失败的投递次数。", 0)
    ]
    created_at: Annotated[
        str, said("When it was added.", "添加时间。", "2026-02-10T09:30:00+00:00")
    ]


class CreatedWebhookEndpoint(WebhookEndpoint):
    """A new endpoint, with what its receiver checks signatures with."""

    secret: Annotated[
        str,
        said(
            "Shown this once: the key of the signatures.",
            "签名密钥，仅此一次显示。",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ),
    ]


class WebhookEndpoints(Wire):
    """Every endpoint of the caller."""

    data: Annotated[list[WebhookEndpoint], said("Oldest first.", "由旧到新。", [])]


class WebhookAttempt(Wire):
    """One attempt to tell an endpoint of an event."""

    number: Annotated[int, said("Rises with every attempt.", "递增编号。", 3)]
    event: Annotated[str, said("The id of the event.", "事件标识。", "evt-3fa9c1d2-17")]
    sequence: Annotated[int, said("The sequence of the event.", "事件编号。", 17)]
    attempt: Annotated[int, said("Which attempt, from 1 to 8.", "第几次投递（1 至 8）。", 1)]
    is_resend: Annotated[
        bool, said("It was asked for by hand.", "是否为手动重发。", False)  # an example
    ]
    at: Annotated[str, said("Business time.", "业务时间。", "2026-02-10T09:30:00.500+00:00")]
    outcome: Annotated[
        str,
        said(
            "delivered, failed (tried again), or exhausted (given up).",
            "delivered（已送达）、failed（将重试）或 exhausted（已放弃）。",
            "delivered",
        ),
    ]
    status: Annotated[
        int | None, said("The HTTP status of the answer.", "应答的 HTTP 状态码。", 200)
    ]
    answer: Annotated[str, said("The beginning of the answer.", "应答正文的开头部分。", "ok")]
    error: Annotated[str, said("Why there is no answer that counts.", "未获有效应答的原因。", "")]
    duration_ms: Annotated[int, said("How long it took.", "耗时（毫秒）。", 12)]


class WebhookAttempts(Wire):
    """Attempts, newest first."""

    data: Annotated[list[WebhookAttempt], said("Newest first.", "由新到旧。", [])]
    next_cursor: Annotated[str | None, said("Where the next page begins.", "下一页的起点。", "3")]


class Resend(Wire):
    """Which events are to be sent once more: one by its id, or a range of sequences."""

    event: Annotated[
        str | None, said("The id of an event.", "事件标识。", "evt-3fa9c1d2-17", max_length=60)
    ] = None
    first_sequence: Annotated[
        int | None, said("The first of a range.", "区间的首个编号。", 10, ge=1), WHOLE
    ] = None
    last_sequence: Annotated[
        int | None, said("The last of a range.", "区间的末个编号。", 17, ge=1), WHOLE
    ] = None


class Resending(Wire):
    """What will be sent once more."""

    events: Annotated[
        int,
        said(
            "How many events; each is attempted once, whatever its endpoint has had.",
            "将重发的事件数；每个事件尝试一次。",
            8,
        ),
    ]
