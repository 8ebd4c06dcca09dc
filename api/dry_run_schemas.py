"""Dry runs on the wire: what to try, and what would come of it."""

from typing import Annotated

from pydantic import Field

from api.fields import AccountName, AsOfBlock, AssetName, LabelText, Register, TradeIdText
from api.instruction_schemas import AnyLabel, NewInstruction, Why
from api.queue_schemas import Shortfall
from api.said import holding, said
from api.schemas import Wire


class DryRunOf(Wire):
    """What to try: instructions that are there, by label, and others as if they had come in."""

    labels: Annotated[
        list[AnyLabel],
        said("Of instructions that are there.", "已录入指令的标签。", ["DVP-1"], max_length=500),
    ] = Field(default_factory=list)
    instructions: Annotated[
        list[NewInstruction],
        holding("As if they had just come in.", "假设刚刚录入的指令。", max_length=100),
    ] = Field(default_factory=list)


class Remedy(Wire):
    """Something that has to happen, or helps."""

    act: Annotated[
        str,
        said(
            "fund, raise_limit, go_first, release, enter, reinstate, enter_again, "
            "ask_again or resolve.",
            "措施代码：注资、提高限额、先行交收、解除暂缓、录入、恢复、重新录入、再次请求或化解僵局。",
            "fund",
        ),
    ]
    text: Annotated[
        str,
        said("What to do, in English.", "措施（英文）。", "1000.00 CNY must come into BRK-B."),
    ]
    text_zh: Annotated[
        str, said("What to do, in Chinese.", "措施（中文）。", "BRK-B 须转入 1000.00 CNY。")
    ]
    labels: Annotated[list[str], said("Of which instructions.", "所涉指令的标签。", ["DVP-1"])]
    participants: Annotated[list[str], said("Who has to do it.", "须采取措施的参与方。", ["BRK-B"])]
    shortfall: Annotated[Shortfall | None, holding("What is missing.", "缺少的券款或额度。")]


class Hold(Wire):
    """Who has to release which instruction."""

    label: LabelText
    held_by: Annotated[list[str], said("Who has it on hold.", "已将其暂缓的参与方。", ["BRK-A"])]


class PartOf(Wire):
    """A part that would settle."""

    quantity: Annotated[str, said("Units of it.", "可交收数量。", "40")]
    amount: Annotated[str, said("Cash for them.", "对应金额。", "420.00")]


class Forecast(Wire):
    """Would they settle now, all together, and what would make it."""

    settles: Annotated[bool, said("All of them would, now.", "现在即可全部交收。", False)]
    together: Annotated[
        list[str], said("Those that settle with each other.", "一并交收的指令。", ["DVP-1"])
    ]
    why: Annotated[
        Why | None,
        holding("The first thing in the way, by precedence.", "按次序的首个障碍。"),
    ]
    missing: Annotated[list[Shortfall], holding("What they lack.", "所缺的券款或额度。")]
    ahead_total: Annotated[int, said("How many stand before them.", "排在其前的指令数。", 1)]
    ahead: Annotated[
        list[str],
        said("Who stands before them. The first 100.", "排在其前的指令，前 100 条。", ["DVP-0"]),
    ]
    must_wait: Annotated[
        bool,
        said(
            "Those ahead go first. If not, they may merely be quicker.",
            "须待其前的指令先行；否则其前者只是可能更快。",
            False,
        ),
    ]
    held: Annotated[list[Hold], holding("What has to be released.", "须解除暂缓的指令。")]
    awaited: Annotated[
        list[str],
        said(
            "Linked, and not there or come to nothing.",
            "已关联但尚未录入或已失效的指令。",
            ["PAY-1"],
        ),
    ]
    suspended: Annotated[
        list[str], said("Participants that are suspended.", "已暂停的参与方。", ["BRK-C"])
    ]
    late: Annotated[
        list[str], said("Labels of those past their expiry.", "已过期的指令。", ["DVP-9"])
    ]
    part: Annotated[
        PartOf | None,
        holding("What would settle of it all the same.", "仍可部分交收的数额。"),
    ]
    settles_with: Annotated[
        list[str],
        said(
            "The set in which `POST /v1/queue/resolve` fifo settles them.",
            "`POST /v1/queue/resolve` fifo 化解时与之一并交收的指令。",
            ["DVP-1", "DVP-2"],
        ),
    ]
    remedies: Annotated[list[Remedy], holding("What would make it settle.", "促成交收的措施。")]
    as_of_block: AsOfBlock


class Leaver(Wire):
    """A trade that would leave the cycle."""

    id: TradeIdText
    why: Annotated[Why, holding("Why it would leave.", "被剔除的原因。")]


class NetLine(Wire):
    """What an account would get, or below zero, give."""

    account: AccountName
    kind: Register
    asset: AssetName
    amount: Annotated[
        str, said("Signed; below zero it gives.", "带符号净额；负数为应付。", "-1050.00")
    ]


class CycleForecast(Wire):
    """The cycle as it would be struck now, if everybody attested it."""

    trades: Annotated[int, said("That wait for a cycle.", "等待批次的成交数。", 200)]
    settling: Annotated[int, said("Trades that would settle.", "将交收的成交数。", 199)]
    leaving: Annotated[int, said("Trades that would leave it.", "将被剔除的成交数。", 1)]
    leavers: Annotated[list[Leaver], holding("The first 500.", "被剔除的成交，前 500 笔。")]
    parties: Annotated[list[str], said("Who would be in it.", "批次的参与方。", ["BRK-A", "BRK-B"])]
    lines_total: Annotated[int, said("How many net lines.", "净额笔数。", 4)]
    lines: Annotated[list[NetLine], holding("The first 500.", "净额，前 500 笔。")]
    as_of_block: AsOfBlock
