"""Instructions on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.fields import (
    PARTICIPANT_PATTERN,
    CauseText,
    CauseTextZh,
    CurrencyOrNull,
    IsinOrNull,
    LabelText,
    PriorityText,
    ReasonCode,
    ReasonName,
    RemedyText,
    RemedyTextZh,
    RuleVersion,
    SymbolOrNull,
)
from api.said import holding, said
from api.schemas import Account, InstrumentName, Quantity, Wire

Label = Annotated[
    str,
    said(
        "The instruction's name, chosen by whoever enters it, never used again.",
        "指令标签，由录入方自定，不可重复使用。",
        "DVP-1",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$",
    ),
]
AnyLabel = Annotated[
    str, said("Also of a trade or a match.", "也可为成交或匹配的编号。", "DVP-1", max_length=160)
]
Amount = Annotated[
    str,
    said(
        "Decimal text in units of the currency, above zero.",
        "金额，十进制文本，须大于零。",
        "1050.00",
        pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$",
    ),
]
Currency = Annotated[
    str, said("ISO 4217 code.", "ISO 4217 币种代码。", "CNY", pattern=r"^[A-Z]{3}$")
]
ParticipantId = Annotated[
    str,
    said("A participant.", "参与方编号。", "BRK-A", max_length=24, pattern=PARTICIPANT_PATTERN),
]
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
LinkedTo = Annotated[
    list[AnyLabel],
    said(
        "Labels: these settle together, or none does.",
        "关联指令的标签：一并交收，或均不交收。",
        ["PAY-1"],
        max_length=100,
    ),
]
PriorityName = Annotated[
    Literal["urgent", "high", "normal"],
    said("Who goes first in a queue.", "排队优先级：紧急、高、普通。", "normal"),
]
FirstCurrency = Annotated[
    Currency | None,
    said(
        "If left out, the first currency of the network.",
        "币种；省略时为网络的首个币种。",
        "CNY",
    ),
]


class _NewInstruction(Wire):
    label: Label
    priority: PriorityName = "normal"
    hold: Annotated[
        bool, said("Comes in on hold by both sides.", "以双方均暂缓的状态录入。", False)
    ] = False
    partial: Annotated[
        bool, said("Both sides take parts of it.", "双方均接受部分交收。", False)
    ] = False
    expires: Annotated[
        str | None,
        said(
            "Last time of the business day at which it may settle.",
            "当个营业日内可交收的最晚时间。",
            "15:30",
            pattern=TIME_PATTERN,
        ),
    ] = None
    linked_to: LinkedTo = Field(default_factory=list)


class NewDvp(_NewInstruction):
    """Delivery versus payment, in the instrument's currency."""

    kind: Annotated[Literal["dvp"], said("Delivery versus payment.", "券款对付。", "dvp")]
    seller: Annotated[Account, said("The account that delivers.", "应付券账户。", "BRK-A")]
    buyer: Annotated[Account, said("The account that pays.", "应付款账户。", "BRK-B")]
    instrument: InstrumentName
    quantity: Quantity
    amount: Amount


class NewFreeDelivery(_NewInstruction):
    """Delivery free of payment."""

    kind: Annotated[Literal["fop"], said("Delivery free of payment.", "纯券过户。", "fop")]
    deliverer: Annotated[Account, said("The account that delivers.", "应付券账户。", "BRK-A")]
    receiver: Annotated[Account, said("The account that receives.", "应收券账户。", "BRK-B")]
    instrument: InstrumentName
    quantity: Quantity


class NewPayment(_NewInstruction):
    """A payment without delivery."""

    kind: Annotated[Literal["pay"], said("Payment without delivery.", "纯付款。", "pay")]
    payer: Annotated[Account, said("The account that pays.", "应付款账户。", "BRK-B")]
    payee: Annotated[Account, said("The account that is paid.", "应收款账户。", "BRK-A")]
    amount: Amount
    currency: FirstCurrency = None


NewInstruction = Annotated[NewDvp | NewFreeDelivery | NewPayment, Field(discriminator="kind")]


class Asking(Wire):
    """On whose behalf something is asked."""

    by: Annotated[ParticipantId, said("A side of the instruction.", "指令的一方。", "BRK-A")]


class Prioritising(Asking):
    """Another priority."""

    priority: PriorityName


class Replacing(Asking):
    """Other terms, under a new label."""

    instruction: Annotated[NewInstruction, holding("What comes instead.", "替代的指令。")]


class Why(Wire):
    """A numbered reason, explained."""

    code: Annotated[
        ReasonCode,
        said("Its number: see `novate reasons`.", "原因编号，见 `novate reasons`。", 5004),
    ]
    reason: ReasonName
    cause: CauseText
    cause_zh: CauseTextZh
    remedy: RemedyText
    remedy_zh: RemedyTextZh


class Instruction(Wire):
    """An instruction, and where it stands."""

    label: LabelText
    id: Annotated[
        str,
        said(
            "Under which it settles on the chain.",
            "在链上交收所用的编号。",
            "0xeebd6d18149b78d24d49e34e7d094f53cbb5011467db2bb4fcf3fc7876445c1b",
        ),
    ]
    kind: Annotated[
        str,
        said("dvp, fop or pay.", "dvp 券款对付，fop 纯券过户，pay 纯付款。", "dvp"),
    ]
    state: Annotated[
        str, said("See docs/instructions.md.", "状态，见 docs/instructions.md。", "queued")
    ]
    why: Annotated[Why | None, holding("Why it waits, or has failed.", "等待或失败的原因。")]
    priority: PriorityText
    arrival: Annotated[
        int,
        said("Its place among all instructions, from 0.", "在全部指令中的到达序号，从 0 起。", 0),
    ]
    deliverer: Annotated[
        str,
        said("Account; in a payment, the payee's.", "应付券账户；纯付款时为收款账户。", "BRK-A"),
    ]
    receiver: Annotated[
        str,
        said("Account; in a payment, the payer's.", "应收券账户；纯付款时为付款账户。", "BRK-B"),
    ]
    isin: IsinOrNull
    symbol: SymbolOrNull
    quantity: Annotated[str | None, said("Units; null in a payment.", "数量；纯付款为空。", "100")]
    settled_quantity: Annotated[str | None, said("Units that have settled.", "已交收数量。", "0")]
    open_quantity: Annotated[str | None, said("Units still to settle.", "未交收数量。", "100")]
    currency: CurrencyOrNull
    amount: Annotated[
        str | None, said("Null in a free delivery.", "金额；纯券过户为空。", "1050.00")
    ]
    settled_amount: Annotated[str | None, said("Cash that has settled.", "已交收金额。", "0.00")]
    open_amount: Annotated[str | None, said("Cash still to settle.", "未交收金额。", "1050.00")]
    parts: Annotated[
        int, said("How often something of it has settled.", "已发生的（部分）交收次数。", 0)
    ]
    partial: Annotated[bool, said("It may settle in parts.", "可部分交收。", False)]
    held_by: Annotated[list[str], said("Who has it on hold.", "已将其暂缓的参与方。", ["BRK-A"])]
    cancelled_by: Annotated[
        list[str],
        said("Who has asked for its cancellation.", "已请求撤销的参与方。", ["BRK-B"]),
    ]
    expires_at: Annotated[
        str | None, said("Business time.", "可交收的最晚业务时间。", "2026-02-10T15:30:00")
    ]
    linked_to: Annotated[
        list[str],
        said("Labels: these settle together, or none does.", "关联指令的标签。", ["PAY-1"]),
    ]
    is_of_trade: Annotated[
        bool,
        said("The label is then the id of the trade.", "为真时标签即成交编号。", False),
    ]
    rule_version: RuleVersion
    final_block: Annotated[
        int | None,
        said("The last in which some of it settled.", "最近一次交收所在的区块。", 14),
    ]
