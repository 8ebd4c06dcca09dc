"""The messages between nodes. Each names its answer; all are immutable.

Trades travel as columns; what is signed travels as the typed data that was signed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from contracts.typed_data import CycleMessage, InstructionMessage, RedemptionMessage, SetMessage
from ledger.books.postings import Register
from ledger.books.trade_records import TradeRecord
from ledger.clearing.columns import Column, TradeColumns
from ledger.clearing.commitment import ShownChunks
from ledger.domain.breaks import TradeDifference
from ledger.domain.reasons import Rejected
from ledger.settlement.matching import Side, Wishes
from nodes.trade_signatures import PartySignatures


@dataclass(frozen=True, slots=True)
class AffirmationRequest:
    """Exchange to trader: are these trades yours? ``positions`` are those of the capture.

    ``to_sign`` asks for a signature of every trade that is affirmed.
    """

    positions: Column
    trades: TradeColumns
    to_sign: bool = False


@dataclass(frozen=True, slots=True)
class Affirmation:
    """The answer: every trade is affirmed but these, by row of the request; signed when asked."""

    differences: dict[int, TradeDifference]
    signed: PartySignatures | None = None


@dataclass(frozen=True, slots=True)
class CapturedBatch:
    """Exchange to clearing house: captured trades from a position on, and the rows not affirmed.

    The trades travel as they were written down: whoever takes them checks their hashes, and keeps
    what came. ``signed`` has the signatures of each party, by its number, where they are asked for.
    """

    first_position: int
    records: tuple[TradeRecord, ...]
    unaffirmed: frozenset[int]
    signed: dict[int, PartySignatures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportedLate:
    """Trader to exchange: its desk has reported these trades late, as the exchange has them.

    When both sides affirm them now, they are no longer unaffirmed.
    """

    trades: TradeColumns


@dataclass(frozen=True, slots=True)
class AffirmedLate:
    """Exchange to clearing house: both sides affirm these trades after all, by position."""

    positions: Column


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a message that asks for nothing: it is on disk."""


@dataclass(frozen=True, slots=True)
class CycleProposal:
    """Clearing house to party: attest this cycle. All net lines, and the recipient's own chunks.

    The chunks are made when the party asks for them.
    """

    cycle: CycleMessage
    chunks: Callable[[], ShownChunks]


@dataclass(frozen=True, slots=True)
class Attestation:
    """The answer: a compact signature of the cycle."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The answer instead: why not, and which trades differ (identities as text)."""

    refusal: Rejected
    trades: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedCycle:
    """Clearing house to banks and registrar: a cycle and its parties' signatures, in order."""

    cycle: CycleMessage
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ShownInstruction:
    """An instruction of a set, as it is shown to a debtor.

    ``trade`` is its trade, if it has one; ``whole`` what it is a part of, if it is one.
    """

    instruction: InstructionMessage
    label: str
    trade: TradeColumns | None = None
    whole: InstructionMessage | None = None


@dataclass(frozen=True, slots=True)
class SetProposal:
    """Clearing house to debtor: sign this set. ``own`` are the instructions that it owes under."""

    set: SetMessage
    own: tuple[ShownInstruction, ...]


@dataclass(frozen=True, slots=True)
class SignedSet:
    """Clearing house to everybody concerned: a set and its debtors' signatures, in order."""

    set: SetMessage
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EnteredSide:
    """Trader to clearing house: its side of an instruction, under a reference of its own."""

    reference: str
    side: Side
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class WithdrawnSide:
    """Trader to clearing house: it takes a side back; once matched, it asks for cancellation."""

    reference: str


@dataclass(frozen=True, slots=True)
class AmendedSide:
    """Trader to clearing house: another side instead of one that it takes back."""

    reference: str
    replacement: EnteredSide


@dataclass(frozen=True, slots=True)
class AllegementRequest:
    """Trader to clearing house: which sides have others entered that lack mine?"""


@dataclass(frozen=True, slots=True)
class Allegement:
    """A side that waits for the recipient's own.

    Attributes:
        reference: that of the participant which entered it.
        own_reference: the recipient's unmatched side that is nearest to it; empty: there is none.
        differing: the fields in which that one differs.
    """

    reference: str
    side: Side
    own_reference: str = ""
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allegements:
    """The answer: the first of them, earliest first, and how many there are."""

    sides: tuple[Allegement, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Matched:
    """Clearing house to trader: its side has found the other one; this is the instruction."""

    reference: str
    label: str
    instruction: InstructionMessage
    may_be_partial: bool


@dataclass(frozen=True, slots=True)
class Dissolved:
    """Clearing house to trader: its side is cancelled, and so is what it was matched into.

    The label is empty when it was not matched.
    """

    reference: str
    label: str


@dataclass(frozen=True, slots=True)
class RedemptionRequest:
    """Bank or registrar to owner: sign that this amount is destroyed. Answer: a signature."""

    redemption: RedemptionMessage
    register: Register


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """Participant to its bank or to the registrar: what do you have for me?"""


@dataclass(frozen=True, slots=True)
class Statement:
    """The answer: positions by holding key, as of a block."""

    block: int
    keys: Column
    amounts: Column


@dataclass(frozen=True, slots=True)
class Back:
    """Participant to whoever keeps something for it: it answers again, after it was away."""


@dataclass(frozen=True, slots=True)
class UnsoundAssets:
    """Keeper to clearing house: these assets of mine are suspended, and no others.

    Their ledger shows issues or redemptions that my records do not know, for too long now.
    """

    register: Register
    assets: tuple[int, ...]


Message: TypeAlias = (
    "AffirmationRequest | CapturedBatch | CycleProposal | SignedCycle | SetProposal | SignedSet"
    " | RedemptionRequest | StatementRequest | EnteredSide | WithdrawnSide | AmendedSide"
    " | AllegementRequest | Matched | Dissolved | Back"
    " | UnsoundAssets | ReportedLate | AffirmedLate"
)
