"""What goes over the wire. Amounts are decimal strings, quantities whole-number strings."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.said import said

T = TypeVar("T")

TradeNumber = Annotated[
    str,
    Field(
        pattern=r"^([A-Z0-9-]{1,11}|[1-9][0-9]{11,14})$",
        description="The venue's identifier, unique for instrument and trade date.",
        examples=["T1001"],
    ),
]
Account = Annotated[
    str,
    Field(
        max_length=41,
        description="A participant (its house account) or PARTICIPANT/NAME.",
        examples=["BRK-A"],
    ),
]


class Wire(BaseModel):
    """Base of everything that is sent or received: strict, immutable, nothing extra."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NewTrade(Wire):
    """A locked-in trade as the exchange reports it."""

    number: TradeNumber
    instrument: Annotated[
        str, Field(max_length=24, description="Symbol or ISIN.", examples=["NOVA1"])
    ]
    quantity: Annotated[
        str,
        Field(pattern=r"^[1-9][0-9]{0,15}$", description="Units.", examples=["100"]),
    ]
    price: Annotated[
        str,
        Field(
            pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$",
            description="Price of one unit, in the instrument's currency.",
            examples=["10.50"],
        ),
    ]
    seller: Account
    buyer: Account


class Trade(Wire):
    """A captured trade and what has become of it."""

    id: Annotated[str, Field(description="Venue, trade date, ISIN and the venue's identifier.")]
    position: Annotated[int, Field(description="Place in the order of capture, from 0.")]
    number: str
    isin: str
    symbol: str
    trade_date: str
    quantity: str
    price: str
    amount: Annotated[str, Field(description="What the buyer owes.")]
    currency: str
    seller: str
    buyer: str
    state: Annotated[
        str,
        Field(description="captured, settled, unaffirmed, or that of its instruction."),
    ]
    reason: Annotated[str | None, Field(description="Why it is not settled: see `novate reasons`.")]
    cycle: Annotated[int | None, Field(description="The cycle it settled in.")]
    final_block: Annotated[int | None, Field(description="The block in which it became final.")]
    transaction_hash: Annotated[
        str | None, Field(description="The transaction that settled it: see /v1/chain/transactions")
    ]


class PositionRange(Wire):
    """Consecutive trades of a batch, in its order."""

    row: Annotated[int, Field(description="The first of the rows, from 0.")]
    count: int
    first_position: Annotated[
        int | None, Field(description="Where the first stands in the capture; null: refused.")
    ]


class RefusedRow(Wire):
    """A trade of a batch that was refused; the rest of the batch stands."""

    row: Annotated[int, Field(description="From 0.")]
    id: str
    code: Annotated[int, Field(description="The number of the reason: see `novate reasons`.")]
    reason: str
    detail: str


class CapturedBatch(Wire):
    """What became of a batch. The same content again is answered the same."""

    batch: Annotated[str, Field(description="Names the content of the batch by its SHA-256.")]
    captured: Annotated[int, Field(description="New trades, now on disk.")]
    repeated: Annotated[int, Field(description="Captured before, with the same terms.")]
    refused: Annotated[int, Field(description="Captured before, with other terms.")]
    positions: Annotated[list[PositionRange], Field(description="The first 10,000 ranges.")]
    ranges: Annotated[int, Field(description="How many ranges of positions there are.")]
    refusals: Annotated[list[RefusedRow], Field(description="The first 100 refused rows.")]


class Gap(Wire):
    """Numbers of a dense sequence that are missing below one that was captured."""

    trade_date: str
    isin: str
    symbol: str
    first: int
    last: int
    missing: int


class Gaps(Wire):
    """The gaps in the sequences of a venue that numbers its trades without any."""

    dense_sequence: Annotated[
        bool, Field(description="Whether the venue promises such sequences; if not, no gaps.")
    ]
    missing: Annotated[int, Field(description="Missing numbers in all gaps.")]
    data: list[Gap]
    next_cursor: str | None


class Participant(Wire):
    """An institution of the consortium."""

    id: str
    name: str
    role: str
    settlement_bank: str | None
    address: Annotated[str, Field(description="The address that signs for it on the chain.")]
    is_suspended: Annotated[bool, Field(description="Nothing settles with it meanwhile.")]
    open_breaks: Annotated[
        int | None,
        said(
            "How many breaks are open; null where they are not shown to the caller.",
            "未了结差异的数量；不向调用方展示时为 null。",
            0,
        ),
    ]
    as_of_block: int
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

    number: int
    id: str
    state: Annotated[str, Field(description="settled, submitted, empty or abandoned.")]
    root: Annotated[str, Field(description="The Merkle root that commits to its trades.")]
    trades: int
    parties: int
    securities_lines: int
    cash_lines: int
    gross_value: str
    net_value: str
    currency: str
    netting_efficiency_bp: Annotated[int, Field(description="1 - net/gross, in basis points.")]
    block: int | None
    finality_ms: Annotated[int | None, Field(description="From strike to final.")]
    rule_version: Annotated[int, Field(description="Of the rulebook: see `novate rules`.")]


class Position(Wire):
    """What an account holds, as three records have it."""

    account: str
    asset: Annotated[str, Field(description="ISIN or currency.")]
    symbol: Annotated[str, Field(description="What its venue calls it; for cash, the currency.")]
    kind: Annotated[str, Field(description="securities or cash.")]
    available: str
    held: str
    total: str
    own_book: Annotated[
        str | None,
        said(
            "What the owner's own records say; null as of an earlier block.",
            "持有人自有账簿的记录；查询历史区块时为空。",
            "1000.00",
        ),
    ]
    agrees: Annotated[
        bool | None,
        said(
            "Whether the own book says the same; null as of an earlier block.",
            "自有账簿是否一致；查询历史区块时为空。",
            example=True,
        ),
    ]


class Page(Wire, Generic[T]):
    """A page of a list. Give ``next_cursor`` as ``cursor`` for the one after; null is the end."""

    as_of_block: int
    data: list[T]
    next_cursor: str | None


class Problem(Wire):
    """An error, as of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[int, Field(description="The number of the reason: see `novate reasons`.")]
    reason: str
    remedy: str
    remedy_zh: str
    request_id: Annotated[
        str | None,
        said(
            "Names the request; see /v1/requests. Null outside of /v1.",
            "请求编号，见 /v1/requests；/v1 以外为空。",
            "req_1_42",
        ),
    ] = None


class BatchFault(Wire):
    """One fault of a batch."""

    row: Annotated[int | None, Field(description="From 0; null: the body as a whole.")]
    field: str
    detail: str


class BatchProblem(Problem):
    """A batch that is refused whole, with its first 20 faults."""

    faults: list[BatchFault]
    faults_total: Annotated[
        int, Field(description="Faults found; of a form that stops reading, at most 20.")
    ]
