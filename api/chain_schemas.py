"""What goes over the wire about blocks and transactions. Hashes are hex text with ``0x``."""

from typing import Annotated

from pydantic import Field

from api.schemas import Wire


class NamedValue(Wire):
    """A value as text, under the name its contract gives it."""

    name: str
    value: str


class Finality(Wire):
    """How final a block is."""

    state: Annotated[str, Field(description="sealed or final.")]
    quorum: Annotated[int, Field(description="How many validators must sign.")]
    signers: Annotated[list[str], Field(description="The validators that have signed.")]


class Refusal(Wire):
    """Why a transaction was refused. ``code`` is null for a text that is none of ours."""

    text: Annotated[str, Field(description="What the contract said.")]
    code: Annotated[int | None, Field(description="The number of the reason.")]
    reason: str | None
    cause: str
    cause_zh: str
    remedy: str
    remedy_zh: str


class TransactionSummary(Wire):
    """A transaction in a list."""

    hash: str
    block: int
    position: int
    sender: Annotated[str, Field(description="The participant that signed it, or an address.")]
    contract: str
    summary: Annotated[str, Field(description="What it does, in one sentence.")]
    summary_zh: str
    succeeded: bool
    refusal: Refusal | None
    gas_used: int


class BlockSummary(Wire):
    """A block in a list."""

    number: int
    hash: str
    time: Annotated[str, Field(description="Time of the chain.")]
    transactions: Annotated[int, Field(description="How many are in it.")]
    gas_used: int
    content: Annotated[str, Field(description="What is in it, in a few words.")]
    content_zh: str
    finality: Finality


class Block(Wire):
    """A block with a page of its transactions."""

    block: BlockSummary
    proposer: str
    gas_limit: int
    size_bytes: int
    hashes: list[NamedValue]
    data: list[TransactionSummary]
    next_cursor: str | None


class Event(Wire):
    """An event. ``name`` is empty when it is none of ours."""

    index: int
    block: int
    transaction: str
    contract: str
    name: str
    values: list[NamedValue]


class NetLine(Wire):
    """A line that a transaction carries."""

    kind: Annotated[str, Field(description="securities or cash.")]
    account: str
    asset: str
    amount: Annotated[str, Field(description="Signed; a debit is below zero.")]


class Transaction(Wire):
    """A transaction with a page of the lines it carries."""

    transaction: TransactionSummary
    block_hash: str
    time: str
    finality: Finality
    function: str
    arguments: list[NamedValue]
    events: list[Event]
    signatures: Annotated[int, Field(description="Participants' signatures in it.")]
    cycle: int | None
    reference: Annotated[str | None, Field(description="Id of what it settles.")]
    lines: Annotated[int, Field(description="How many lines it carries.")]
    data: list[NetLine]
    next_cursor: str | None
