"""What goes over the wire. Amounts are decimal strings, quantities whole-number strings."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from api.fields import (
    ACCOUNT_PATTERN,
    INSTRUMENT_PATTERN,
    AccountName,
    AsOfBlock,
    AssetName,
    CurrencyCode,
    NextCursor,
    ParticipantName,
    Register,
    RuleVersion,
)
from api.said import holding, said

T = TypeVar("T")

Account = Annotated[
    str,
    said(
        "A participant (its house account) or PARTICIPANT/NAME.",
        "参与方（自营账户）或 参与方/账户名。",
        "BRK-A",
        max_length=41,
        pattern=ACCOUNT_PATTERN,
    ),
]
InstrumentName = Annotated[
    str,
    said(
        "Symbol or ISIN.",
        "证券代码或 ISIN。",
        "NOVA1",
        max_length=24,
        pattern=INSTRUMENT_PATTERN,
    ),
]
Quantity = Annotated[str, said("Units.", "数量（单位数）。", "100", pattern=r"^[1-9][0-9]{0,15}$")]


class Wire(BaseModel):
    """Base of everything that is sent or received: strict, immutable, nothing extra."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Participant(Wire):
    """An institution of the consortium."""

    id: ParticipantName
    name: Annotated[str, said("What it is called.", "机构名称。", "Broker A")]
    role: Annotated[
        str,
        said(
            "exchange, broker, bank, clearing_house, registrar or regulator.",
            "exchange 交易所，broker 经纪商，bank 银行，clearing_house 清算所，"
            "registrar 登记机构，regulator 监管机构。",
            "broker",
        ),
    ]
    settlement_bank: Annotated[
        str | None,
        said("Who keeps its cash; null: it has none.", "结算银行；无资金账户则为空。", "BANK-1"),
    ]
    address: Annotated[
        str,
        said(
            "The address that signs for it on the chain.",
            "在链上代其签名的地址。",
            "0xe7a2fa02a10952f25f546ee906f48e73efac2603",
        ),
    ]
    is_suspended: Annotated[
        bool, said("Nothing settles with it meanwhile.", "已暂停：期间与其相关的均不交收。", False)
    ]
    open_breaks: Annotated[
        int | None,
        said(
            "Open breaks; null while its node is away, and where they are not shown to the caller.",
            "未结差异的数量；节点无响应或不向调用方展示时为 null。",
            0,
        ),
    ]
    as_of_block: Annotated[
        int | None,
        said(
            "The block its own books are at; null while its node is away.",
            "自有账簿所至的区块；节点无响应时为 null。",
            14,
        ),
    ]
    is_away: Annotated[
        bool,
        said(
            "Its node does not answer: of its breaks and its block nothing is known.",
            "其节点没有响应：差异与区块高度未知。",
            False,
        ),
    ]


class Cycle(Wire):
    """A netting cycle."""

    number: Annotated[int, said("Its number, from 1.", "批次号，从 1 起。", 1)]
    id: Annotated[
        str,
        said(
            "Under which it settles on the chain.",
            "在链上交收所用的编号。",
            "0x7ba805cddd9d140519b17a2c22bd6b5f77db8e63975cf6a57443c81624ed7db9",
        ),
    ]
    state: Annotated[
        str,
        said(
            "settled, submitted, empty or abandoned.",
            "settled 已交收，submitted 已提交，empty 无成交，abandoned 已放弃。",
            "settled",
        ),
    ]
    root: Annotated[
        str,
        said(
            "The Merkle root that commits to its trades.",
            "承诺其全部成交的默克尔根。",
            "0xd08223e7a5b54bfd9a857b0e8ce1cc1fb61fdd39755e967ed5abe076a919a807",
        ),
    ]
    trades: Annotated[int, said("Trades in it.", "成交笔数。", 6652)]
    parties: Annotated[int, said("Participants in it.", "参与方数。", 3)]
    securities_lines: Annotated[int, said("Net lines of securities.", "证券净额笔数。", 36)]
    cash_lines: Annotated[int, said("Net lines of cash.", "资金净额笔数。", 6)]
    gross_value: Annotated[
        str, said("What would be paid trade by trade.", "逐笔全额应付总额。", "69846000.00")
    ]
    net_value: Annotated[str, said("What is paid after netting.", "轧差后应付总额。", "2444610.00")]
    currency: CurrencyCode
    netting_efficiency_bp: Annotated[
        int,
        said("1 - net/gross, in basis points.", "轧差效率：1 减净额与全额之比，以基点计。", 9650),
    ]
    block: Annotated[
        int | None, said("The block that settled it; null: none yet.", "交收区块；尚无则为空。", 14)
    ]
    finality_ms: Annotated[
        int | None,
        said("From strike to final.", "从截批到最终的毫秒数。", 135),
    ]
    rule_version: RuleVersion
    first_position: Annotated[
        int,
        said(
            "The first trade of the capture that it was struck over.",
            "截批范围内首笔成交的受理顺序号。",
            0,
        ),
    ]
    last_position: Annotated[
        int, said("The last trade of them.", "截批范围内末笔成交的受理顺序号。", 6651)
    ]
    struck_at: Annotated[
        str | None,
        said(
            "When, by the machine's clock; null: before this process began.",
            "截批时刻（机器时钟）；本进程启动之前的为空。",
            "2026-02-10T09:30:00.120000+00:00",
        ),
    ]
    cleared_ms: Annotated[
        float | None,
        said(
            "From strike until all its parties had signed its net lines.",
            "从截批到各方签署净额的毫秒数。",
            41.5,
        ),
    ]
    settled_ms: Annotated[
        float | None,
        said(
            "From strike until its last transaction was in a final block.",
            "从截批到末笔链上交易进入最终区块的毫秒数。",
            120.2,
        ),
    ]
    reconciled_ms: Annotated[
        float | None,
        said(
            "From strike until every node had compared its books with it.",
            "从截批到各节点完成对账的毫秒数。",
            160.0,
        ),
    ]


class Position(Wire):
    """What an account holds, as three records have it."""

    account: AccountName
    asset: AssetName
    symbol: Annotated[
        str,
        said(
            "What its venue calls it; for cash, the currency.",
            "交易场所的证券代码；资金则为币种。",
            "CNY",
        ),
    ]
    kind: Register
    available: Annotated[str, said("What it can deliver or pay.", "可用余额。", "1000001050.00")]
    held: Annotated[
        str, said("Its own, but set aside.", "已保留余额：属本账户但不可动用。", "0.00")
    ]
    total: Annotated[str, said("Available and held.", "可用与已保留合计。", "1000001050.00")]
    own_book: Annotated[
        str | None,
        said(
            "What the owner's own records say; null as of an earlier block, or while away.",
            "归属方自有账簿的记录；查询历史区块或其节点无响应时为空。",
            "1000001050.00",
        ),
    ]
    agrees: Annotated[
        bool | None,
        said(
            "Whether the own book says the same; null as of an earlier block, or while away.",
            "自有账簿是否一致；查询历史区块或其节点无响应时为空。",
            True,
        ),
    ]
    is_away: Annotated[
        bool,
        said(
            "The owner's node does not answer: the balances are the ledger's, from the clearing"
            " house.",
            "归属方节点没有响应：余额取自清算所所见的账本。",
            False,
        ),
    ]


class Page(Wire, Generic[T]):
    """A page of a list. Give ``next_cursor`` as ``cursor`` for the one after; null is the end."""

    as_of_block: AsOfBlock
    data: Annotated[list[T], holding("What is on this page.", "本页内容。")]
    next_cursor: NextCursor


class Problem(Wire):
    """An error, as of RFC 9457."""

    type: Annotated[
        str, said("Names the reason for ever.", "原因的永久标识。", "urn:novate:reason:1002")
    ]
    title: Annotated[
        str,
        said(
            "The cause, in English.",
            "原因（英文）。",
            "It names a participant, account, instrument or id that is not known here.",
        ),
    ]
    title_zh: Annotated[
        str,
        said("The cause, in Chinese.", "原因（中文）。", "所指参与者、账户、证券或编号不存在。"),
    ]
    status: Annotated[int, said("The HTTP status.", "HTTP 状态码。", 404)]
    detail: Annotated[
        str,
        said(
            "What was expected, and what was found.",
            "应有内容与实际内容。",
            "there is no participant BRK-Z",
        ),
    ]
    code: Annotated[
        int,
        said(
            "The number of the reason: see `novate reasons`.",
            "原因编号，见 `novate reasons`。",
            1002,
        ),
    ]
    reason: Annotated[str, said("The name of the reason.", "原因名称。", "UNKNOWN")]
    remedy: Annotated[
        str,
        said(
            "What to do about it, in English.",
            "处理办法（英文）。",
            "Check the identifier; register what is missing first.",
        ),
    ]
    remedy_zh: Annotated[
        str,
        said(
            "What to do about it, in Chinese.",
            "处理办法（中文）。",
            "请核对编号，必要时先行登记。",
        ),
    ]
    request_id: Annotated[
        str | None,
        said(
            "Names the request; see /v1/requests. Null outside of /v1.",
            "请求编号，见 /v1/requests；/v1 以外为空。",
            "req_1_42",
        ),
    ] = None
