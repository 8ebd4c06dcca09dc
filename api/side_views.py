"""From the matching desk to the wire: sides, what they lack, and allegements."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Any, Final

from api import side_schemas as schemas
from api.instruction_views import moment_text, why_view
from ledger.books.entered_sides import Entered, SideState
from ledger.domain.amounts import format_amount
from ledger.settlement.matching import Kind, Side
from nodes.clearing_house.matching_desk import MatchingDesk
from nodes.messages import Allegement
from nodes.network import Network

_SIDES: Final = {
    Kind.DVP: ("seller", "buyer"),
    Kind.FREE: ("deliverer", "receiver"),
    Kind.PAYMENT: ("payee", "payer"),
}


def side_view(network: Network, desk: MatchingDesk, entered: Entered) -> schemas.Side:
    """A side, and what has become of it."""
    return schemas.Side(**_standing(network, desk, entered))


def found_view(network: Network, desk: MatchingDesk, entered: Entered) -> schemas.SideFound:
    """The same, with what comes nearest while it has not matched."""
    nearest = desk.nearest_to(entered) if entered.state is SideState.UNMATCHED else None
    view = None
    if nearest is not None:
        view = _nearest(entered.side, nearest.entered, nearest.differing)
    return schemas.SideFound(nearest=view, **_standing(network, desk, entered))


def allegement_view(
    network: Network, desk: MatchingDesk, participant: str, alleged: Allegement
) -> schemas.Allegement:
    """What somebody else has entered, and the participant's own that is nearest to it."""
    own, side = desk.get(participant, alleged.own_reference), alleged.side
    return schemas.Allegement(
        nearest=_nearest(side, own, alleged.differing, is_own=True) if own else None,
        **_terms(network, side.owner, alleged.reference, side),
    )


def _standing(network: Network, desk: MatchingDesk, entered: Entered) -> dict[str, Any]:
    participant, reference, wishes = entered.participant, entered.reference, entered.wishes
    state = desk.state_of(participant, reference)
    assert state is not None, "what was entered stays on record"
    return {
        **_terms(network, participant, reference, entered.side),
        "state": state.value,
        "why": why_view(desk.reason_of(participant, reference)),
        "instruction": entered.label or None,
        "place": entered.place,
        "priority": wishes.priority.name.lower(),
        "hold": wishes.is_held,
        "partial": wishes.may_be_partial,
        "expires_at": None if wishes.expires_at is None else moment_text(wishes.expires_at),
        "linked_to": list(wishes.linked_to),
    }


def _terms(network: Network, participant: str, reference: str, side: Side) -> dict[str, Any]:
    instrument = network.instrument(network.instrument_number(side.isin)) if side.isin else None
    accounts = (side.deliverer_account, side.receiver_account)
    own, other = accounts if side.is_deliverer else accounts[::-1]
    return {
        "participant": participant,
        "reference": reference,
        "kind": side.kind.value,
        "side": _SIDES[side.kind][0 if side.is_deliverer else 1],
        "account": own,
        "counterparty": side.counterparty,
        "counterparty_account": other or None,
        "isin": side.isin or None,
        "symbol": instrument.symbol if instrument else None,
        "quantity": _text(side, "quantity"),
        "currency": side.currency or None,
        "amount": _text(side, "amount"),
        "settlement_date": side.settlement_date.isoformat(),
        "common_reference": side.common_reference or None,
        "entitlement": _text(side, "entitlement"),
        "opts_out": side.opts_out,
    }


def _nearest(
    side: Side, nearest: Entered, differing: Sequence[str], *, is_own: bool = False
) -> schemas.Nearest:
    """How a side differs from the nearest one; either of them is the reader's own."""
    yours, theirs = (nearest.side, side) if is_own else (side, nearest.side)
    return schemas.Nearest(
        participant=nearest.participant,
        reference=nearest.reference,
        differing=[
            schemas.FieldDifference(
                field=field, yours=_text(yours, field), theirs=_text(theirs, field)
            )
            for field in differing
        ],
    )


def _text(side: Side, field: str) -> str | None:
    """A field of a side as text; None when it is not given."""
    value = getattr(side, field)
    match value:
        case None | "" | 0 if value is not False:
            return None
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case date():
            return value.isoformat()
        case int() if field == "amount":
            return format_amount(value, side.currency)
        case _:
            return str(value)
