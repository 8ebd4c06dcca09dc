"""Sides of instructions on the wire: what one participant enters, and what others have entered."""

from typing import Annotated, Literal

from pydantic import Field

from api.fields import (
    AccountName,
    AsOfBlock,
    CurrencyOrNull,
    IsinOrNull,
    ParticipantName,
    PriorityText,
    SymbolOrNull,
)
from api.instruction_schemas import (
    TIME_PATTERN,
    Amount,
    Currency,
    FirstCurrency,
    LinkedTo,
    ParticipantId,
    PriorityName,
    Why,
)
from api.said import holding, said
from api.schemas import Account, InstrumentName, Quantity, Wire

REFERENCE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$"

SideReference = Annotated[
    str,
    said(
        "The participant's own name of its side, never used again.",
        "参与方为其单方录入自定的编号，不可重复使用。",
        "S1",
        pattern=REFERENCE_PATTERN,
    ),
]


class _NewSide(Wire):
    reference: SideReference
    account: Annotated[
        Account,
        said(
            "The own one; its participant enters the side.",
            "本方账户；由其参与方录入。",
            "BRK-A",
        ),
    ]
    counterparty: Annotated[
        ParticipantId, said("The participant on the other side.", "对手方。", "BRK-B")
    ]
    counterparty_account: Annotated[
        Account | None,
        said(
            "If left out, whichever the counterparty names.",
            "对手方账户；省略则以对手方所填为准。",
            "BRK-B",
        ),
    ] = None
    settlement_date: Annotated[
        str,
        said(
            "The business date on which it settles.",
            "交收日（营业日）。",
            "2026-02-10",
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        ),
    ]
    common_reference: Annotated[
        str | None,
        said(
            "Compared when both sides give one.",
            "共同编号；双方均填写时才比对。",
            "DEAL-7",
            min_length=1,
            max_length=200,
        ),
    ] = None
    entitlement: Annotated[
        Literal["cum", "ex"] | None,
        said("Given by both sides, or by none.", "含权或除权；须双方均填或均不填。", "cum"),
    ] = None
    opts_out: Annotated[
        bool | None,
        said(
            "Of claims from corporate actions. Given by both sides, or by none.",
            "放弃公司行动补偿；须双方均填或均不填。",
            False,
        ),
    ] = None
    priority: PriorityName = "normal"
    hold: Annotated[
        bool, said("Comes in on hold by this side.", "以本方暂缓的状态录入。", False)
    ] = False
    partial: Annotated[
        bool,
        said("Takes parts, if the other side does too.", "若对方也接受，则可部分交收。", False),
    ] = False
    expires: Annotated[
        str | None,
        said(
            "Last time of the settlement date at which it may settle.",
            "交收日内可交收的最晚时间。",
            "15:30",
            pattern=TIME_PATTERN,
        ),
    ] = None
    linked_to: LinkedTo = Field(default_factory=list)


class NewDvpSide(_NewSide):
    """One side of a delivery versus payment."""

    kind: Annotated[Literal["dvp"], said("Delivery versus payment.", "券款对付。", "dvp")]
    side: Annotated[
        Literal["seller", "buyer"], said("Which side it is.", "本方：卖方或买方。", "seller")
    ]
    instrument: InstrumentName
    quantity: Quantity
    amount: Amount
    currency: Annotated[
        Currency | None,
        said(
            "If left out, the instrument's currency.",
            "币种；省略时为证券的币种。",
            "CNY",
        ),
    ] = None


class NewFreeDeliverySide(_NewSide):
    """One side of a delivery free of payment."""

    kind: Annotated[Literal["fop"], said("Delivery free of payment.", "纯券过户。", "fop")]
    side: Annotated[
        Literal["deliverer", "receiver"],
        said("Which side it is.", "本方：付券方或收券方。", "deliverer"),
    ]
    instrument: InstrumentName
    quantity: Quantity


class NewPaymentSide(_NewSide):
    """One side of a payment without delivery."""

    kind: Annotated[Literal["pay"], said("Payment without delivery.", "纯付款。", "pay")]
    side: Annotated[
        Literal["payer", "payee"], said("Which side it is.", "本方：付款方或收款方。", "payer")
    ]
    amount: Amount
    currency: FirstCurrency = None


NewSide = Annotated[NewDvpSide | NewFreeDeliverySide | NewPaymentSide, Field(discriminator="kind")]


class Amending(Wire):
    """The side that comes instead, under a new reference."""

    replacement: Annotated[NewSide, holding("What comes instead.", "替代的单方录入。")]


class SideTerms(Wire):
    """What one participant says of an instruction, as its counterparty sees it too."""

    participant: Annotated[str, said("Who has entered it.", "录入方。", "BRK-A")]
    reference: Annotated[str, said("The participant's own name of it.", "录入方自定的编号。", "S1")]
    kind: Annotated[
        str,
        said("dvp, fop or pay.", "dvp 券款对付，fop 纯券过户，pay 纯付款。", "dvp"),
    ]
    side: Annotated[
        str,
        said(
            "seller or buyer, deliverer or receiver, ...",
            "卖方或买方、付券方或收券方等。",
            "seller",
        ),
    ]
    account: AccountName
    counterparty: Annotated[str, said("The participant on the other side.", "对手方。", "BRK-B")]
    counterparty_account: Annotated[
        str | None, said("Null: left open.", "对手方账户；未指定则为空。", "BRK-B")
    ]
    isin: IsinOrNull
    symbol: SymbolOrNull
    quantity: Annotated[str | None, said("Units; null in a payment.", "数量；纯付款为空。", "100")]
    currency: CurrencyOrNull
    amount: Annotated[
        str | None, said("Null in a free delivery.", "金额；纯券过户为空。", "1050.00")
    ]
    settlement_date: Annotated[
        str, said("The business date on which it settles.", "交收日（营业日）。", "2026-02-10")
    ]
    common_reference: Annotated[
        str | None,
        said("Compared when both sides give one.", "共同编号；双方均填写时才比对。", "DEAL-7"),
    ]
    entitlement: Annotated[
        str | None, said("cum, ex, or null: not given.", "cum 含权，ex 除权；未填则为空。", "cum")
    ]
    opts_out: Annotated[
        bool | None,
        said(
            "Of claims from corporate actions; null: not given.",
            "放弃公司行动补偿；未填则为空。",
            False,
        ),
    ]


class Side(SideTerms):
    """A side, and what has become of it."""

    state: Annotated[
        str,
        said(
            "Of its instruction: see docs/instructions.md.",
            "其指令的状态，见 docs/instructions.md。",
            "unmatched",
        ),
    ]
    why: Annotated[Why | None, holding("Why it waits, or has failed.", "等待或失败的原因。")]
    instruction: Annotated[
        str | None,
        said(
            "The label of the instruction; null until it has matched.",
            "指令标签；匹配前为空。",
            "BRK-A.S1~BRK-B.S1",
        ),
    ]
    place: Annotated[
        int,
        said("In the order in which sides came in, from 0.", "录入的先后序号，从 0 起。", 0),
    ]
    priority: PriorityText
    hold: Annotated[bool, said("Came in on hold.", "以暂缓状态录入。", False)]
    partial: Annotated[bool, said("Takes parts.", "接受部分交收。", False)]
    expires_at: Annotated[
        str | None, said("Business time.", "可交收的最晚业务时间。", "2026-02-10T15:30:00")
    ]
    linked_to: Annotated[
        list[str],
        said("Labels: these settle together, or none does.", "关联指令的标签。", ["PAY-1"]),
    ]


class FieldDifference(Wire):
    """One field that keeps two sides from matching."""

    field: Annotated[str, said("The field that differs.", "不一致的字段。", "amount")]
    yours: Annotated[
        str | None, said("Null: not given, or none.", "本方所填；未填则为空。", "1050.00")
    ]
    theirs: Annotated[
        str | None, said("Null: not given, or none.", "对方所填；未填则为空。", "1051.00")
    ]


class Nearest(Wire):
    """The unmatched side that differs in the fewest fields; the earliest of several."""

    participant: ParticipantName
    reference: Annotated[str, said("Its name of that side.", "其自定的编号。", "S1")]
    differing: Annotated[
        list[FieldDifference], holding("What keeps them from matching.", "不一致的字段。")
    ]


class SideFound(Side):
    """A side, and what comes nearest to it while it has not matched."""

    nearest: Annotated[
        Nearest | None,
        holding(
            "Of what is alleged; null: nothing is, or it matched.",
            "对手方录入中最接近者；没有或已匹配则为空。",
        ),
    ]


class Allegement(SideTerms):
    """A side of somebody else that waits for the participant's own."""

    nearest: Annotated[
        Nearest | None,
        holding("Of the participant's own unmatched sides.", "本方未匹配录入中最接近者。"),
    ]


class Allegements(Wire):
    """What others have entered that lacks the participant's own side, earliest first."""

    as_of_block: AsOfBlock
    total: Annotated[int, said("How many there are.", "总数。", 1)]
    data: Annotated[list[Allegement], holding("The first 500.", "前 500 条。")]
