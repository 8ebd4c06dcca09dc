"""Fields that many models have: identifiers, quantities, where a page ends."""

from typing import Annotated, Final

from pydantic import BeforeValidator

from api.said import said

PARTICIPANT_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$"
ACCOUNT_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,23}(/[A-Za-z0-9][A-Za-z0-9_-]{0,15})?$"
INSTRUMENT_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,23}$"
TRADE_NUMBER_PATTERN: Final = r"^([A-Z0-9-]{1,11}|[1-9][0-9]{11,14})$"
TRADE_ID_PATTERN: Final = (
    r"^[A-Z0-9]{1,8}\.[0-9]{4}-[0-9]{2}-[0-9]{2}\.[A-Z]{2}[A-Z0-9]{9}[0-9]"
    r"\.([A-Z0-9-]{1,11}|[1-9][0-9]{11,14})$"
)
HASH_PATTERN: Final = r"^0x[0-9a-fA-F]{64}$"
BLOCK_MAX: Final = 10**15

EXAMPLE_TRADE: Final = "XNOV.2026-02-10.ZZ0000NOVA12.T1001"
EXAMPLE_HASH: Final = "0x3625a5f14e4c8606a9bb6d77e3b05d49eda56287de213d08b71ec5f340602cfc"
EXAMPLE_BLOCK_HASH: Final = "0x7baebb520f15d317d01b2999b82d1866de8bf09a0696dd51a086b8740b497926"


def _whole(given: object) -> object:
    """A whole number as JSON Schema has it: 1.0 is one."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


WHOLE: Final = BeforeValidator(_whole)
"""Of an integer that is received, ahead of what strictly takes an int.

Where null is allowed it comes after the bounds: else they would be those of null too.
"""

AsOfBlock = Annotated[
    int,
    said("The last final block that the answer takes in.", "应答所依据的最后一个最终区块。", 14),
]
NextCursor = Annotated[
    str | None,
    said(
        "Give it as cursor for the next page; null at the end.",
        "作为 cursor 传入即得下一页；末页为空。",
        "100",
    ),
]
TradeIdText = Annotated[
    str,
    said(
        "Venue, trade date, ISIN and the venue's identifier.",
        "交易场所、成交日期、ISIN 与场所成交编号。",
        EXAMPLE_TRADE,
    ),
]
Isin = Annotated[str, said("The ISIN of the instrument.", "证券的 ISIN 代码。", "ZZ0000NOVA12")]
IsinOrNull = Annotated[
    str | None,
    said(
        "The ISIN of the instrument; null in a payment.",
        "证券的 ISIN 代码；纯付款为空。",
        "ZZ0000NOVA12",
    ),
]
Symbol = Annotated[str, said("What its venue calls it.", "交易场所的证券代码。", "NOVA1")]
SymbolOrNull = Annotated[
    str | None,
    said(
        "What its venue calls it; null in a payment.", "交易场所的证券代码；纯付款为空。", "NOVA1"
    ),
]
CurrencyCode = Annotated[str, said("ISO 4217 code.", "ISO 4217 币种代码。", "CNY")]
CurrencyOrNull = Annotated[
    str | None,
    said(
        "ISO 4217 code; null in a free delivery.",
        "ISO 4217 币种代码；纯券过户为空。",
        "CNY",
    ),
]
AccountName = Annotated[
    str,
    said(
        "A participant (its house account) or PARTICIPANT/NAME.",
        "参与方（自营账户）或 参与方/账户名。",
        "BRK-A/client",
    ),
]
AssetName = Annotated[str, said("ISIN or currency.", "ISIN 代码或币种。", "CNY")]
Register = Annotated[
    str, said("securities or cash.", "登记簿：securities 证券，cash 资金。", "cash")
]
PotKind = Annotated[
    str,
    said("securities, cash or limit.", "securities 证券，cash 资金，limit 限额。", "cash"),
]
ParticipantName = Annotated[str, said("The participant's id.", "参与方编号。", "BRK-A")]
LabelText = Annotated[
    str,
    said(
        "The label of the instruction, the trade or the match.",
        "指令标签，或成交、匹配的编号。",
        "DVP-1",
    ),
]
PriorityText = Annotated[
    str,
    said(
        "urgent, high or normal: who goes first in a queue.",
        "优先级：urgent 紧急，high 高，normal 普通；决定排队次序。",
        "normal",
    ),
]
RuleVersion = Annotated[
    int, said("Of the rulebook: see `novate rules`.", "规则手册的版本，见 `novate rules`。", 1)
]
ReasonCode = Annotated[
    int,
    said(
        "The number of the reason: see `novate reasons`.", "原因编号，见 `novate reasons`。", 5004
    ),
]
ReasonName = Annotated[str, said("The name of the reason.", "原因名称。", "MONY")]
CauseText = Annotated[
    str,
    said("The cause, in English.", "原因（英文）。", "The payer does not have the cash."),
]
CauseTextZh = Annotated[str, said("The cause, in Chinese.", "原因（中文）。", "付款方资金不足。")]
RemedyText = Annotated[
    str,
    said(
        "What to do about it, in English.",
        "处理办法（英文）。",
        "Fund the account, or wait for incoming cash.",
    ),
]
RemedyTextZh = Annotated[
    str, said("What to do about it, in Chinese.", "处理办法（中文）。", "请补足资金，或等待入账。")
]
