"""The options that describe a new instruction, and the request that they make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from api.cli.terminal import bad_input


class Kind(StrEnum):
    """Kinds of instructions."""

    DVP = "dvp"
    FOP = "fop"
    PAY = "pay"


class Priority(StrEnum):
    """Who goes first in a queue."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"


_SIDES: Final = {
    Kind.DVP: ("seller", "buyer"),
    Kind.FOP: ("deliverer", "receiver"),
    Kind.PAY: ("payee", "payer"),
}
_NEEDED: Final = {
    Kind.DVP: ("instrument", "quantity", "amount"),
    Kind.FOP: ("instrument", "quantity"),
    Kind.PAY: ("amount",),
}
_ALSO: Final[Mapping[Kind, tuple[str, ...]]] = {Kind.DVP: (), Kind.FOP: (), Kind.PAY: ("currency",)}

NewLabel = Annotated[str, typer.Argument(help="Its label: letters, digits, - and _.")]
AccountOption = Annotated[str | None, typer.Option(help="Account, such as BRK-A or BRK-A/client.")]
InstrumentOption = Annotated[str | None, typer.Option(help="Symbol or ISIN.")]
QuantityOption = Annotated[str | None, typer.Option(help="Units.")]
AmountOption = Annotated[str | None, typer.Option(help="Such as 1050.00.")]
CurrencyOption = Annotated[str | None, typer.Option(help="Of a payment.")]
PriorityOption = Annotated[Priority, typer.Option(help="Who goes first in a queue.")]
HoldOption = Annotated[bool, typer.Option("--hold", help="On hold by both sides.")]
PartialOption = Annotated[bool, typer.Option("--partial", help="Both sides take parts.")]
ExpiresOption = Annotated[
    str | None, typer.Option(help="Last business time at which it may settle: 15:30.")
]
LinkOption = Annotated[
    list[str] | None, typer.Option(help="Label of one that settles with it, or neither does.")
]


def body_of(
    kind: Kind,
    label: str,
    sides: tuple[str | None, str | None],
    fields: Mapping[str, str | None],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """What is sent. Ends with status 2 when an option is missing, or is not of this kind."""
    given = {"deliverer": sides[0], "receiver": sides[1], **fields}
    given = {name: value for name, value in given.items() if value is not None}
    needed = ("deliverer", "receiver", *_NEEDED[kind])
    missing = [f"--{name}" for name in needed if name not in given]
    if missing:
        bad_input(f"a {kind.value} needs {', '.join(missing)}")
    strange = [f"--{name}" for name in given if name not in (*needed, *_ALSO[kind])]
    if strange:
        bad_input(f"a {kind.value} has no {', '.join(strange)}")
    for name, own in zip(("deliverer", "receiver"), _SIDES[kind], strict=True):
        given[own] = given.pop(name)
    return {"kind": kind.value, "label": label, **given, **options}
