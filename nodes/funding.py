"""Cash and securities into accounts and out of them, by those who keep the accounts.

Cash comes from the settlement bank of an account, securities from the registrar. The owner's desk
knows of it first: it expects what comes in, and agrees to what goes out.
"""

import numpy as np

from contracts.lines import Lines, line_key
from contracts.typed_data import RedemptionMessage
from ledger.books.postings import Register
from ledger.domain.accounts import holding_key, participant_of
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError
from nodes.consortium import Consortium, KeepsAccounts
from nodes.movement import Movement
from nodes.trader import Trader


def deposit(consortium: Consortium, movement: Movement) -> Rejected | None:
    """Brings an amount in; final on the chain when this returns.

    The same again changes nothing; another one under its reference is refused (DUPLICATE). Refuses
    while a node that it takes is away (SILENT): the same may then be sent again.
    """
    key = line_key(movement.asset, movement.account)
    lines = Lines(np.array([key], dtype=np.int64), np.array([movement.amount], dtype=np.int64))
    owner, keeper = _owner(consortium, movement), _keeper(consortium, movement)
    try:
        refusal = owner.expect_deposit(movement.reference, movement.register, lines)
        return refusal or keeper.issue(movement.reference, lines)
    except UnreachableError as error:
        return Rejected(Reason.SILENT, str(error))


def withdraw(consortium: Consortium, movement: Movement) -> Rejected | None:
    """Takes an amount out; final on the chain when this returns.

    The same again changes nothing; another one under its reference is refused (DUPLICATE). Refuses
    more than is available (LACK of securities, MONY of cash), and while a node that it takes is
    away (SILENT); the same may then be asked for again.
    """
    redemption = _redemption_of(movement)
    owner, keeper = _owner(consortium, movement), _keeper(consortium, movement)
    try:
        refusal = owner.mandate_redemption(movement.register, redemption)
        return refusal or keeper.redeem(redemption)
    except UnreachableError as error:
        return Rejected(Reason.SILENT, str(error))


def shortage(consortium: Consortium, movement: Movement) -> Rejected | None:
    """Why a withdrawal that is new would be refused now; nothing is agreed to yet."""
    available, _ = balance_of(consortium, movement)
    if available >= movement.amount:
        return None
    owner = _owner(consortium, movement)
    if not owner.is_new_redemption(movement.register, _redemption_of(movement)):
        return None
    reason = Reason.MONY if movement.register is Register.CASH else Reason.LACK
    return Rejected(reason, "more than is available")


def balance_of(consortium: Consortium, movement: Movement) -> tuple[int, int]:
    """Available and held of what is moved, as of the last final block."""
    key = holding_key(movement.asset, movement.account)
    return consortium.clearing_house.projection.holding(movement.register, key)


def _redemption_of(movement: Movement) -> RedemptionMessage:
    return RedemptionMessage(movement.reference, movement.asset, movement.account, movement.amount)


def _owner(consortium: Consortium, movement: Movement) -> Trader:
    owner = consortium.network.participant_id(participant_of(movement.account))
    return consortium.trader(owner)


def _keeper(consortium: Consortium, movement: Movement) -> KeepsAccounts:
    account = consortium.network.account_id(movement.account)
    return consortium.keeper(movement.register, account)
