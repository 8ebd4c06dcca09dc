"""Cash and securities into accounts and out of them, by those who keep the accounts.

Cash comes from the settlement bank of an account, securities from the registrar. The owner's desk
knows of it first: it expects what comes in, and agrees to what goes out.
"""

from dataclasses import dataclass

import numpy as np

from contracts.lines import Lines, line_key
from contracts.typed_data import RedemptionMessage
from ledger.books.own_book import Recall
from ledger.books.postings import Cause, Register
from ledger.domain.accounts import holding_key, participant_of
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.keeper import Keeper
from nodes.trader import Trader


@dataclass(frozen=True, slots=True)
class Movement:
    """An amount of one asset of one account: brought in, taken out, or set aside by its owner.

    ``reference`` is 32 bytes and names it for good; amounts are units or minor units.
    """

    reference: bytes
    register: Register
    asset: int
    account: int
    amount: int


def deposit(consortium: Consortium, movement: Movement) -> Rejected | None:
    """Brings an amount in; final on the chain when this returns.

    The same again changes nothing; another one under its reference is refused (DUPLICATE).
    """
    key = line_key(movement.asset, movement.account)
    lines = Lines(np.array([key], dtype=np.int64), np.array([movement.amount], dtype=np.int64))
    owner, keeper = _owner(consortium, movement), _keeper(consortium, movement)
    refusal = owner.expect_deposit(movement.reference, movement.register, lines)
    return refusal or keeper.issue(movement.reference, lines)


def withdraw(consortium: Consortium, movement: Movement) -> Rejected | None:
    """Takes an amount out; final on the chain when this returns.

    The same again changes nothing; another one under its reference is refused (DUPLICATE). Refuses
    more than is available: LACK of securities, MONY of cash; the same may then be asked for again.
    """
    redemption = RedemptionMessage(
        movement.reference, movement.asset, movement.account, movement.amount
    )
    owner, keeper = _owner(consortium, movement), _keeper(consortium, movement)
    refusal = owner.mandate_redemption(movement.register, redemption)
    if refusal:
        return refusal
    try:
        return keeper.redeem(redemption)
    except UnreachableError as error:
        return Rejected(Reason.SILENT, str(error))


def shortage(consortium: Consortium, movement: Movement) -> Rejected | None:
    """Why a withdrawal that is new would be refused now; nothing is agreed to yet."""
    owner, key = _owner(consortium, movement), holding_key(movement.asset, movement.account)
    entry = {movement.register: (np.array([key]), np.array([-movement.amount]))}
    cause = Cause.in_register(movement.register, movement.reference)
    with owner.database.reading() as session:
        is_new = owner.own_book.recall(session, cause, entry) is Recall.NEW
    available, _ = balance_of(consortium, movement)
    if not is_new or available >= movement.amount:
        return None
    reason = Reason.MONY if movement.register is Register.CASH else Reason.LACK
    return Rejected(reason, "more than is available")


def balance_of(consortium: Consortium, movement: Movement) -> tuple[int, int]:
    """Available and held of what is moved, as of the last final block."""
    key = holding_key(movement.asset, movement.account)
    return consortium.clearing_house.projection.holding(movement.register, key)


def _owner(consortium: Consortium, movement: Movement) -> Trader:
    owner = consortium.network.participant_id(participant_of(movement.account))
    return consortium.trader(owner)


def _keeper(consortium: Consortium, movement: Movement) -> Keeper:
    account = consortium.network.account_id(movement.account)
    return consortium.keeper(movement.register, account)
