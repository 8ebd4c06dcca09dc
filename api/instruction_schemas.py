"""Instructions and balances on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas import Account, Wire

Label = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$",
        description="The instruction's name, chosen by whoever enters it, never used again.",
        examples=["DVP-1"],
    ),
]
AnyLabel = Annotated[
    str, Field(max_length=160, description="Also of a trade or a match.", examples=["DVP-1"])
]
Reference = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$",
        description="Chosen by the sender: the same again is done once.",
        examples=["FUND-1"],
    ),
]
Amount = Annotated[
    str,
    Field(
        pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$",
        description="Decimal text in units of the currency, above zero.",
        examples=["1050.00"],
    ),
]
Quantity = Annotated[
    str,
    Field(pattern=r"^[1-9][0-9]{0,15}$", description="Units.", examples=["100"]),
]
InstrumentName = Annotated[
    str, Field(max_length=24, description="Symbol or ISIN.", examples=["NOVA1"])
]
Currency = Annotated[
    str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.", examples=["CNY"])
]
ParticipantId = Annotated[
    str, Field(max_length=24, description="A participant.", examples=["BRK-A"])
]
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
LinkedTo = Annotated[
    list[AnyLabel],
    Field(max_length=100, description="Labels: these settle together, or none does."),
]
PriorityName = Annotated[
    Literal["urgent", "high", "normal"], Field(description="Who goes first in a queue.")
]


class _NewInstruction(Wire):
    label: Label
    priority: PriorityName = "normal"
    hold: Annotated[bool, Field(description="Comes in on hold by both sides.")] = False
    partial: Annotated[bool, Field(description="Both sides take parts of it.")] = False
    expires: Annotated[
        str | None,
        Field(
            pattern=TIME_PATTERN,
            description="Last time of the business day at which it may settle.",
            examples=["15:30"],
        ),
    ] = None
    linked_to: LinkedTo = Field(default_factory=list)


class NewDvp(_NewInstruction):
    """Delivery versus payment, in the instrument's currency."""

    kind: Literal["dvp"]
    seller: Account
    buyer: Account
    instrument: InstrumentName
    quantity: Quantity
    amount: Amount


class NewFreeDelivery(_NewInstruction):
    """Delivery free of payment."""

    kind: Literal["fop"]
    deliverer: Account
    receiver: Account
    instrument: InstrumentName
    quantity: Quantity


class NewPayment(_NewInstruction):
    """A payment without delivery."""

    kind: Literal["pay"]
    payer: Account
    payee: Account
    amount: Amount
    currency: Annotated[
        Currency | None, Field(description="If left out, the first currency of the network.")
    ] = None


NewInstruction = Annotated[NewDvp | NewFreeDelivery | NewPayment, Field(discriminator="kind")]


class Asking(Wire):
    """On whose behalf something is asked."""

    by: ParticipantId


class Prioritising(Asking):
    """Another priority."""

    priority: PriorityName


class Replacing(Asking):
    """Other terms, under a new label."""

    instruction: NewInstruction


class Why(Wire):
    """A numbered reason, explained."""

    code: Annotated[int, Field(description="Its number: see `novate reasons`.")]
    reason: str
    cause: str
    cause_zh: str
    remedy: str
    remedy_zh: str


class Instruction(Wire):
    """An instruction, and where it stands."""

    label: str
    id: Annotated[str, Field(description="Under which it settles on the chain.")]
    kind: Annotated[str, Field(description="dvp, fop or pay.")]
    state: Annotated[str, Field(description="See docs/instructions.md.")]
    why: Annotated[Why | None, Field(description="Why it waits, or has failed.")]
    priority: str
    arrival: Annotated[int, Field(description="Its place among all instructions, from 0.")]
    deliverer: Annotated[str, Field(description="Account; in a payment, the payee's.")]
    receiver: Annotated[str, Field(description="Account; in a payment, the payer's.")]
    isin: str | None
    symbol: str | None
    quantity: Annotated[str | None, Field(description="Units; null in a payment.")]
    settled_quantity: str | None
    open_quantity: str | None
    currency: str | None
    amount: Annotated[str | None, Field(description="Null in a free delivery.")]
    settled_amount: str | None
    open_amount: str | None
    parts: Annotated[int, Field(description="How often something of it has settled.")]
    partial: bool
    held_by: list[str]
    cancelled_by: Annotated[list[str], Field(description="Who has asked for its cancellation.")]
    expires_at: Annotated[str | None, Field(description="Business time.")]
    linked_to: list[str]
    is_of_trade: Annotated[bool, Field(description="The label is then the id of the trade.")]
    rule_version: int
    final_block: Annotated[int | None, Field(description="The last in which some of it settled.")]


class _OfBalance(Wire):
    reference: Reference
    account: Account


class CashMovement(_OfBalance):
    """An amount of cash."""

    kind: Literal["cash"]
    direction: Literal["in", "out"]
    amount: Amount
    currency: Currency | None = None


class SecuritiesMovement(_OfBalance):
    """A quantity of securities."""

    kind: Literal["securities"]
    direction: Literal["in", "out"]
    instrument: InstrumentName
    quantity: Quantity


Funding = Annotated[CashMovement | SecuritiesMovement, Field(discriminator="kind")]


class CashReservation(_OfBalance):
    """An amount of cash that is set aside, or made available again."""

    kind: Literal["cash"]
    act: Literal["reserve", "unreserve"]
    amount: Amount
    currency: Currency | None = None


class SecuritiesReservation(_OfBalance):
    """A quantity of securities that is set aside, or made available again."""

    kind: Literal["securities"]
    act: Literal["reserve", "unreserve"]
    instrument: InstrumentName
    quantity: Quantity


Reservation = Annotated[CashReservation | SecuritiesReservation, Field(discriminator="kind")]


class Balance(Wire):
    """What an account has of one asset, after what was asked for."""

    account: str
    kind: str
    asset: str
    available: str
    held: str
    as_of_block: int


class Standing(Wire):
    """Whether a participant may settle."""

    participant: str
    is_suspended: bool
