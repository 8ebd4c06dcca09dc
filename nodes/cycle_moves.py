"""The moves of a cycle under DvP model 2: one a trade, the same for its maker and its parties."""

import numpy as np

from contracts.lines import Column
from contracts.moves import Moves
from ledger.clearing.columns import TradeColumns, participants_of


def moves_of(trades: TradeColumns) -> Moves:
    """What each trade delivers, in their order."""
    delivered = trades.as_delivered()
    return Moves(delivered.instruments, delivered.sellers, delivered.buyers, delivered.quantities)


def are_moves_of(moves: Moves, trades: TradeColumns, participant: int) -> bool:
    """Whether the moves that touch a participant are exactly those of its trades, in any order."""
    sides = (moves.debtors, moves.creditors)
    own = np.any([participants_of(side) == participant for side in sides], axis=0)
    return np.array_equal(_in_order(moves.take(own)), _in_order(moves_of(trades)))


def _in_order(moves: Moves) -> Column:
    """Moves as a table, sorted."""
    table = np.stack([moves.assets, moves.debtors, moves.creditors, moves.amounts])
    ordered: Column = table[:, np.lexsort(table)]
    return ordered
