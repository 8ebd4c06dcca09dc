"""The parties of a market day: brokers with books of their own, or stand-ins for distant ones.

Attested, every broker keeps a blotter from its own desk, affirms, checks its chunks of every cycle,
signs, follows the chain and reconciles: all in this process. Not attested, brokers are taken to be
on machines of their own: a stand-in signs whatever cycle it is shown, and nothing else is done for
it here. Everything else is the same, and the contract checks every signature in both cases.
"""

from typing import Any, Final

from contracts.lines import Lines
from ledger.books.postings import Register
from ledger.clearing.columns import Column, TradeColumns
from nodes.broker import Broker
from nodes.consortium import Consortium
from nodes.desks import take_in
from nodes.messages import (
    Affirmation,
    AffirmationRequest,
    Attestation,
    CycleProposal,
    Message,
)

_ALL_AFFIRMED: Final[frozenset[int]] = frozenset()


class DistantBroker(Broker):
    """Signs the cycles it is shown. Its books, and its checks, are elsewhere."""

    def record_trades(self, sequence: Column, trades: TradeColumns) -> None:
        """Its desk reports elsewhere."""

    def expect_deposit(self, reference: bytes, register: Register, lines: Lines) -> None:
        """It expects its opening positions elsewhere."""

    def handle(self, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Signs cycles; objects to nothing."""
        match message:
            case CycleProposal():
                digest = self.settlement_domain().digest(message.cycle.struct_hash())
                return Attestation(self.key.sign(digest))
            case AffirmationRequest():
                return Affirmation({})
            case _:
                return super().handle(sender, message)

    def catch_up(self) -> None:
        """It follows the chain elsewhere."""

    def reconcile(self) -> int:
        """It reconciles elsewhere."""
        return 0


def hand_over(consortium: Consortium, *, attested: bool) -> None:
    """Has the clearing house take in what was captured; affirmed first, when attested."""
    if attested:
        take_in(consortium)
        return
    house, exchange = consortium.clearing_house, consortium.exchange
    taken = house.intake.stream.end_position
    for first, end in exchange.parts_to_pass_on(taken, exchange.captured.end_position):
        exchange.hand_over(first, end, _ALL_AFFIRMED)
