"""Breaks on the wire: what differs, since when, who looks after it, and what would close it."""

from typing import Annotated, Literal

from api.said import said
from api.schemas import Page, Wire

KindName = Literal[
    "missing_ours",
    "missing_theirs",
    "duplicate",
    "quantity",
    "amount",
    "date",
    "instrument",
    "account",
    "status",
    "timing",
    "undue_issue",
    "undue_redemption",
]
StateName = Literal["open", "resolved", "closed"]
BucketName = Literal["0", "1", "2-5", "6-10", ">10"]

Person = Annotated[
    str,
    said(
        "Who does this: a person of the owner, or a desk.",
        "操作人：归属方的人员或部门。",
        "li.na",
        pattern=r"^[^\x00-\x1f\x7f]{1,60}$",
    ),
]
FreeText = Annotated[
    str,
    said(
        "1 to 500 characters.",
        "1 至 500 个字符。",
        "the late confirmation is on its way",
        min_length=1,
        max_length=500,
    ),
]


class Words(Wire):
    """Something that has a name, in two languages."""

    name: Annotated[str, said("Its name on the wire.", "其代码。", "resolve")]
    text: Annotated[
        str,
        said(
            "In English.",
            "英文说明。",
            "Resolve the break, with the reason: novate breaks resolve.",
        ),
    ]
    text_zh: Annotated[
        str, said("In Chinese.", "中文说明。", "处理该差异并注明理由：novate breaks resolve。")
    ]


class Break(Wire):
    """A difference between two records that should agree, as it stands."""

    id: Annotated[
        str,
        said(
            "Its short name, unique for its owner.",
            "差异编号，在归属方内唯一。",
            "9f2b5c7d81e0a364",
        ),
    ]
    owner: Annotated[str, said("Whose records found it.", "发现差异的一方。", "BRK-A")]
    kind: Annotated[KindName, said("How the records differ.", "差异类别。", "quantity")]
    kind_text: Annotated[str, said("The kind in English.", "类别（英文）。", "quantity")]
    kind_text_zh: Annotated[str, said("The kind in Chinese.", "类别（中文）。", "数量不符")]
    state: Annotated[
        StateName,
        said(
            "open; resolved: dealt with, while the difference is there; closed: it is gone.",
            "open 未结；resolved 已处理但差异仍在；closed 差异已消除。",
            "open",
        ),
    ]
    subject: Annotated[str, said("What the records differ on.", "差异所涉事项。", "BRK-A CNY")]
    ours: Annotated[str, said("What the owner has.", "我方记录。", "0.01")]
    theirs: Annotated[
        str, said("What the others have.", "对方记录。", "ledger 10.00, statement 10.00")
    ]
    asset: Annotated[
        str | None, said("ISIN or currency; null: neither.", "证券代码或币种；无则为空。", "CNY")
    ]
    at_risk: Annotated[
        str,
        said(
            "What is in doubt, valued when the records came to differ so; 0 where no price is"
            " known.",
            "存疑金额，按出现该差异时估值；无价格时为 0。",
            "9.99",
        ),
    ]
    currency: Annotated[
        str | None, said("Currency of it; null: not valued.", "其币种；未估值则为空。", "CNY")
    ]
    cause: Annotated[
        Words,
        said(
            "The likely cause.",
            "可能原因。",
            {
                "name": "other_terms",
                "text": "One of the two was entered with another value.",
                "text_zh": "其中一方录入的数值有误。",
            },
        ),
    ]
    actions: Annotated[
        list[Words],
        said(
            "What would close it, first things first.",
            "可采取的处理措施，按先后次序。",
            [
                {
                    "name": "ask_exchange",
                    "text": "Ask the exchange for the trade again.",
                    "text_zh": "请交易所重新发送该成交。",
                }
            ],
        ),
    ]
    first_seen_block: Annotated[
        int, said("The block as of which it was first seen.", "首次发现时的区块。", 12)
    ]
    first_seen_at: Annotated[
        str,
        said(
            "The business time at which it was first seen.",
            "首次发现的营业时间。",
            "2026-02-10T09:00:00+00:00",
        ),
    ]
    age: Annotated[
        int, said("Business days since then, until it closed.", "至今（或至消除）的营业日数。", 0)
    ]
    bucket: Annotated[
        BucketName, said("Its age, in business days, by bucket.", "按营业日的账龄区间。", "0")
    ]
    assignee: Annotated[
        str | None, said("Who looks after it; null: nobody.", "负责人；无则为空。", "li.na")
    ]
    resolution: Annotated[
        str | None,
        said("Why it was resolved; null: it was not.", "处理理由；未处理则为空。", "rounding"),
    ]
    closed_block: Annotated[
        int | None,
        said(
            "The block as of which the difference had gone; null: it is there.",
            "差异消除时的区块；仍存在则为空。",
            15,
        ),
    ]
    closed_at: Annotated[
        str | None,
        said(
            "The business time at which it had gone.",
            "差异消除的营业时间。",
            "2026-02-10T09:05:00+00:00",
        ),
    ]
    occurrences: Annotated[int, said("How often the difference has come.", "该差异出现的次数。", 1)]


class BreakVersion(Wire):
    """What two records said, when somebody looked."""

    kind: Annotated[KindName, said("How they differed.", "差异类别。", "quantity")]
    ours: Annotated[str, said("What the owner had.", "我方记录。", "100")]
    theirs: Annotated[str, said("What the others had.", "对方记录。", "ledger 90, statement 90")]


class BreakEvent(Wire):
    """Something that happened to a break."""

    sequence: Annotated[
        int,
        said("Its place in the history of all breaks of the owner.", "在归属方历史中的序号。", 7),
    ]
    act: Annotated[
        Literal["opened", "changed", "assigned", "commented", "resolved", "closed", "reopened"],
        said("What happened; closed: by itself.", "发生的事项；closed 为自动消除。", "assigned"),
    ]
    act_zh: Annotated[str, said("The same in Chinese.", "事项（中文）。", "指派")]
    actor: Annotated[
        str | None,
        said("Who did it; null: reconciliation itself.", "操作人；对账自动产生则为空。", "li.na"),
    ]
    text: Annotated[
        str,
        said("The assignee, the comment or the reason.", "负责人、备注或理由。", "li.na"),
    ]
    block: Annotated[int, said("As of which block.", "所截至的区块。", 12)]
    at: Annotated[str, said("At which business time.", "营业时间。", "2026-02-10T09:01:00+00:00")]
    before: Annotated[
        BreakVersion | None,
        said("The versions before, where it changed them.", "变动前的双方记录。", None),
    ]
    after: Annotated[
        BreakVersion | None,
        said("The versions after, where it changed them.", "变动后的双方记录。", None),
    ]


class BreakDetail(Break):
    """A break with its whole history."""

    history: Annotated[list[BreakEvent], said("Everything that happened to it.", "全部历史。", [])]


class AssignBreak(Wire):
    """Has somebody look after a break."""

    to: Annotated[
        str,
        said(
            "Who looks after it from now on; empty: nobody.",
            "负责人；留空则取消指派。",
            "li.na",
            pattern=r"^[^\x00-\x1f\x7f]{0,60}$",
        ),
    ]
    by: Person


class CommentOnBreak(Wire):
    """Adds a comment to the history of a break."""

    text: FreeText
    by: Person


class ResolveBreak(Wire):
    """Notes that a break is dealt with; it closes by itself once the difference has gone."""

    reason: FreeText
    by: Person


class ReopenBreak(Wire):
    """Takes a resolution back."""

    by: Person


class NodeReconciliation(Wire):
    """How far a node has reconciled, and with what result."""

    participant: Annotated[str, said("Whose node it is.", "节点所属参与方。", "BRK-A")]
    state: Annotated[
        Literal["live", "away"],
        said(
            "away: its node does not answer, and its breaks are not among those shown.",
            "away：其节点没有响应，所示差异不包括它的。",
            "live",
        ),
    ]
    reconciled_block: Annotated[
        int,
        said(
            "The last block reconciled: all that is final up to it has been compared.",
            "已对账至的区块：此前已最终的事项均已比对。",
            12,
        ),
    ]
    open_breaks: Annotated[
        int | None,
        said("Breaks that are open; null while it is away.", "未结差异数；节点无响应时为空。", 0),
    ]
    is_away: Annotated[
        bool,
        said("The same as state: away.", "与 state 为 away 相同。", False),
    ]


class Reconciliation(Wire):
    """The three-way comparison of own books, ledger and statements, node by node."""

    as_of_block: Annotated[
        int,
        said("The block up to which every node has reconciled.", "所有节点均已对账至的区块。", 12),
    ]
    agrees: Annotated[
        bool,
        said(
            "Every node answers, and none has an open break.",
            "所有节点均有响应且无未结差异。",
            True,
        ),
    ]
    suspended: Annotated[
        list[str],
        said(
            "What is suspended since its issue is in doubt: ISINs, and currencies of a bank.",
            "因发行存疑而暂停的证券代码，或某银行的币种。",
            ["CNY of BANK-1"],
        ),
    ]
    nodes: Annotated[list[NodeReconciliation], said("Node by node.", "各节点情况。", [])]
    breaks: Annotated[
        list[Break],
        said(
            "Every open break, but for those of nodes that are away.",
            "全部未结差异，无响应节点的除外。",
            [],
        ),
    ]


class Breaks(Page[Break]):
    """A page of breaks, and whose are not known now."""

    away: Annotated[
        list[str],
        said(
            "Whose nodes do not answer: their breaks are not known now, and not on any page.",
            "节点没有响应的参与方：其差异目前未知，不在任何一页中。",
            ["BRK-A"],
        ),
    ]
