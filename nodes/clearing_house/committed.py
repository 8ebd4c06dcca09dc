"""What a settled cycle has committed to: its trades, and the key of its salts."""

import hashlib
from dataclasses import dataclass

import numpy as np

from ledger.books import cycles as records
from ledger.books.cycles import CycleRecords
from ledger.books.intake import Intake
from ledger.books.tables import CycleRow
from ledger.clearing.columns import Column, TradeColumns
from ledger.clearing.commitment import cut_salt_key
from nodes.keys import Key


@dataclass(frozen=True, slots=True)
class CommittedCycle:
    """The trades of a settled cycle in order of capture, with their positions in the intake."""

    row: CycleRow
    salt_key: bytes
    positions: Column
    trades: TradeColumns


def salt_secret_of(house: Key) -> bytes:
    """What the keys of all salts follow from; only the clearing house can make it."""
    return house.sign(hashlib.sha256(b"novate chunk salts").digest())


def name_of_cut(first: int, end: int, positions: Column) -> bytes:
    """Which of the positions [first, end) a cut has, as a hash."""
    stays = np.zeros(end - first, dtype=bool)
    stays[positions - first] = True
    window = first.to_bytes(8, "big") + end.to_bytes(8, "big")
    return hashlib.sha256(window + np.packbits(stays).tobytes()).digest()


def committed_cycle(house: Key, intake: Intake, row: CycleRow) -> CommittedCycle:
    """The trades of a settled cycle, from the batches that they were captured in."""
    assert row.state == records.SETTLED
    positions = intake.staying(row.first_position, row.end_position)
    assert len(positions) == row.trade_count, f"cycle {row.number} has other trades than it had"
    name = name_of_cut(row.first_position, row.end_position, positions)
    salt_key = cut_salt_key(salt_secret_of(house), row.id, name)
    return CommittedCycle(row, salt_key, positions, intake.stream.trades_at(positions))


def cycle_of_position(intake: Intake, cycles: CycleRecords, position: int) -> CycleRow | None:
    """The settled cycle that a captured trade is in; None when it is in none."""
    row = cycles.covering(position)
    settled = row is not None and row.state == records.SETTLED
    return row if settled and intake.exception(position) is None else None
