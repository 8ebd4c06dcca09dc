"""The queue and limits on the wire."""

from typing import Annotated, Literal

from api.fields import (
    AccountName,
    AsOfBlock,
    AssetName,
    CurrencyCode,
    LabelText,
    NextCursor,
    PotKind,
    PriorityText,
)
from api.instruction_schemas import FirstCurrency, Why
from api.said import holding, said
from api.schemas import Account, Wire

OtherAccount = Annotated[
    str | None,
    said("Of a limit; null: to everybody.", "限额所对的账户；空：对所有人。", None),
]


class Shortfall(Wire):
    """What an account has too little of."""

    account: Annotated[
        AccountName, said("Whose balance or limit.", "余额或限额不足的账户。", "BRK-B")
    ]
    kind: PotKind
    asset: AssetName
    counterparty: OtherAccount
    needed: Annotated[str, said("What is needed.", "所需数额。", "1050.00")]
    available: Annotated[str, said("What is there.", "可用数额。", "50.00")]
    missing: Annotated[str, said("What is missing.", "缺少的数额。", "1000.00")]


class WaitingInstruction(Wire):
    """One that waits in a queue, or beside it."""

    label: LabelText
    state: Annotated[
        str, said("See docs/instructions.md.", "状态，见 docs/instructions.md。", "queued")
    ]
    priority: PriorityText
    owed: Annotated[
        str,
        said(
            "What it takes from the account of this queue.",
            "将从本队列账户扣划的数额。",
            "1050.00",
        ),
    ]
    why: Annotated[Why | None, holding("Why it waits.", "等待的原因。")]
    missing: Annotated[list[Shortfall], holding("What it lacks.", "所缺的券款或额度。")]
    behind: Annotated[str | None, said("One that goes before it.", "排在其前的一条指令。", "DVP-0")]


class Queue(Wire):
    """Those that owe one asset from one account, the next one first."""

    account: AccountName
    kind: PotKind
    asset: AssetName
    counterparty: OtherAccount
    available: Annotated[str, said("What is there to pay with.", "可用数额。", "50.00")]
    owed: Annotated[str, said("By all of them together.", "队列合计应付。", "1050.00")]
    length: Annotated[int, said("How many wait in it.", "排队的指令数。", 1)]
    instructions: Annotated[list[WaitingInstruction], holding("The first 100.", "前 100 条指令。")]


class Queues(Wire):
    """A page of the queues."""

    as_of_block: AsOfBlock
    live: Annotated[int, said("Instructions that may still settle.", "仍可能交收的指令数。", 1)]
    data: Annotated[list[Queue], holding("The queues of this page.", "本页的队列。")]
    aside_total: Annotated[int, said("How many stand aside.", "不在队列中等待的指令数。", 0)]
    aside: Annotated[
        list[WaitingInstruction],
        holding(
            "On hold, or waiting for a link: they block nobody. The first 100.",
            "暂缓或等待关联指令者：不阻塞他人。前 100 条。",
        ),
    ]
    next_cursor: NextCursor


class Resolving(Wire):
    """Which algorithm."""

    algorithm: Annotated[
        Literal["fifo", "bypass", "optimum"],
        said(
            "fifo keeps the order of every queue; see docs/scenarios.md.",
            "fifo 保持各队列次序；详见 docs/scenarios.md。",
            "fifo",
        ),
    ]


class Money(Wire):
    """An amount in a currency."""

    currency: CurrencyCode
    amount: Annotated[str, said("Decimal text.", "金额，十进制文本。", "1050.00")]


class Resolution(Wire):
    """What one run of gridlock resolution has settled, as one set."""

    algorithm: Annotated[str, said("The algorithm that ran.", "所用算法。", "fifo")]
    settled: Annotated[
        list[str], said("Labels, in queue order.", "已交收指令的标签，按队列次序。", ["DVP-1"])
    ]
    values: Annotated[list[Money], holding("What was settled, by currency.", "各币种交收金额。")]
    is_exact: Annotated[
        bool, said("False: the search stopped early.", "为假：搜索提前中止。", True)
    ]


class NewLimit(Wire):
    """The most that an account pays on balance: payments less receipts under instructions."""

    account: Account
    amount: Annotated[
        str,
        said(
            "Decimal text; zero: nothing on balance.",
            "限额，十进制文本；零：净额不得付出。",
            "1000000.00",
            pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$",
        ),
    ]
    currency: FirstCurrency = None
    counterparty: Annotated[
        Account | None,
        said(
            "To this account; null or left out: to everybody.",
            "对该账户的限额；空或省略：对所有人。",
            "BRK-B",
        ),
    ] = None


class Limit(Wire):
    """A limit, and what is left under it."""

    account: AccountName
    counterparty: Annotated[
        str | None,
        said("To this account; null: to everybody.", "对该账户的限额；空：对所有人。", "BRK-B"),
    ]
    currency: CurrencyCode
    amount: Annotated[
        str, said("The most that it pays on balance.", "净付出的上限。", "1000000.00")
    ]
    headroom: Annotated[str, said("What is left under it.", "剩余额度。", "998950.00")]
