"""The options that describe a side, and the request that they make."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from api.cli.http_client import Answer
from api.cli.new_instruction import Kind
from api.cli.terminal import bad_input


class Entitlement(StrEnum):
    """With what a security is entitled to, or without."""

    CUM = "cum"
    EX = "ex"


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
_ALSO: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.DVP: ("currency",),
    Kind.FOP: (),
    Kind.PAY: ("currency",),
}
_OF_THE_SIDE: Final = ("account", "counterparty", "settlement_date")
_KEPT: Final = (
    *("kind", "side", "account", "counterparty", "counterparty_account", "settlement_date"),
    *("quantity", "amount", "currency", "common_reference", "entitlement", "opts_out"),
    *("priority", "hold", "partial", "linked_to"),
)
"""What an amended side has of the old one, under the same names; instrument and expiry apart."""

NewReference = Annotated[str, typer.Argument(help="The own name of the side: letters, digits, -.")]
SideOption = Annotated[
    str | None, typer.Option("--side", help="seller, buyer; deliverer, receiver; payee, payer.")
]
OwnAccountOption = Annotated[str | None, typer.Option(help="The own one, such as BRK-A/client.")]
CounterpartyOption = Annotated[str | None, typer.Option(help="A participant.")]
CounterpartyAccountOption = Annotated[
    str | None, typer.Option(help="If it shall be a certain one.")
]
SettlementDateOption = Annotated[str | None, typer.Option(help="Business date: 2026-02-10.")]
CommonReferenceOption = Annotated[str | None, typer.Option(help="Agreed upon between both.")]
EntitlementOption = Annotated[Entitlement | None, typer.Option(help="Given by both, or by none.")]
OptsOutOption = Annotated[
    bool | None,
    typer.Option("--opts-out/--opts-in", help="Of claims from corporate actions; by both or none."),
]
SideHoldOption = Annotated[bool, typer.Option("--hold", help="On hold by this side.")]
SidePartialOption = Annotated[
    bool, typer.Option("--partial", help="Takes parts, if the other side does too.")
]
SideExpiresOption = Annotated[
    str | None, typer.Option(help="Last time of the settlement date at which it may settle: 15:30.")
]


def side_body(
    kind: Kind, reference: str, fields: Mapping[str, Any], wishes: Mapping[str, Any]
) -> dict[str, Any]:
    """What is sent. Ends with status 2 when an option is missing, or is not of this kind."""
    given = {name: value for name, value in fields.items() if value is not None}
    if given.get("side") not in _SIDES[kind]:
        bad_input(f"a {kind.value} needs --side {' or '.join(_SIDES[kind])}")
    needed = (*_OF_THE_SIDE, *_NEEDED[kind])
    missing = [_option(name) for name in needed if name not in given]
    if missing:
        bad_input(f"a {kind.value} needs {', '.join(missing)}")
    legs = (*_NEEDED[kind], *_ALSO[kind])
    strange = [_option(name) for name in _NEEDED[Kind.DVP] if name in given and name not in legs]
    if strange:
        bad_input(f"a {kind.value} has no {', '.join(strange)}")
    return {"kind": kind.value, "reference": reference, **given, **wishes}


def amended_body(old: Answer, reference: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The side that comes instead of another: what is not changed stays."""
    kept = {name: old[name] for name in _KEPT}
    kept["instrument"] = old["isin"]
    day, _, time = (old["expires_at"] or "").partition("T")
    kept["expires"] = time if day == old["settlement_date"] else None
    kept |= {name: value for name, value in changes.items() if value is not None}
    given = {name: value for name, value in kept.items() if value is not None}
    return {"reference": reference, **given}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
