"""Sides of instructions on the wire: what one participant enters, and what others have entered."""

from typing import Annotated, Literal

from pydantic import Field

from api.instruction_schemas import (
    TIME_PATTERN,
    Amount,
    Currency,
    InstrumentName,
    LinkedTo,
    ParticipantId,
    PriorityName,
    Quantity,
    Why,
)
from api.schemas import Account, Wire

SideReference = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$",
        description="The participant's own name of its side, never used again.",
        examples=["S1"],
    ),
]


class _NewSide(Wire):
    reference: SideReference
    account: Annotated[Account, Field(description="The own one; its participant enters the side.")]
    counterparty: ParticipantId
    counterparty_account: Annotated[
        Account | None, Field(description="If left out, whichever the counterparty names.")
    ] = None
    settlement_date: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            description="The business date on which it settles.",
            examples=["2026-02-10"],
        ),
    ]
    common_reference: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="Compared when both sides give one."),
    ] = None
    entitlement: Annotated[
        Literal["cum", "ex"] | None, Field(description="Given by both sides, or by none.")
    ] = None
    opts_out: Annotated[
        bool | None,
        Field(description="Of claims from corporate actions. Given by both sides, or by none."),
    ] = None
    priority: PriorityName = "normal"
    hold: Annotated[bool, Field(description="Comes in on hold by this side.")] = False
    partial: Annotated[bool, Field(description="Takes parts, if the other side does too.")] = False
    expires: Annotated[
        str | None,
        Field(
            pattern=TIME_PATTERN,
            description="Last time of the settlement date at which it may settle.",
            examples=["15:30"],
        ),
    ] = None
    linked_to: LinkedTo = Field(default_factory=list)


class NewDvpSide(_NewSide):
    """One side of a delivery versus payment."""

    kind: Literal["dvp"]
    side: Literal["seller", "buyer"]
    instrument: InstrumentName
    quantity: Quantity
    amount: Amount
    currency: Annotated[
        Currency | None, Field(description="If left out, the instrument's currency.")
    ] = None


class NewFreeDeliverySide(_NewSide):
    """One side of a delivery free of payment."""

    kind: Literal["fop"]
    side: Literal["deliverer", "receiver"]
    instrument: InstrumentName
    quantity: Quantity


class NewPaymentSide(_NewSide):
    """One side of a payment without delivery."""

    kind: Literal["pay"]
    side: Literal["payer", "payee"]
    amount: Amount
    currency: Annotated[
        Currency | None, Field(description="If left out, the first currency of the network.")
    ] = None


NewSide = Annotated[NewDvpSide | NewFreeDeliverySide | NewPaymentSide, Field(discriminator="kind")]


class Amending(Wire):
    """The side that comes instead, under a new reference."""

    replacement: NewSide


class SideTerms(Wire):
    """What one participant says of an instruction, as its counterparty sees it too."""

    participant: Annotated[str, Field(description="Who has entered it.")]
    reference: str
    kind: Annotated[str, Field(description="dvp, fop or pay.")]
    side: Annotated[str, Field(description="seller or buyer, deliverer or receiver, ...")]
    account: str
    counterparty: str
    counterparty_account: Annotated[str | None, Field(description="Null: left open.")]
    isin: str | None
    symbol: str | None
    quantity: Annotated[str | None, Field(description="Units; null in a payment.")]
    currency: str | None
    amount: Annotated[str | None, Field(description="Null in a free delivery.")]
    settlement_date: str
    common_reference: str | None
    entitlement: str | None
    opts_out: bool | None


class Side(SideTerms):
    """A side, and what has become of it."""

    state: Annotated[str, Field(description="Of its instruction: see docs/instructions.md.")]
    why: Annotated[Why | None, Field(description="Why it waits, or has failed.")]
    instruction: Annotated[
        str | None, Field(description="The label of the instruction; null until it has matched.")
    ]
    place: Annotated[int, Field(description="In the order in which sides came in, from 0.")]
    priority: str
    hold: Annotated[bool, Field(description="Came in on hold.")]
    partial: bool
    expires_at: Annotated[str | None, Field(description="Business time.")]
    linked_to: list[str]


class FieldDifference(Wire):
    """One field that keeps two sides from matching."""

    field: Annotated[str, Field(examples=["amount"])]
    yours: Annotated[str | None, Field(description="Null: not given, or none.")]
    theirs: str | None


class Nearest(Wire):
    """The unmatched side that differs in the fewest fields; the earliest of several."""

    participant: str
    reference: str
    differing: list[FieldDifference]


class SideFound(Side):
    """A side, and what comes nearest to it while it has not matched."""

    nearest: Annotated[
        Nearest | None, Field(description="Of what is alleged; null: nothing is, or it matched.")
    ]


class Allegement(SideTerms):
    """A side of somebody else that waits for the participant's own."""

    nearest: Annotated[
        Nearest | None, Field(description="Of the participant's own unmatched sides.")
    ]


class Allegements(Wire):
    """What others have entered that lacks the participant's own side, earliest first."""

    as_of_block: int
    total: int
    data: Annotated[list[Allegement], Field(description="The first 500.")]
