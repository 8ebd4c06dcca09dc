"""The tables of a node's database. Amounts are INTEGER minor units; hashes are raw bytes.

Trades are not rows: a batch of them is one ``BatchRow`` with a columnar payload.
"""

from typing import Final

from sqlalchemy import BigInteger, LargeBinary, Table
from sqlmodel import Field, SQLModel

from ledger.books.break_rows import BreakEntryRow, BreakRow, UnsoundAssetRow
from ledger.domain.rulebook import RULEBOOK_VERSION

HOLDING_WIDTH: Final = 2
POSITION_WIDTH: Final = 1
"""How many numbers are kept by key: available and held; an amount."""


class ProjectionCursorRow(SQLModel, table=True):
    """The last block whose events are in the projected holdings. One row."""

    __tablename__ = "projection_cursor"
    id: int = Field(default=1, primary_key=True)
    block: int
    block_hash: bytes = Field(sa_type=LargeBinary)


class HoldingRow(SQLModel, table=True):
    """Holdings as projected from the chain, those of some assets on a page.

    ``payload`` holds int64 columns: key (asset times 2**32 plus account), available, held.
    """

    __tablename__ = "holdings"
    register_name: str = Field(primary_key=True)
    page: int = Field(primary_key=True)
    payload: bytes = Field(sa_type=LargeBinary)


class StagedRow(SQLModel, table=True):
    """Lines of a cycle that is staged and has neither settled nor been aborted.

    ``payload`` holds int64 columns: key, signed amount.
    """

    __tablename__ = "staged"
    register_name: str = Field(primary_key=True)
    cycle: bytes = Field(primary_key=True, sa_type=LargeBinary)
    part: int = Field(primary_key=True)
    payload: bytes = Field(sa_type=LargeBinary)


class SettledRow(SQLModel, table=True):
    """A cycle or instruction that the chain shows as settled."""

    __tablename__ = "settled"
    origin: str = Field(primary_key=True)
    reference: bytes = Field(primary_key=True, sa_type=LargeBinary)
    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    block: int


class MovementRow(SQLModel, table=True):
    """What a final block did to the node's own holdings, and on which business date it was booked.

    ``payload`` holds int64 columns: number of the reference, register (0 securities, 1 cash), kind
    (as in the list of kinds), key, changes of available and held. ``names`` are the references.
    """

    __tablename__ = "movements"
    block: int = Field(primary_key=True)
    day: int = Field(index=True)
    names: bytes = Field(sa_type=LargeBinary)
    payload: bytes = Field(sa_type=LargeBinary)


class OwnPositionRow(SQLModel, table=True):
    """Positions in a node's own book, from its own records alone, of some assets on a page.

    ``payload`` holds int64 columns: key, amount.
    """

    __tablename__ = "own_positions"
    book: str = Field(primary_key=True)
    register_name: str = Field(primary_key=True)
    page: int = Field(primary_key=True)
    payload: bytes = Field(sa_type=LargeBinary)


class OwnEntryRow(SQLModel, table=True):
    """What a node's own records say a cause will do once it is final.

    ``payload`` holds int64 columns: register (0 securities, 1 cash), key, amount.
    """

    __tablename__ = "own_entries"
    book: str = Field(primary_key=True)
    origin: str = Field(primary_key=True)
    reference: bytes = Field(primary_key=True, sa_type=LargeBinary)
    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    payload: bytes = Field(sa_type=LargeBinary)
    block: int | None = Field(default=None, index=True)


class UnexpectedIssueRow(SQLModel, table=True):
    """An issue or redemption in accounts of a book that the book did not expect (yet).

    ``payload`` holds int64 columns: key, signed amount. Once it is expected, the row goes.
    """

    __tablename__ = "unexpected_issues"
    book: str = Field(primary_key=True)
    register_name: str = Field(primary_key=True)
    reference: bytes = Field(primary_key=True, sa_type=LargeBinary)
    block: int
    payload: bytes = Field(sa_type=LargeBinary)


class DeliveryRow(SQLModel, table=True):
    """A message that a recipient has not accepted yet, by what it is built from again.

    Deliveries to one recipient go in the order of their sequence. ``refusal`` is empty unless the
    recipient has refused the message: then it is not sent again.
    """

    __tablename__ = "deliveries"
    sequence: int = Field(primary_key=True)
    recipient: str = Field(index=True)
    kind: str
    reference: str
    refusal: str = ""


class OutboxRow(SQLModel, table=True):
    """A signed transaction, kept before it is sent; ``intent`` names what it is for."""

    __tablename__ = "outbox"
    intent: str = Field(primary_key=True)
    nonce: int = Field(unique=True)
    raw: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    state: str = "ready"
    revert: str = ""


class BatchRow(SQLModel, table=True):
    """A batch of trades in one of the node's streams: captured, blotter, intake.

    A large payload lies in the stream's own file: then ``file_offset`` and ``file_size`` say where,
    and the one here is empty.
    """

    __tablename__ = "batches"
    stream: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    first_position: int = Field(sa_type=BigInteger, index=True)
    count: int
    content_hash: bytes = Field(sa_type=LargeBinary)
    payload: bytes = Field(sa_type=LargeBinary)
    file_offset: int | None = Field(default=None, sa_type=BigInteger)
    file_size: int | None = None


class TradeSignaturesRow(SQLModel, table=True):
    """What brokers signed of consecutive trades of the intake, from a position on.

    ``keys`` holds the public keys: the participant's number in 8 bytes and 64 bytes for each. The
    payload, kept as that of a batch is, holds two signatures of 64 bytes for each trade, the
    seller's and the buyer's; one that is missing is zero.
    """

    __tablename__ = "trade_signatures"
    first_position: int = Field(primary_key=True, sa_type=BigInteger)
    count: int
    keys: bytes = Field(sa_type=LargeBinary)
    payload: bytes = Field(sa_type=LargeBinary)
    file_offset: int | None = Field(default=None, sa_type=BigInteger)
    file_size: int | None = None


class SubmissionRow(SQLModel, table=True):
    """A batch submitted from outside, by the hash of its content, and what was answered.

    ``positions`` holds int64 pairs: first position and count of each range of rows, -1 if refused.
    """

    __tablename__ = "submissions"
    content_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    captured: int
    repeated: int
    refused: int
    positions: bytes = Field(sa_type=LargeBinary)


class RefusalRow(SQLModel, table=True):
    """A submitted trade that was not captured, and why."""

    __tablename__ = "refusals"
    batch_id: str = Field(primary_key=True)
    row: int = Field(primary_key=True)
    subject: str
    reason: str
    detail: str


class MarkRow(SQLModel, table=True):
    """Something said of some trades of the blotter: affirmed, attested, instructed."""

    __tablename__ = "marks"
    kind: str = Field(primary_key=True)
    id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    positions: bytes = Field(sa_type=LargeBinary)
    deadline: int = 0


class MandateRow(SQLModel, table=True):
    """What the node's own desk has agreed to sign: for which contract, and exactly these terms."""

    __tablename__ = "mandates"
    contract: bytes = Field(primary_key=True, sa_type=LargeBinary)
    id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    terms: bytes = Field(sa_type=LargeBinary)
    may_be_partial: bool = False


class WithheldRow(SQLModel, table=True):
    """An instruction that the node's own desk has on hold, or has given up: it signs none of it."""

    __tablename__ = "withheld"
    id: bytes = Field(primary_key=True, sa_type=LargeBinary)


class CycleRow(SQLModel, table=True):
    """A netting cycle of the clearing house, over the intake positions [first, end).

    ``rule_version`` is the version of the rulebook that it runs under.
    ``securities_lines`` counts what it books in the securities register: net lines, or trades when
    it books them one by one (DvP model 2).
    """

    __tablename__ = "cycles"
    number: int = Field(primary_key=True)
    id: bytes = Field(sa_type=LargeBinary, index=True)
    first_position: int = Field(sa_type=BigInteger)
    end_position: int = Field(sa_type=BigInteger)
    state: str
    root: bytes = Field(default=b"", sa_type=LargeBinary)
    trade_count: int = 0
    securities_lines: int = 0
    cash_lines: int = 0
    party_count: int = 0
    gross_value: int = Field(default=0, sa_type=BigInteger)
    net_value: int = Field(default=0, sa_type=BigInteger)
    signed: bytes = Field(default=b"", sa_type=LargeBinary)
    block: int | None = None
    finality_ns: int = Field(default=0, sa_type=BigInteger)
    rule_version: int = RULEBOOK_VERSION


class TradeExceptionRow(SQLModel, table=True):
    """A trade of the intake that did not settle in the cycle of its position."""

    __tablename__ = "trade_exceptions"
    position: int = Field(primary_key=True, sa_type=BigInteger)
    state: str = Field(index=True)
    reason: str = ""
    instruction: bytes = Field(default=b"", sa_type=LargeBinary)


class InstructionRow(SQLModel, table=True):
    """An instruction in the clearing house's queue. Accounts and assets are numbers.

    ``held_by`` and ``cancelled_by`` are numbers of participants, ``linked_to`` a JSON list.
    """

    __tablename__ = "instructions"
    id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    arrival: int = Field(unique=True)
    label: str = Field(unique=True)
    deliverer: int
    receiver: int
    instrument: int
    quantity: int = Field(sa_type=BigInteger)
    currency: int
    amount: int = Field(sa_type=BigInteger)
    settled_quantity: int = Field(sa_type=BigInteger)
    settled_amount: int = Field(sa_type=BigInteger)
    parts: int
    priority: int
    held_by: str
    cancelled_by: str
    may_be_partial: bool
    expires_at: int | None = Field(sa_type=BigInteger)
    linked_to: str
    state: str = Field(index=True)
    reason: str
    rule_version: int
    position: int | None = Field(sa_type=BigInteger, index=True)
    block: int | None = Field(index=True)


class SettlementRow(SQLModel, table=True):
    """An attempt to settle a set of instructions: what was signed, kept before it is sent.

    ``labels`` are those of the instructions, in the order of what was signed, as a JSON list.
    """

    __tablename__ = "settlements"
    number: int = Field(primary_key=True)
    labels: str
    signed: bytes = Field(sa_type=LargeBinary)
    state: str = Field(index=True)
    block: int | None = None


class LimitRow(SQLModel, table=True):
    """The most that an account pays on balance. ``counterparty`` 0: to everybody together."""

    __tablename__ = "limits"
    account: int = Field(primary_key=True)
    currency: int = Field(primary_key=True)
    counterparty: int = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)


class ConsentRow(SQLModel, table=True):
    """A part of an instruction, or all of it, that a trader has signed for."""

    __tablename__ = "consents"
    instruction: bytes = Field(primary_key=True, sa_type=LargeBinary)
    id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    terms: bytes = Field(primary_key=True, sa_type=LargeBinary, index=True)
    quantity: int = Field(sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    deadline: int


class EnteredSideRow(SQLModel, table=True):
    """One side of an instruction, as its participant has entered it under a reference of its own.

    ``label`` is that of the instruction it was matched into, and empty before.
    """

    __tablename__ = "entered_sides"
    participant: str = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    place: int = Field(unique=True)
    payload: bytes = Field(sa_type=LargeBinary)
    state: str = Field(index=True)
    label: str = Field(default="", index=True)
    has_asked_out: bool = False


class ChangeRow(SQLModel, table=True):
    """What one commit has changed, for whoever tells others of it; number 0: somebody does."""

    __tablename__ = "changes"
    number: int = Field(primary_key=True)
    payload: bytes = Field(sa_type=LargeBinary)


class AmendmentRow(SQLModel, table=True):
    """What takes the place of an instruction (without an owner), or of a participant's side."""

    __tablename__ = "amendments"
    owner: str = Field(primary_key=True)
    old: str = Field(primary_key=True)
    new: str


def all_tables() -> list[Table]:
    """Every table of a node's database."""
    return [
        table_of(row)
        for row in (
            ProjectionCursorRow,
            HoldingRow,
            StagedRow,
            SettledRow,
            MovementRow,
            OwnPositionRow,
            OwnEntryRow,
            UnexpectedIssueRow,
            DeliveryRow,
            OutboxRow,
            BatchRow,
            TradeSignaturesRow,
            SubmissionRow,
            RefusalRow,
            MarkRow,
            MandateRow,
            WithheldRow,
            CycleRow,
            TradeExceptionRow,
            InstructionRow,
            SettlementRow,
            LimitRow,
            ConsentRow,
            AmendmentRow,
            ChangeRow,
            BreakRow,
            BreakEntryRow,
            UnsoundAssetRow,
            EnteredSideRow,
        )
    ]


def table_of(row: type[SQLModel]) -> Table:
    """The table that rows of a class are kept in."""
    return SQLModel.metadata.tables[str(row.__tablename__)]
