"""What an instruction moves: its legs, from pot to pot.

A pot is a balance of an account in one asset, or the headroom that is left under a limit: a payment
takes from the payer's headroom and gives to the payee's, so that everything which asks "is there
enough" treats limits like balances.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

from ledger.domain.accounts import participant_of
from ledger.domain.instructions import Instruction
from ledger.domain.reasons import Reason

EVERYBODY = 0
"""In place of a counterparty: a multilateral limit."""


class PotKind(IntEnum):
    """Kinds of pots, in the order in which a lack of them is named."""

    SECURITIES = 0
    CASH = 1
    LIMIT = 2

    @property
    def reason_when_short(self) -> Reason:
        """Why an instruction waits that finds too little of this."""
        return _REASON_WHEN_SHORT[self]


_REASON_WHEN_SHORT = {
    PotKind.SECURITIES: Reason.LACK,
    PotKind.CASH: Reason.MONY,
    PotKind.LIMIT: Reason.LIMIT,
}


class Pot(NamedTuple):
    """A balance, or the headroom towards a counterparty's account (a limit)."""

    kind: PotKind
    asset: int
    account: int
    counterparty: int = EVERYBODY


class Leg(NamedTuple):
    """An amount that leaves one pot for another. A limit may stand on one side alone."""

    debtor: Pot | None
    creditor: Pot | None
    amount: int


Limits = Mapping[Pot, int]
"""The most that may be paid on balance, by the pot that is its headroom."""


def legs_of(instruction: Instruction, limits: Limits) -> Iterator[Leg]:
    """What is still open of an instruction: the securities first, then cash, then limits."""
    if instruction.open_quantity:
        yield Leg(
            Pot(PotKind.SECURITIES, instruction.instrument, instruction.deliverer),
            Pot(PotKind.SECURITIES, instruction.instrument, instruction.receiver),
            instruction.open_quantity,
        )
    if not instruction.open_amount:
        return
    payer, payee = instruction.receiver, instruction.deliverer
    currency, amount = instruction.currency, instruction.open_amount
    yield Leg(Pot(PotKind.CASH, currency, payer), Pot(PotKind.CASH, currency, payee), amount)
    if limits:
        yield from limit_legs(limits, currency, payer, payee, amount)


def limit_legs(limits: Limits, currency: int, payer: int, payee: int, amount: int) -> Iterator[Leg]:
    """What a payment does to the limits that its two sides have set."""
    for payers, payees in (
        (Pot(PotKind.LIMIT, currency, payer, payee), Pot(PotKind.LIMIT, currency, payee, payer)),
        (Pot(PotKind.LIMIT, currency, payer), Pot(PotKind.LIMIT, currency, payee)),
    ):
        debtor = payers if payers in limits else None
        creditor = payees if payees in limits else None
        if debtor or creditor:
            yield Leg(debtor, creditor, amount)


def participants_in(instruction: Instruction) -> tuple[int, int]:
    """The participants of the deliverer and of the receiver."""
    return participant_of(instruction.deliverer), participant_of(instruction.receiver)
