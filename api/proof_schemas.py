"""The proof of a trade over the wire: exactly the file that a verifier reads."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas import Wire

Hash = Annotated[
    str, Field(pattern="^0x[0-9a-f]{64}$", description="SHA-256.", examples=["0x" + "5a" * 32])
]
_RECORD = ["739811", "1", "205660", "256", "512", "100", "10500000", "1", "105000", "0", "0"]
Record = Annotated[
    list[str],
    Field(
        description="A trade as it is hashed: a whole number for each of the columns.",
        examples=[_RECORD],
    ),
]


class ProofCycle(Wire):
    """The settled cycle that the trade is in."""

    id: Hash
    root: Annotated[Hash, Field(description="Compare it with the chain's for this cycle.")]
    trades: Annotated[int, Field(description="How many trades it has.", examples=[6652])]


class ProofChunk(Wire):
    """At most 64 trades of one pair of parties, in order of capture."""

    index: Annotated[int, Field(description="Its number in the cycle, from 0.", examples=[17])]
    of: Annotated[int, Field(description="How many chunks the cycle has.", examples=[1771])]
    salt: Hash
    records: list[Record]


class ProofTrade(Wire):
    """The trade that the proof is of."""

    place: Annotated[int, Field(description="Its place in the chunk, from 0.", examples=[3])]
    record: Record


class TradeProof(Wire):
    """Shows that a trade is in a settled cycle, and nobody's trades but those of its parties.

    `novate proof verify FILE` and the stand-alone `docs/verify_proof.py` check it; the contract
    Inclusion answers the same on the chain.
    """

    format: Annotated[str, Field(description="Of the file.", examples=["novate-trade-proof-1"])]
    columns: Annotated[
        list[str], Field(description="What a record's numbers are.", examples=[["dates", "…"]])
    ]
    cycle: ProofCycle
    chunk: ProofChunk
    trade: ProofTrade
    path: Annotated[
        list[Hash], Field(description="The sibling at each level from the chunk to the root.")
    ]


class SideSignature(Wire):
    """The signature of one broker of a trade."""

    participant: Annotated[str, Field(description="Whose it is.", examples=["BRK-A"])]
    address: Annotated[
        str, Field(description="That the chain has for it.", examples=["0x" + "5a" * 20])
    ]
    signature: Annotated[
        str, Field(description="r, s and v: 65 bytes.", examples=["0x" + "5a" * 65])
    ]


class SignedTrade(Wire):
    """A trade as both its brokers signed it."""

    typed_data: Annotated[
        dict[str, Any],
        Field(description="As eth_signTypedData_v4 takes it.", examples=[{"primaryType": "Trade"}]),
    ]
    seller: SideSignature
    buyer: SideSignature
