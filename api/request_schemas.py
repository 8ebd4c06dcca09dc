"""Requests on the wire: what was asked of the interface, and how it was answered."""

from typing import Annotated

from api.said import said
from api.schemas import Wire

RequestId = Annotated[
    str,
    said(
        "Names the request; its answer carries it in the header Request-Id.",
        "请求编号；应答头 Request-Id 中也有。",
        "req_1_42",
    ),
]


class SeenRequest(Wire):
    """A request and how it was answered."""

    id: RequestId
    at: Annotated[
        str,
        said(
            "When it was answered, by the machine's clock, in UTC.",
            "应答时间（机器时钟，UTC）。",
            "2026-02-10T09:30:00.123456+00:00",
        ),
    ]
    method: Annotated[str, said("The HTTP method.", "HTTP 方法。", "POST")]
    path: Annotated[
        str, said("The path; its first 1,000 characters.", "路径（前 1000 个字符）。", "/v1/trades")
    ]
    query: Annotated[str, said("The query string.", "查询字符串。", "limit=2")]
    caller: Annotated[
        str,
        said(
            "On whose behalf it came; anybody where nobody had to say.",
            "请求方；无需表明身份时为 anybody。",
            "BRK-A",
        ),
    ]
    status: Annotated[int, said("The HTTP status of the answer.", "应答的 HTTP 状态码。", 201)]
    duration_us: Annotated[
        int, said("From request to answer, in microseconds.", "处理耗时（微秒）。", 5_200)
    ]
    bytes_in: Annotated[int, said("Bytes of the request's body.", "请求体字节数。", 131)]
    bytes_out: Annotated[int, said("Bytes of the answer's body.", "应答体字节数。", 420)]
    idempotency_key: Annotated[
        str | None, said("The Idempotency-Key it came with.", "请求所带的 Idempotency-Key。", "K-1")
    ]
    is_replayed: Annotated[
        bool,
        said("Answered as it was before, not done again.", "按原应答返回，未重复执行。", False),
    ]
    problem: Annotated[
        int | None,
        said("The number of the reason for which it was refused.", "被拒绝的原因编号。", 3003),
    ]


class SeenRequestWithBodies(SeenRequest):
    """A request with the beginnings of both bodies."""

    body: Annotated[
        str | None,
        said(
            "The first 4 KiB of the request's body, without secrets; null: none, or no text.",
            "请求体的前 4 KiB，不含密钥；空：无内容或非文本。",
            '{"number":"T1"}',
        ),
    ]
    answer: Annotated[
        str | None,
        said(
            "The first 4 KiB of the answer's body, without secrets; null: none, or no text.",
            "应答体的前 4 KiB，不含密钥；空：无内容或非文本。",
            '{"position":0}',
        ),
    ]
