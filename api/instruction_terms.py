"""From the wire to the nodes: instructions, pots and movements, in the network's numbers.

Everything here refuses what is malformed (INVALID) or not known (UNKNOWN), and changes nothing.
"""

import hashlib
from datetime import UTC, datetime, time
from typing import assert_never

from api import balance_schemas
from api import instruction_schemas as schemas
from api.errors import refuse
from contracts.typed_data import InstructionMessage
from ledger.books.postings import Register
from ledger.domain.amounts import parse_amount, parse_quantity
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import isin_of_name, parse_account
from ledger.domain.instructions import Priority
from ledger.domain.reasons import Reason
from ledger.settlement.legs import EVERYBODY, Pot, PotKind
from nodes.clearing_house.desk import Entry
from nodes.clock import Clock
from nodes.instruction_terms import instruction_id
from nodes.movement import Movement
from nodes.network import Network

BalanceChange = (
    balance_schemas.CashMovement
    | balance_schemas.SecuritiesMovement
    | balance_schemas.CashReservation
    | balance_schemas.SecuritiesReservation
)


def entry_of(
    network: Network,
    clock: Clock,
    new: schemas.NewDvp | schemas.NewFreeDelivery | schemas.NewPayment,
) -> Entry:
    """An instruction as it is entered."""
    message = _message(network, new)
    if message.deliverer == message.receiver:
        raise refuse(Reason.INVALID, "both sides are the same account")
    links = tuple(new.linked_to)
    if len({new.label, *links}) <= len(links):
        raise refuse(Reason.INVALID, "linked_to: expected other labels, each of them once")
    return Entry(
        label=new.label,
        message=message,
        priority=Priority[new.priority.upper()],
        is_held=new.hold,
        may_be_partial=new.partial,
        expires_at=_moment(clock, new.expires) if new.expires else None,
        linked_to=links,
    )


def limit_of(network: Network, account: str, currency: str | None, counterparty: str | None) -> Pot:
    """The pot that is the headroom under a limit."""
    number = account_number(network, account)
    other = EVERYBODY if counterparty is None else account_number(network, counterparty)
    if other == number:
        raise refuse(Reason.INVALID, "counterparty: expected another account")
    return Pot(PotKind.LIMIT, currency_number(network, currency), number, other)


def movement_of(network: Network, change: BalanceChange, purpose: str) -> Movement:
    """An amount of a balance. References for one purpose are apart from those for another."""
    account = account_number(network, change.account)
    text = f"novate {purpose}|{change.reference}"
    reference = hashlib.sha256(text.encode()).digest()
    match change:
        case balance_schemas.CashMovement() | balance_schemas.CashReservation():
            currency = currency_number(network, change.currency)
            amount = amount_of(network, change.amount, currency)
            return Movement(reference, Register.CASH, currency, account, amount)
        case balance_schemas.SecuritiesMovement() | balance_schemas.SecuritiesReservation():
            instrument = instrument_number(network, change.instrument)
            quantity = quantity_of(change.quantity)
            return Movement(reference, Register.SECURITIES, instrument, account, quantity)
        case _:
            assert_never(change)


def account_number(network: Network, text: str) -> int:
    """An account of somebody who trades."""
    try:
        account = parse_account(text)
        number = network.account_number(account)
    except MalformedError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    except KeyError:
        raise refuse(Reason.UNKNOWN, f"there is no account {text}") from None
    if not network.trades(account):
        raise refuse(Reason.INVALID, f"{account} does not trade: name a broker or bank")
    return number


def instrument_number(network: Network, name: str) -> int:
    """An instrument by symbol or ISIN."""
    try:
        return network.instrument_number(isin_of_name(name))
    except MalformedError as error:
        raise refuse(Reason.INVALID, str(error)) from error
    except KeyError:
        raise refuse(Reason.UNKNOWN, f"instrument {name} is not traded here") from None


def currency_number(network: Network, currency: str | None) -> int:
    """A currency by its code; the first one of the network when there is none."""
    if currency is None:
        return 1
    if currency not in network.currencies:
        raise refuse(Reason.UNKNOWN, f"there is no currency {currency} here")
    return network.currency_number(currency)


def amount_of(network: Network, text: str, currency: int, *, or_nothing: bool = False) -> int:
    """Minor units, above zero unless nothing is allowed too."""
    name = network.currency(currency)
    try:
        amount = parse_amount(text, name)
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"amount: {error}") from error
    if not amount and not or_nothing:
        raise refuse(Reason.INVALID, f"amount: expected more than zero, found {text!r}")
    return amount


def quantity_of(text: str) -> int:
    """Units."""
    try:
        return parse_quantity(text)
    except MalformedError as error:
        raise refuse(Reason.INVALID, f"quantity: {error}") from error


def _message(
    network: Network, new: schemas.NewDvp | schemas.NewFreeDelivery | schemas.NewPayment
) -> InstructionMessage:
    instrument = quantity = currency = amount = 0
    match new:
        case schemas.NewDvp():
            deliverer, receiver = new.seller, new.buyer
            instrument = instrument_number(network, new.instrument)
            quantity = quantity_of(new.quantity)
            currency = network.currency_number(network.instrument(instrument).currency)
            amount = amount_of(network, new.amount, currency)
        case schemas.NewFreeDelivery():
            deliverer, receiver = new.deliverer, new.receiver
            instrument = instrument_number(network, new.instrument)
            quantity = quantity_of(new.quantity)
        case schemas.NewPayment():
            # The receiver of nothing pays the deliverer of nothing.
            deliverer, receiver = new.payee, new.payer
            currency = currency_number(network, new.currency)
            amount = amount_of(network, new.amount, currency)
        case _:
            assert_never(new)
    return InstructionMessage(
        id=instruction_id(new.label),
        deliverer=account_number(network, deliverer),
        receiver=account_number(network, receiver),
        instrument=instrument,
        quantity=quantity,
        currency=currency,
        amount=amount,
        rule_version=0,
        deadline=0,
    )


def _moment(clock: Clock, text: str) -> int:
    """A time of the present business date, in seconds since 1970."""
    day = clock.business_time().date()
    return int(datetime.combine(day, time.fromisoformat(text), tzinfo=UTC).timestamp())
