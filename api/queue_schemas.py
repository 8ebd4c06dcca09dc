"""The queue, limits and forecasts on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.instruction_schemas import (
    AnyLabel,
    Currency,
    NewInstruction,
    Why,
)
from api.schemas import Account, Wire


class Shortfall(Wire):
    """What an account has too little of."""

    account: str
    kind: Annotated[str, Field(description="securities, cash or limit.")]
    asset: Annotated[str, Field(description="ISIN or currency.")]
    counterparty: Annotated[str | None, Field(description="Of a limit; null: to everybody.")]
    needed: str
    available: str
    missing: str


class WaitingInstruction(Wire):
    """One that waits in a queue, or beside it."""

    label: str
    state: str
    priority: str
    owed: Annotated[str, Field(description="What it takes from the account of this queue.")]
    why: Why | None
    missing: list[Shortfall]
    behind: Annotated[str | None, Field(description="One that goes before it.")]


class Queue(Wire):
    """Those that owe one asset from one account, the next one first."""

    account: str
    kind: Annotated[str, Field(description="securities, cash or limit.")]
    asset: str
    counterparty: Annotated[str | None, Field(description="Of a limit; null: to everybody.")]
    available: str
    owed: Annotated[str, Field(description="By all of them together.")]
    length: int
    instructions: Annotated[list[WaitingInstruction], Field(description="The first 100.")]


class Queues(Wire):
    """A page of the queues."""

    as_of_block: int
    live: Annotated[int, Field(description="Instructions that may still settle.")]
    data: list[Queue]
    aside_total: int
    aside: Annotated[
        list[WaitingInstruction],
        Field(description="On hold, or waiting for a link: they block nobody. The first 100."),
    ]
    next_cursor: str | None


class Resolving(Wire):
    """Which algorithm."""

    algorithm: Annotated[
        Literal["fifo", "bypass", "optimum"],
        Field(description="fifo keeps the order of every queue; see docs/scenarios.md."),
    ]


class Money(Wire):
    """An amount in a currency."""

    currency: str
    amount: str


class Resolution(Wire):
    """What one run of gridlock resolution has settled, as one set."""

    algorithm: str
    settled: Annotated[list[str], Field(description="Labels, in queue order.")]
    values: list[Money]
    is_exact: Annotated[bool, Field(description="False: the search stopped early.")]


class NewLimit(Wire):
    """The most that an account pays on balance: payments less receipts under instructions."""

    account: Account
    amount: Annotated[
        str,
        Field(
            pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$",
            description="Decimal text; zero: nothing on balance.",
            examples=["1000000.00"],
        ),
    ]
    currency: Currency | None = None
    counterparty: Annotated[
        Account | None, Field(description="To this account; null or left out: to everybody.")
    ] = None


class Limit(Wire):
    """A limit, and what is left under it."""

    account: str
    counterparty: str | None
    currency: str
    amount: str
    headroom: str


class DryRunOf(Wire):
    """What to try: instructions that are there, by label, and others as if they had come in."""

    labels: list[AnyLabel] = Field(default_factory=list, max_length=500)
    instructions: list[NewInstruction] = Field(default_factory=list, max_length=100)


class Remedy(Wire):
    """Something that has to happen, or helps."""

    act: Annotated[
        str,
        Field(
            description="fund, raise_limit, go_first, release, enter, reinstate, enter_again, "
            "ask_again or resolve."
        ),
    ]
    text: str
    text_zh: str
    labels: list[str]
    participants: list[str]
    shortfall: Shortfall | None


class Hold(Wire):
    """Who has to release which instruction."""

    label: str
    held_by: list[str]


class PartOf(Wire):
    """A part that would settle."""

    quantity: str
    amount: str


class Forecast(Wire):
    """Would they settle now, all together, and what would make it."""

    settles: bool
    together: Annotated[list[str], Field(description="Those that settle with each other.")]
    why: Annotated[Why | None, Field(description="The first thing in the way, by precedence.")]
    missing: list[Shortfall]
    ahead_total: int
    ahead: Annotated[list[str], Field(description="Who stands before them. The first 100.")]
    must_wait: Annotated[
        bool, Field(description="Those ahead go first. If not, they may merely be quicker.")
    ]
    held: list[Hold]
    awaited: Annotated[list[str], Field(description="Linked, and not there or come to nothing.")]
    suspended: list[str]
    late: list[str]
    part: Annotated[PartOf | None, Field(description="What would settle of it all the same.")]
    settles_with: Annotated[
        list[str], Field(description="The set in which `POST /v1/queue/resolve` fifo settles them.")
    ]
    remedies: list[Remedy]
    as_of_block: int


class Leaver(Wire):
    """A trade that would leave the cycle."""

    id: str
    why: Why


class NetLine(Wire):
    """What an account would get, or below zero, give."""

    account: str
    kind: Annotated[str, Field(description="securities or cash.")]
    asset: str
    amount: str


class CycleForecast(Wire):
    """The cycle as it would be struck now, if everybody attested it."""

    trades: Annotated[int, Field(description="That wait for a cycle.")]
    settling: int
    leaving: int
    leavers: Annotated[list[Leaver], Field(description="The first 500.")]
    parties: list[str]
    lines_total: int
    lines: Annotated[list[NetLine], Field(description="The first 500.")]
    as_of_block: int
