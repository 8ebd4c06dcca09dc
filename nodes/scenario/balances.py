"""Balances of a story: cash and securities in and out, and what is set aside."""

import hashlib

from ledger.books.postings import Register
from ledger.domain.identifiers import owner_of
from ledger.domain.reasons import Rejected
from nodes.consortium import Consortium
from nodes.funding import deposit, withdraw
from nodes.movement import Movement
from nodes.scenario.story import MoveEvent, ReserveEvent, Story


class Balances:
    """What the keepers and owners of accounts do in a story, each thing under its name."""

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium
        self._network = consortium.network

    def open(self, story: Story) -> None:
        """Issues the opening positions."""
        for is_cash, book in ((True, story.opening_cash), (False, story.opening_securities)):
            for (account, asset), amount in book.items():
                if amount:
                    name = f"opening {account} {asset}"
                    refusal = self.move(name, MoveEvent(name, account, asset, is_cash, amount))
                    assert refusal is None, f"{name}: {refusal}"

    def move(self, name: str, event: MoveEvent) -> Rejected | None:
        """Cash or securities in, from the settlement bank or the registrar, or out."""
        act = deposit if event.amount > 0 else withdraw
        return act(self._consortium, self._movement(name, event))

    def set_aside(self, name: str, event: ReserveEvent) -> Rejected | None:
        """Reserves an amount of a balance, or makes it available again."""
        owner = self._consortium.trader(owner_of(event.account))
        act = owner.reserve if event.amount > 0 else owner.unreserve
        return act(self._movement(name, event))

    def doer_of(self, event: MoveEvent | ReserveEvent) -> str:
        """Whose node does it: the owner sets aside, the keeper of the account does the rest."""
        if isinstance(event, ReserveEvent):
            return owner_of(event.account)
        if not event.is_cash:
            return self._consortium.registrar.id
        return self._consortium.bank_of_account(event.account).id

    def _movement(self, name: str, event: MoveEvent | ReserveEvent) -> Movement:
        network = self._network
        register, asset = (
            (Register.CASH, network.currency_number(event.asset))
            if event.is_cash
            else (Register.SECURITIES, network.instrument_number(event.asset))
        )
        account = network.account_number(event.account)
        return Movement(_reference(name), register, asset, account, abs(event.amount))


def _reference(name: str) -> bytes:
    return hashlib.sha256(f"novate scenario|{name}".encode()).digest()
