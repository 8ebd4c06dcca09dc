"""From the wire to the nodes: one side of an instruction.

What is malformed (INVALID) or names what is not known (UNKNOWN) is refused here; whether it makes
sense as a side is looked at by the clearing house.
"""

from datetime import UTC, date, datetime, time
from typing import Any, assert_never

from api import side_schemas as schemas
from api.errors import refuse
from api.instruction_terms import (
    account_number,
    amount_of,
    currency_number,
    instrument_number,
    quantity_of,
)
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import owner_of, parse_date
from ledger.domain.instructions import Priority
from ledger.domain.reasons import Reason
from ledger.settlement.matching import Entitlement, Side, Wishes
from nodes.network import Network

NewSide = schemas.NewDvpSide | schemas.NewFreeDeliverySide | schemas.NewPaymentSide


def participant_of(network: Network, new: NewSide) -> str:
    """Who enters a side: the owner of its own account."""
    account_number(network, new.account)
    return owner_of(new.account)


def side_of(network: Network, new: NewSide) -> Side:
    """What a side says. In a payment the receiver pays the deliverer."""
    own, other = participant_of(network, new), new.counterparty
    accounts = (new.account, new.counterparty_account or "")
    is_deliverer = new.side in ("seller", "deliverer", "payee")
    sides = (own, other) if is_deliverer else (other, own)
    numbers = accounts if is_deliverer else accounts[::-1]
    return Side(
        is_deliverer=is_deliverer,
        deliverer=sides[0],
        receiver=sides[1],
        deliverer_account=numbers[0],
        receiver_account=numbers[1],
        settlement_date=_date(new),
        common_reference=new.common_reference or "",
        entitlement=Entitlement(new.entitlement) if new.entitlement else None,
        opts_out=new.opts_out,
        **_legs(network, new),
    )


def wishes_of(new: NewSide) -> Wishes:
    """How a side wants its instruction settled."""
    if len(set(new.linked_to)) < len(new.linked_to):
        raise refuse(Reason.INVALID, "linked_to: expected each label once")
    return Wishes(
        priority=Priority[new.priority.upper()],
        is_held=new.hold,
        may_be_partial=new.partial,
        expires_at=_moment(_date(new), new.expires) if new.expires else None,
        linked_to=tuple(new.linked_to),
    )


def _legs(network: Network, new: NewSide) -> dict[str, Any]:
    match new:
        case schemas.NewDvpSide():
            instrument = network.instrument(instrument_number(network, new.instrument))
            currency = currency_number(network, new.currency or instrument.currency)
            return {
                "isin": instrument.isin,
                "quantity": quantity_of(new.quantity),
                "currency": network.currency(currency),
                "amount": amount_of(network, new.amount, currency),
            }
        case schemas.NewFreeDeliverySide():
            number = instrument_number(network, new.instrument)
            isin = network.instrument(number).isin
            return {"isin": isin, "quantity": quantity_of(new.quantity)}
        case schemas.NewPaymentSide():
            currency = currency_number(network, new.currency)
            amount = amount_of(network, new.amount, currency)
            return {"currency": network.currency(currency), "amount": amount}
        case _:
            assert_never(new)


def _date(new: NewSide) -> date:
    try:
        return parse_date(new.settlement_date)
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"settlement_date: {error}") from error


def _moment(day: date, text: str) -> int:
    """A time of a business date, in seconds since 1970."""
    return int(datetime.combine(day, time.fromisoformat(text), tzinfo=UTC).timestamp())
