"""Proofs of trades: of a running clearing house, or from the segments of a state folder."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from ledger.books.segments import SegmentError, SegmentStore
from ledger.clearing.columns import Column
from ledger.clearing.commitment import Commitment
from ledger.clearing.proof import TradeProof, prove
from ledger.domain.identifiers import TradeId, encode_trade_number
from nodes.clearing_house import ClearingHouse
from nodes.clearing_house.committed import committed_cycle, cycle_of_position
from nodes.network import Network
from nodes.state_folder import segments_folder

COMMITMENTS_KEPT_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class _Committed:
    """A cycle whose tree has been built again."""

    positions: Column
    commitment: Commitment

    def proof(self, cycle_id: bytes, position: int) -> TradeProof:
        """The proof of the trade at a position."""
        row = int(np.searchsorted(self.positions, position))
        assert self.positions[row] == position
        return prove(self.commitment, cycle_id, row)


class ProofDesk:
    """Makes proofs of a running clearing house's trades. The last cycles asked for are kept."""

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house
        self._kept: OrderedDict[int, _Committed] = OrderedDict()
        # Requests come on many threads; a tree is built once.
        self._lock = Lock()

    def proof(self, position: int) -> TradeProof | None:
        """The proof of a captured trade; None when it is not in a settled cycle."""
        row = cycle_of_position(self._house.intake, self._house.cycles, position)
        if row is None:
            return None
        with self._lock:
            committed = self._kept.pop(row.number, None)
            if committed is None:
                cycle = committed_cycle(self._house.key, self._house.intake, row)
                commitment = Commitment(cycle.trades, cycle.salt_key, row.id)
                assert commitment.root == row.root, f"cycle {row.number} has another root"
                committed = _Committed(cycle.positions, commitment)
            self._kept[row.number] = committed
            while len(self._kept) > COMMITMENTS_KEPT_MAX:
                self._kept.popitem(last=False)
        return committed.proof(row.id, position)


def proof_from_folder(path: Path, network: Network, identity: TradeId) -> TradeProof | None:
    """The proof of a trade in the segments of a folder; None when no segment has it.

    Raises SegmentError when the segment is not what its name says.
    """
    store = SegmentStore(segments_folder(path))
    try:
        instrument = network.instrument_number(identity.isin)
    except KeyError:
        return None
    if identity.venue != network.venue:
        return None
    number = encode_trade_number(identity.number)
    found = store.find(identity.trade_date.toordinal(), instrument, number)
    if found is None:
        return None
    segment = store.read(found.root)
    commitment = Commitment(segment.trades, segment.salt_key, segment.cycle_id)
    if commitment.root != found.root:
        raise SegmentError(
            f"{store.path(found.root)} has been changed: its trades lead to another root,"
            f" 0x{commitment.root.hex()}"
        )
    committed = _Committed(segment.positions, commitment)
    return committed.proof(segment.cycle_id, found.position)
