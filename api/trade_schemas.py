"""Trades on the wire: one as it is captured, batches of them, and gaps in their numbers."""

from typing import Annotated

from api.fields import (
    EXAMPLE_HASH,
    EXAMPLE_TRADE,
    TRADE_NUMBER_PATTERN,
    CurrencyCode,
    Isin,
    NextCursor,
    ReasonCode,
    ReasonName,
    Symbol,
    TradeIdText,
)
from api.said import holding, said
from api.schemas import Account, InstrumentName, Problem, Quantity, Wire

TradeNumber = Annotated[
    str,
    said(
        "The venue's identifier, unique for instrument and trade date.",
        "场所成交编号，在同一证券和成交日内唯一。",
        "T1001",
        pattern=TRADE_NUMBER_PATTERN,
    ),
]
BuyingAccount = Annotated[
    Account,
    said(
        "The buyer's account: a participant (its house account) or PARTICIPANT/NAME.",
        "买方账户：参与方（自营账户）或 参与方/账户名。",
        "BRK-B",
    ),
]


class NewTrade(Wire):
    """A locked-in trade as the exchange reports it."""

    number: TradeNumber
    instrument: InstrumentName
    quantity: Quantity
    price: Annotated[
        str,
        said(
            "Price of one unit, in the instrument's currency.",
            "单价，以证券的币种计。",
            "10.50",
            pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$",
        ),
    ]
    seller: Annotated[Account, said("The seller's account.", "卖方账户。", "BRK-A")]
    buyer: BuyingAccount


class Trade(Wire):
    """A captured trade and what has become of it."""

    id: TradeIdText
    position: Annotated[
        int, said("Place in the order of capture, from 0.", "受理顺序号，从 0 起。", 0)
    ]
    number: Annotated[str, said("The venue's identifier.", "场所成交编号。", "T1001")]
    isin: Isin
    symbol: Symbol
    trade_date: Annotated[
        str, said("The business date of the trade.", "成交日期（营业日）。", "2026-02-10")
    ]
    quantity: Annotated[str, said("Units.", "数量（单位数）。", "100")]
    price: Annotated[str, said("Price of one unit.", "单价。", "10.50")]
    amount: Annotated[str, said("What the buyer owes.", "买方应付金额。", "1050.00")]
    currency: CurrencyCode
    seller: Annotated[str, said("The account that delivers.", "卖方账户（应付券）。", "BRK-A")]
    buyer: Annotated[str, said("The account that pays.", "买方账户（应付款）。", "BRK-B")]
    state: Annotated[
        str,
        said(
            "captured, settled, unaffirmed, or that of its instruction.",
            "captured 已受理，settled 已交收，unaffirmed 未确认，或其指令的状态。",
            "settled",
        ),
    ]
    reason: Annotated[
        str | None,
        said(
            "Why it is not settled: see `novate reasons`.",
            "未交收的原因，见 `novate reasons`。",
            None,
        ),
    ]
    cycle: Annotated[int | None, said("The cycle it settled in.", "其交收所在的净额批次。", 1)]
    final_block: Annotated[
        int | None, said("The block in which it became final.", "取得最终性的区块。", 14)
    ]
    transaction_hash: Annotated[
        str | None,
        said(
            "The transaction that settled it: see /v1/chain/transactions",
            "完成交收的链上交易，见 /v1/chain/transactions。",
            EXAMPLE_HASH,
        ),
    ]


class PositionRange(Wire):
    """Consecutive trades of a batch, in its order."""

    row: Annotated[int, said("The first of the rows, from 0.", "首行的行号，从 0 起。", 0)]
    count: Annotated[int, said("How many rows.", "行数。", 200)]
    first_position: Annotated[
        int | None,
        said(
            "Where the first stands in the capture; null: refused.",
            "首行的受理顺序号；被拒绝则为空。",
            0,
        ),
    ]


class RefusedRow(Wire):
    """A trade of a batch that was refused; the rest of the batch stands."""

    row: Annotated[int, said("From 0.", "行号，从 0 起。", 3)]
    id: TradeIdText
    code: Annotated[
        ReasonCode,
        said(
            "The number of the reason: see `novate reasons`.",
            "原因编号，见 `novate reasons`。",
            3003,
        ),
    ]
    reason: Annotated[ReasonName, said("The name of the reason.", "原因名称。", "DUPLICATE")]
    detail: Annotated[
        str,
        said(
            "What was expected, and what was found.",
            "应有内容与实际内容。",
            f"{EXAMPLE_TRADE} was captured with other terms",
        ),
    ]


class CapturedBatch(Wire):
    """What became of a batch. The same content again is answered the same."""

    batch: Annotated[
        str,
        said(
            "Names the content of the batch by its SHA-256.",
            "批次内容的 SHA-256，作为其名称。",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ),
    ]
    captured: Annotated[int, said("New trades, now on disk.", "新受理并已落盘的成交数。", 200)]
    repeated: Annotated[
        int, said("Captured before, with the same terms.", "此前已受理且要素相同的成交数。", 0)
    ]
    refused: Annotated[
        int, said("Captured before, with other terms.", "此前已受理但要素不同的成交数。", 0)
    ]
    positions: Annotated[
        list[PositionRange], holding("The first 10,000 ranges.", "前 10,000 个区间。")
    ]
    ranges: Annotated[
        int, said("How many ranges of positions there are.", "受理顺序号的区间总数。", 1)
    ]
    refusals: Annotated[
        list[RefusedRow], holding("The first 100 refused rows.", "前 100 个被拒绝的行。")
    ]


class Gap(Wire):
    """Numbers of a dense sequence that are missing below one that was captured."""

    trade_date: Annotated[str, said("Of which business date.", "所属成交日期。", "2026-02-10")]
    isin: Isin
    symbol: Symbol
    first: Annotated[int, said("The first number that is missing.", "首个缺失的编号。", 17)]
    last: Annotated[int, said("The last number that is missing.", "末个缺失的编号。", 19)]
    missing: Annotated[int, said("How many are missing.", "缺失的个数。", 3)]


class Gaps(Wire):
    """The gaps in the sequences of a venue that numbers its trades without any."""

    dense_sequence: Annotated[
        bool,
        said(
            "Whether the venue promises such sequences; if not, no gaps.",
            "该场所是否承诺连续编号；否则不列缺口。",
            False,
        ),
    ]
    missing: Annotated[int, said("Missing numbers in all gaps.", "全部缺口中缺失的个数。", 3)]
    data: Annotated[list[Gap], holding("The gaps of this page.", "本页的缺口。")]
    next_cursor: NextCursor


class BatchFault(Wire):
    """One fault of a batch."""

    row: Annotated[
        int | None,
        said("From 0; null: the body as a whole.", "行号，从 0 起；空：整个请求体。", 3),
    ]
    field: Annotated[str, said("The field at fault.", "有误的字段。", "price")]
    detail: Annotated[
        str,
        said(
            "What was expected, and what was found.",
            "应有内容与实际内容。",
            "expected a decimal, found '10,50'",
        ),
    ]


class BatchProblem(Problem):
    """A batch that is refused whole, with its first 20 faults."""

    faults: Annotated[list[BatchFault], holding("The first 20 faults.", "前 20 个错误。")]
    faults_total: Annotated[
        int,
        said(
            "Faults found; of a form that stops reading, at most 20.",
            "发现的错误数；中止读取的格式最多 20。",
            1,
        ),
    ]
