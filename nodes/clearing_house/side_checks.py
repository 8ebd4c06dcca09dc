"""What the clearing house looks at before it takes a side of an instruction in."""

import re
from collections.abc import Callable
from typing import Final

from ledger.books.entered_sides import packed
from ledger.domain.amounts import AMOUNT_MAX
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import owner_of, parse_account, parse_isin, parse_participant
from ledger.domain.reasons import Reason, Rejected
from ledger.settlement.matching import Side, Wishes
from nodes.messages import EnteredSide
from nodes.network import TRADING_ROLES, Network

LINKS_MAX: Final = 100
TEXT_MAX: Final = 200
EXPIRY_MAX: Final = 2**40
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,23}", re.ASCII)


def refusal_of(network: Network, sender: str, entered: EnteredSide) -> Rejected | None:
    """Why a side cannot be taken in, by precedence; None when it can."""
    try:
        packed(entered.side, entered.wishes)
        parse_reference(entered.reference)
        _check_form(entered)
    except MalformedError as error:
        return Rejected(Reason.INVALID, str(error))
    side = entered.side
    return _unknown(network, side) or _unauthorised(network, sender, side)


def parse_reference(text: object) -> str:
    """A participant's own name of a side. Raises MalformedError."""
    if not isinstance(text, str) or not _REFERENCE.fullmatch(text):
        raise MalformedError("a reference of 1 to 24 letters, digits, '-' or '_'", text)
    return text


def _check_form(entered: EnteredSide) -> None:
    _check_legs(entered.side)
    _check_accounts(entered.side)
    _check_wishes(entered.wishes)


def _check_legs(side: Side) -> None:
    for name, amount in (("quantity", side.quantity), ("amount", side.amount)):
        if not 0 <= amount <= AMOUNT_MAX:
            raise MalformedError(f"{name} from 0 to {AMOUNT_MAX}", amount)
    if not side.quantity and not side.amount:
        raise MalformedError("a quantity, an amount, or both", "neither")
    if bool(side.isin) != bool(side.quantity):
        raise MalformedError("an ISIN with a quantity, and none without", side.isin)
    if bool(side.currency) != bool(side.amount):
        raise MalformedError("a currency with an amount, and none without", side.currency)
    if side.isin:
        parse_isin(side.isin)


def _check_accounts(side: Side) -> None:
    for owner, account in (
        (side.deliverer, side.deliverer_account),
        (side.receiver, side.receiver_account),
    ):
        parse_participant(owner)
        if account and owner_of(parse_account(account)) != owner:
            raise MalformedError(f"an account of {owner}", account)
    if not side.own_account:
        raise MalformedError(f"the account of {side.owner}", side.own_account)
    # Left open, the other account could turn out to be the same one.
    if side.deliverer == side.receiver and (
        not (side.deliverer_account and side.receiver_account)
        or side.deliverer_account == side.receiver_account
    ):
        raise MalformedError("two accounts of one participant", side.own_account)
    if len(side.common_reference) > TEXT_MAX:
        raise MalformedError(f"a common reference of at most {TEXT_MAX} characters", "more")


def _check_wishes(wishes: Wishes) -> None:
    if wishes.expires_at is not None and not 0 <= wishes.expires_at <= EXPIRY_MAX:
        raise MalformedError(f"an expiry from 0 to {EXPIRY_MAX}", wishes.expires_at)
    if len(wishes.linked_to) > LINKS_MAX or any(len(each) > TEXT_MAX for each in wishes.linked_to):
        raise MalformedError(f"at most {LINKS_MAX} links of at most {TEXT_MAX} characters", "more")


def _unknown(network: Network, side: Side) -> Rejected | None:
    lookups: tuple[tuple[str, str, Callable[[str], object]], ...] = (
        ("participant", side.deliverer, network.participant),
        ("participant", side.receiver, network.participant),
        ("account", side.deliverer_account, network.account_number),
        ("account", side.receiver_account, network.account_number),
        ("instrument", side.isin, network.instrument_number),
        ("currency", side.currency, network.currency_number),
    )
    for what, name, look_up in lookups:
        try:
            if name:
                look_up(name)
        except (KeyError, ValueError):
            return Rejected(Reason.UNKNOWN, f"there is no {what} {name}")
    return None


def _unauthorised(network: Network, sender: str, side: Side) -> Rejected | None:
    if sender != side.owner:
        return Rejected(Reason.UNAUTHORISED, f"{sender} enters a side of {side.owner}")
    for participant in (side.deliverer, side.receiver):
        if network.participant(participant).role not in TRADING_ROLES:
            return Rejected(Reason.UNAUTHORISED, f"{participant} is no broker or bank")
    return None
