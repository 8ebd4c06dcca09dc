"""Reservations: a participant sets part of its own balance aside, and makes it available again.

What is set aside counts in the total and pays for nothing: it is held on the chain, in the
participant's own name, by a transaction of its own node. Books and statements count totals, so a
reservation changes none of them.
"""

import hashlib
from dataclasses import dataclass

from ledger.books.mandates import Mandates
from ledger.books.postings import Register
from ledger.domain.accounts import holding_key
from ledger.domain.reasons import Reason, Rejected, reason_of_revert
from nodes.movement import Movement
from nodes.node import Node


def reserve(owner: Node, mandates: Mandates, reservation: Movement) -> Rejected | None:
    """Sets an amount of the owner's aside; final on the chain when this returns.

    The same reservation again changes nothing; another one under its reference is refused
    (DUPLICATE). Refuses more than is available: LACK of securities, MONY of cash.
    """
    contract = owner.register_contract(reservation.register)
    data = contract.hold_data(reservation.asset, reservation.account, reservation.amount)
    is_cash = reservation.register is Register.CASH
    available, _ = _holding(owner, reservation)
    words = _words(owner, reservation, available, "is available")
    short = Rejected(Reason.MONY if is_cash else Reason.LACK, words)
    refusal = short if available < reservation.amount else None
    return _do_once(owner, mandates, reservation, _Act("reserve", data, refusal))


def unreserve(owner: Node, mandates: Mandates, reservation: Movement) -> Rejected | None:
    """Makes an amount that was set aside available again; final on the chain when this returns.

    The same again changes nothing; another one under its reference is refused (DUPLICATE). Refuses
    more than is held (HELD).
    """
    contract = owner.register_contract(reservation.register)
    data = contract.release_data(reservation.asset, reservation.account, reservation.amount)
    _, held = _holding(owner, reservation)
    refusal = (
        Rejected(Reason.HELD, _words(owner, reservation, held, "is held"))
        if held < reservation.amount
        else None
    )
    return _do_once(owner, mandates, reservation, _Act("unreserve", data, refusal))


@dataclass(frozen=True, slots=True)
class _Act:
    """What is done to a holding, as a call; ``refusal`` is why it could not be done now."""

    verb: str
    data: bytes
    refusal: Rejected | None


def _do_once(owner: Node, mandates: Mandates, reservation: Movement, act: _Act) -> Rejected | None:
    contract = owner.register_contract(reservation.register).address
    intent = f"{act.verb}:{reservation.register.value}:{reservation.reference.hex()}"
    name = hashlib.sha256(intent.encode()).digest()
    with owner.database.transaction() as session:
        refusal = mandates.give(session, contract, name, act.data)
    if refusal:
        return refusal
    if not owner.outbox.keeps(intent):
        if act.refusal:
            return act.refusal
        with owner.database.transaction() as session:
            owner.outbox.put(session, intent, contract, act.data)
    outcome = owner.outbox.deliver(intent)
    owner.catch_up()
    if outcome.succeeded:
        return None
    return Rejected(reason_of_revert(outcome.revert), outcome.revert)


def _holding(owner: Node, reservation: Movement) -> tuple[int, int]:
    """Available and held, as of the last final block."""
    owner.catch_up()
    key = holding_key(reservation.asset, reservation.account)
    return owner.projection.holding(reservation.register, key)


def _words(owner: Node, reservation: Movement, amount: int, standing: str) -> str:
    """How much of what there is, and where."""
    key = holding_key(reservation.asset, reservation.account)
    shown = owner.describe_holding(reservation.register, key, amount)
    return f"{owner.name_holding(reservation.register, key)}: {shown} {standing}"
