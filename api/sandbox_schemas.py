"""The controls of a sandbox over the wire."""

from typing import Annotated, Any, Literal

from api.fields import WHOLE
from api.said import said
from api.schemas import Wire
from nodes.sandbox.made_trades import MADE_TRADES_MAX, SEED_MAX
from nodes.sandbox.stubs import AFTER_SECONDS_MAX

SNAPSHOT_NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,39}$"
SnapshotName = Annotated[
    str,
    said(
        "Lower-case letters, digits and hyphens.",
        "小写字母、数字和连字符。",
        "before-the-test",
        pattern=SNAPSHOT_NAME_PATTERN,
    ),
]
StubbedParticipant = Annotated[
    str, said("The participant that is stood in for.", "被代为应答的参与方。", "BRK-B")
]


class Market(Wire):
    """The market that the sandbox runs now."""

    seed: Annotated[
        str | None,
        said(
            "From which everybody's keys follow; the operator of the sandbox alone sees it.",
            "所有密钥由此种子生成；仅沙箱运营方可见。",
            "novate",
        ),
    ]
    business_time: Annotated[
        str, said("What the business clock shows.", "业务时钟所示时间。", "2026-11-23T09:00:00")
    ]
    block: Annotated[int, said("The last final block.", "最新最终区块。", 12)]
    state_hash: Annotated[
        str,
        said(
            "One number for where everything stands.",
            "整体状态的哈希值。",
            "0x107803af9da46995b0a1018c764abb342d962e97724b5e66c6df89d9aa9a4b3d",
        ),
    ]


class ResetMarket(Wire):
    """Begin anew: an empty market, funded as at the very first."""

    seed: Annotated[
        str | None,
        said(
            "Another seed, and so other keys; null: the same again.",
            "更换种子（密钥随之改变）；空值表示沿用原种子。",
            "another",
            min_length=1,
            max_length=64,
        ),
    ] = None


class NewSnapshot(Wire):
    """Keep the market as it is."""

    name: SnapshotName


class Snapshot(Market):
    """A market that is kept under a name."""

    name: SnapshotName
    size_bytes: Annotated[int, said("Of its files.", "文件大小（字节）。", 4_194_304)]


class Snapshots(Wire):
    """All that are kept, by name."""

    data: Annotated[list[Snapshot], said("By name.", "按名称排列。", [])]


class MadeTrades(Wire):
    """Have trades made up and captured."""

    count: Annotated[
        int, said("How many.", "成交笔数。", 200, ge=1, le=MADE_TRADES_MAX, strict=True), WHOLE
    ]
    seed: Annotated[
        int,
        said(
            "The same seed makes the same trades.",
            "相同种子生成相同成交。",
            42,
            ge=0,
            le=SEED_MAX,
            strict=True,
        ),
        WHOLE,
    ] = 0


class MadeTradesAnswer(Wire):
    """What became of them."""

    captured: Annotated[int, said("New ones, on disk.", "新受理并已落盘的笔数。", 200)]
    repeated: Annotated[int, said("Captured before.", "此前已受理的笔数。", 0)]


class NewStub(Wire):
    """How a participant is stood in for when another one enters a side that names it."""

    behaviour: Annotated[
        Literal["match", "differ"],
        said(
            "match: the other side is entered as it should be; differ: with one unit more.",
            "match：代其录入相符的一方；differ：录入数量多一单位的一方。",
            "match",
        ),
    ]
    after_seconds: Annotated[
        int,
        said(
            "Seconds of business time after it was first seen.",
            "首次发现后经过的业务时间（秒）。",
            0,
            ge=0,
            le=AFTER_SECONDS_MAX,
            strict=True,
        ),
        WHOLE,
    ] = 0


class Stub(NewStub):
    """A participant that is stood in for."""

    participant: StubbedParticipant


class Stubs(Wire):
    """Everybody who is stood in for."""

    data: Annotated[list[Stub], said("By participant.", "按参与方排列。", [])]


class ScenarioOfPack(Wire):
    """A scenario that comes with Novate."""

    name: Annotated[str, said("Its name.", "名称。", "net-six-trades")]
    topic: Annotated[str, said("What it is about.", "主题。", "netting")]


class ScenariosOfPack(Wire):
    """The bundled scenarios."""

    data: Annotated[list[ScenarioOfPack], said("By topic and name.", "按主题和名称排列。", [])]


class ScenarioOutcome(Wire):
    """How a scenario ended, played on a network of its own."""

    scenario: Annotated[str, said("Its name.", "名称。", "net-six-trades")]
    passed: Annotated[bool, said("Everything it expects holds.", "全部预期均成立。", True)]
    differences: Annotated[
        list[dict[str, str]],
        said("What does not hold.", "不成立之处。", []),
    ]
    state_hash: Annotated[
        str, said("Where everything stood at the end.", "结束时的整体状态哈希。", "0x1078…")
    ]
    balances: Annotated[
        dict[str, dict[str, dict[str, str]]],
        said("By account.", "按账户。", {"cash": {"A": {"CNY": "900.00"}}}),
    ]
    instructions: Annotated[
        dict[str, dict[str, str]],
        said("Their states at the end.", "各指令的最终状态。", {"I1": {"state": "settled"}}),
    ]
    movements: Annotated[
        dict[str, int], said("By register.", "按登记簿。", {"securities": 2, "cash": 2})
    ]
    breaks: Annotated[list[dict[str, Any]], said("Open at the end.", "结束时未结的差异。", [])]
