"""What goes over the wire about blocks and transactions. Hashes are hex text with ``0x``."""

from typing import Annotated

from api.fields import (
    EXAMPLE_BLOCK_HASH,
    EXAMPLE_HASH,
    AccountName,
    AssetName,
    CauseText,
    CauseTextZh,
    NextCursor,
    Register,
    RemedyText,
    RemedyTextZh,
)
from api.said import holding, said
from api.schemas import Wire

ChainTime = Annotated[str, said("Time of the chain.", "链时间。", "2026-02-10 09:00:01 UTC")]
GasUsed = Annotated[int, said("Gas that was used.", "已用 gas。", 558_794)]
BlockNumber = Annotated[int, said("The number of the block.", "区块号。", 14)]
ContractName = Annotated[
    str, said("The contract's name, or an address.", "合约名称或地址。", "Settlement")
]


class NamedValue(Wire):
    """A value as text, under the name its contract gives it."""

    name: Annotated[str, said("The name the contract gives it.", "合约中的名称。", "cycle")]
    value: Annotated[str, said("The value as text.", "文本形式的值。", "1")]


class Finality(Wire):
    """How final a block is."""

    state: Annotated[str, said("sealed or final.", "sealed 已出块，final 已最终。", "final")]
    quorum: Annotated[int, said("How many validators must sign.", "所需验证者签名数。", 3)]
    signers: Annotated[
        list[str],
        said(
            "The validators that have signed.",
            "已签名的验证者。",
            ["EXCHANGE", "BANK-1", "CLEARING-HOUSE"],
        ),
    ]


class Refusal(Wire):
    """Why a transaction was refused. ``code`` is null for a text that is none of ours."""

    text: Annotated[str, said("What the contract said.", "合约返回的文本。", "MONY")]
    code: Annotated[int | None, said("The number of the reason.", "原因编号。", 5004)]
    reason: Annotated[
        str | None,
        said("The name of the reason; null: none of ours.", "原因名称；非本系统则为空。", "MONY"),
    ]
    cause: CauseText
    cause_zh: CauseTextZh
    remedy: RemedyText
    remedy_zh: RemedyTextZh


class TransactionSummary(Wire):
    """A transaction in a list."""

    hash: Annotated[str, said("The hash of the transaction.", "链上交易哈希。", EXAMPLE_HASH)]
    block: BlockNumber
    position: Annotated[
        int, said("Its place in the block, from 0.", "在区块中的位置，从 0 起。", 0)
    ]
    sender: Annotated[
        str,
        said(
            "The participant that signed it, or an address.",
            "签名的参与方或地址。",
            "CLEARING-HOUSE",
        ),
    ]
    contract: ContractName
    summary: Annotated[
        str,
        said(
            "What it does, in one sentence.",
            "其内容（英文一句话）。",
            "CLEARING-HOUSE settles cycle 1",
        ),
    ]
    summary_zh: Annotated[
        str, said("The same in Chinese.", "其内容（中文一句话）。", "CLEARING-HOUSE 交收第 1 批次")
    ]
    succeeded: Annotated[bool, said("It was not refused.", "执行成功，未被拒绝。", True)]
    refusal: Annotated[
        Refusal | None,
        holding("Why it was refused; null: it was not.", "拒绝原因；未被拒绝则为空。"),
    ]
    gas_used: GasUsed


class BlockSummary(Wire):
    """A block in a list."""

    number: BlockNumber
    hash: Annotated[str, said("The hash of the block.", "区块哈希。", EXAMPLE_BLOCK_HASH)]
    time: ChainTime
    transactions: Annotated[int, said("How many are in it.", "链上交易笔数。", 1)]
    gas_used: GasUsed
    content: Annotated[
        str,
        said(
            "What is in it, in a few words.",
            "区块内容概要（英文）。",
            "cycle 1 settled: 4 net lines, 1 trade",
        ),
    ]
    content_zh: Annotated[
        str,
        said(
            "The same in Chinese.", "区块内容概要（中文）。", "第 1 批次已交收：4 条净额，1 笔成交"
        ),
    ]
    finality: Annotated[Finality, holding("How final it is.", "最终性状态。")]


class Block(Wire):
    """A block with a page of its transactions."""

    block: Annotated[BlockSummary, holding("The block in short.", "区块概要。")]
    proposer: Annotated[
        str, said("The validator that proposed it.", "提议该区块的验证者。", "CLEARING-HOUSE")
    ]
    gas_limit: Annotated[int, said("Gas that it may use.", "gas 上限。", 2_000_000_000)]
    size_bytes: Annotated[int, said("Bytes of the block.", "区块字节数。", 2_267)]
    hashes: Annotated[list[NamedValue], holding("The hashes in its header.", "区块头中的各哈希。")]
    data: Annotated[
        list[TransactionSummary], holding("Its transactions on this page.", "本页的链上交易。")
    ]
    next_cursor: NextCursor


class ContractEvent(Wire):
    """An event of a contract. ``name`` is empty when it is none of ours."""

    index: Annotated[int, said("Its place in the block, from 0.", "在区块中的序号，从 0 起。", 0)]
    block: BlockNumber
    transaction: Annotated[
        str, said("The hash of the transaction.", "所属链上交易的哈希。", EXAMPLE_HASH)
    ]
    contract: ContractName
    name: Annotated[
        str, said("Its name; empty: none of ours.", "事件名称；非本系统则为空。", "CycleSettled")
    ]
    values: Annotated[list[NamedValue], holding("What it says.", "事件的各项值。")]


class CarriedLine(Wire):
    """A line that a transaction carries."""

    kind: Register
    account: AccountName
    asset: AssetName
    amount: Annotated[
        str, said("Signed; a debit is below zero.", "带符号金额；借记为负。", "-1050.00")
    ]


class Transaction(Wire):
    """A transaction with a page of the lines it carries."""

    transaction: Annotated[
        TransactionSummary, holding("The transaction in short.", "链上交易概要。")
    ]
    block_hash: Annotated[
        str, said("The hash of its block.", "所在区块的哈希。", EXAMPLE_BLOCK_HASH)
    ]
    time: ChainTime
    finality: Annotated[Finality, holding("How final its block is.", "所在区块的最终性状态。")]
    function: Annotated[
        str, said("The function that it calls.", "所调用的合约函数。", "settleCycle")
    ]
    arguments: Annotated[list[NamedValue], holding("What it is called with.", "调用参数。")]
    events: Annotated[list[ContractEvent], holding("What it has set off.", "触发的合约事件。")]
    signatures: Annotated[int, said("Participants' signatures in it.", "所含参与方签名数。", 3)]
    cycle: Annotated[
        int | None, said("The cycle it settles; null: none.", "所交收的净额批次；无则为空。", 1)
    ]
    reference: Annotated[
        str | None,
        said(
            "Id of what it settles.",
            "所交收事项的编号。",
            "0x7ba805cddd9d140519b17a2c22bd6b5f77db8e63975cf6a57443c81624ed7db9",
        ),
    ]
    lines: Annotated[int, said("How many lines it carries.", "所含净额笔数。", 4)]
    data: Annotated[list[CarriedLine], holding("Its lines on this page.", "本页的净额。")]
    next_cursor: NextCursor
