"""Trades signed by both their brokers: nothing else enters a cycle, where the rules say so.

The house computes what is to be signed from the trades that it takes in, checks every signature
with the key that the chain knows its broker by, and keeps what held with the trade.
"""

from dataclasses import dataclass, field

import numpy as np

from ledger.books.database import UnitOfWork
from ledger.books.intake import Intake
from ledger.books.trade_records import room_for
from ledger.books.trade_signatures import SignatureBook, SignaturePair
from ledger.clearing.columns import TradeColumns, participants_of
from nodes.messages import CapturedBatch
from nodes.node import Node
from nodes.trade_signatures import (
    SIGNATURE_BYTES,
    PartySignatures,
    Signatures,
    are_signed,
    digests_of,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What of a message is signed.

    Attributes:
        unsigned: rows without two good signatures, but for those that were not affirmed.
        pairs: the good signatures, the seller's and the buyer's of each row; others are zero.
        keys: the public keys of these, by party.
    """

    unsigned: frozenset[int] = frozenset()
    pairs: Signatures = field(default_factory=lambda: np.zeros((0, 2, SIGNATURE_BYTES), np.uint8))
    keys: dict[int, bytes] = field(default_factory=dict)


class SignedTrades:
    """Checks what brokers signed, and keeps it."""

    def __init__(self, house: Node, intake: Intake, *, are_required: bool) -> None:
        self._house = house
        self._intake = intake
        self._book = SignatureBook(house.database)
        self._are_required = are_required

    def check(self, message: CapturedBatch) -> Checked:
        """Looks at every signature of a message that comes next.

        Raises RecordError when a record is not what its hash says.
        """
        is_next = message.first_position == self._intake.stream.end_position
        if not (self._are_required and is_next):
            return Checked()
        trades = _trades_of(message)
        digests = digests_of(self._house.settlement_domain(), trades)
        sides = np.stack([participants_of(trades.sellers), participants_of(trades.buyers)], axis=1)
        pairs = np.zeros((len(trades), 2, SIGNATURE_BYTES), dtype=np.uint8)
        has_signed, keys = np.zeros(sides.shape, dtype=bool), {}
        for party, signed in message.signed.items():
            if not (self._is_known(party) and _may_be_of(signed, party, sides)):
                continue
            good = are_signed(signed, self._house.signer(party), digests)
            rows, signatures = signed.rows[good], signed.signatures[good]
            keys[party] = signed.public_key
            for side in range(2):
                own = sides[rows, side] == party
                pairs[rows[own], side] = signatures[own]
                has_signed[rows[own], side] = True
        unsigned = np.flatnonzero(~has_signed.all(axis=1)).tolist()
        return Checked(frozenset(unsigned) - message.unaffirmed, pairs, keys)

    def keep(self, session: UnitOfWork, first_position: int, checked: Checked) -> None:
        """Keeps what held with the trades, which are taken in by the same commit."""
        if len(checked.pairs):
            self._book.add(session, first_position, checked.pairs, checked.keys)

    def of(self, position: int) -> SignaturePair | None:
        """What was signed of the trade at a position; None where no signatures were asked for."""
        return self._book.of(position)

    def _is_known(self, party: int) -> bool:
        return 0 < party <= len(self._house.network.participants)


def _trades_of(message: CapturedBatch) -> TradeColumns:
    packed = [record.checked() for record in message.records]
    trades, filled = room_for(sum(map(len, packed))), 0
    for each in packed:
        each.unpack_into(trades, slice(filled, filled + len(each)))
        filled += len(each)
    return trades


def _may_be_of(
    signed: PartySignatures, party: int, sides: "np.ndarray[tuple[int, int], np.dtype[np.int64]]"
) -> bool:
    """Whether these are signatures of trades of the party: nobody has others checked."""
    return signed.is_well_formed(len(sides)) and bool(
        (sides[signed.rows] == party).any(axis=1).all()
    )
