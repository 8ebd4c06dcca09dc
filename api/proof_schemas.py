"""The proof of a trade over the wire: exactly the file that a verifier reads."""

from typing import Annotated, Any

from api.said import holding, said
from api.schemas import Wire

_SHA = "0xd08223e7a5b54bfd9a857b0e8ce1cc1fb61fdd39755e967ed5abe076a919a807"
Hash = Annotated[str, said("SHA-256.", "SHA-256 哈希。", _SHA, pattern="^0x[0-9a-f]{64}$")]
_RECORD = ["739657", "1", "205660", "256", "512", "100", "10500000", "1", "105000", "0", "0"]
Record = Annotated[
    list[str],
    said(
        "A trade as it is hashed: a whole number for each of the columns.",
        "参与哈希的成交记录：每列一个整数。",
        _RECORD,
    ),
]


class ProofCycle(Wire):
    """The settled cycle that the trade is in."""

    id: Annotated[Hash, said("Of the cycle, on the chain.", "批次在链上的编号。", _SHA)]
    root: Annotated[
        Hash,
        said(
            "Compare it with the chain's for this cycle.",
            "默克尔根；应与链上该批次的一致。",
            _SHA,
        ),
    ]
    trades: Annotated[int, said("How many trades it has.", "批次的成交笔数。", 6652)]


class ProofChunk(Wire):
    """At most 64 trades of one pair of parties, in order of capture."""

    index: Annotated[
        int, said("Its number in the cycle, from 0.", "在批次中的分块号，从 0 起。", 17)
    ]
    of: Annotated[int, said("How many chunks the cycle has.", "批次的分块总数。", 1771)]
    salt: Annotated[Hash, said("Hashed before the records.", "先于记录参与哈希的盐值。", _SHA)]
    records: Annotated[
        list[Record],
        said("The trades of the chunk, as hashed.", "分块内参与哈希的成交。", [_RECORD]),
    ]


class ProofTrade(Wire):
    """The trade that the proof is of."""

    place: Annotated[int, said("Its place in the chunk, from 0.", "在分块中的位置，从 0 起。", 3)]
    record: Record


class TradeProof(Wire):
    """Shows that a trade is in a settled cycle, and nobody's trades but those of its parties.

    `novate proof verify FILE` and the stand-alone `docs/verify_proof.py` check it; the contract
    Inclusion answers the same on the chain.
    """

    format: Annotated[str, said("Of the file.", "文件格式。", "novate-trade-proof-1")]
    columns: Annotated[
        list[str],
        said(
            "What a record's numbers are.",
            "记录中各整数的含义。",
            ["dates", "instruments", "numbers", "sellers", "buyers", "quantities"],
        ),
    ]
    cycle: Annotated[ProofCycle, holding("The cycle it settled in.", "其交收所在的批次。")]
    chunk: Annotated[ProofChunk, holding("The chunk that it is in.", "其所在的分块。")]
    trade: Annotated[ProofTrade, holding("The trade itself.", "该笔成交。")]
    path: Annotated[
        list[Hash],
        said(
            "The sibling at each level from the chunk to the root.",
            "自分块至根每一层的兄弟节点。",
            [_SHA],
        ),
    ]


class SideSignature(Wire):
    """The signature of one broker of a trade."""

    participant: Annotated[str, said("Whose it is.", "签名方。", "BRK-A")]
    address: Annotated[
        str,
        said(
            "That the chain has for it.",
            "链上登记的签名地址。",
            "0xe7a2fa02a10952f25f546ee906f48e73efac2603",
        ),
    ]
    signature: Annotated[
        str, said("r, s and v: 65 bytes.", "签名 r、s、v，共 65 字节。", "0x" + "5a" * 65)
    ]


class SignedTrade(Wire):
    """A trade as both its brokers signed it."""

    typed_data: Annotated[
        dict[str, Any],
        said(
            "As eth_signTypedData_v4 takes it.",
            "eth_signTypedData_v4 所用的结构化数据。",
            {"primaryType": "Trade"},
        ),
    ]
    seller: Annotated[SideSignature, holding("By the seller's broker.", "卖方经纪商的签名。")]
    buyer: Annotated[SideSignature, holding("By the buyer's broker.", "买方经纪商的签名。")]
