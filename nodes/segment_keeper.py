"""Keeping settled cycles as segments, once they are final."""

from pathlib import Path

from ledger.books import cycles as records
from ledger.books.segments import Segment, SegmentStore
from nodes.clearing_house import ClearingHouse
from nodes.clearing_house.committed import CommittedCycle, committed_cycle
from nodes.state_folder import segments_folder


class SegmentKeeper:
    """Writes the clearing house's settled cycles to the segments of a state folder."""

    def __init__(self, house: ClearingHouse, state: Path) -> None:
        self._house = house
        self._store = SegmentStore(segments_folder(state))
        self._done = 0

    def keep_settled(self) -> None:
        """Keeps the cycles that have become final since; what a crash cut off is done again."""
        house = self._house
        for row in house.cycles.all()[self._done :]:
            if row.state == records.SUBMITTED:
                return
            if row.state == records.SETTLED and not self._store.has(row.root):
                self._store.add(segment_of(committed_cycle(house.key, house.intake, row)))
            self._done = row.number


def segment_of(cycle: CommittedCycle) -> Segment:
    """A settled cycle as it is kept."""
    return Segment(
        number=cycle.row.number,
        cycle_id=cycle.row.id,
        root=cycle.row.root,
        first_position=cycle.row.first_position,
        end_position=cycle.row.end_position,
        salt_key=cycle.salt_key,
        positions=cycle.positions,
        trades=cycle.trades,
    )
