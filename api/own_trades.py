"""Which trades somebody sees: those it is a party to, unless it sees every trade."""

import numpy as np

from api.errors import refuse
from api.views import known_position
from ledger.clearing.columns import TradeColumns, are_of
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium
from nodes.network import Network


def own_rows(network: Network, holder: KeyHolder, trades: TradeColumns) -> list[int]:
    """The rows that the holder of a key sees."""
    if holder.sees_every_trade:
        return list(range(len(trades)))
    if holder.participant is None:
        return []
    number = network.participant_number(holder.participant)
    rows: list[int] = np.flatnonzero(are_of(number, trades)).tolist()
    return rows


def visible_position(consortium: Consortium, holder: KeyHolder, trade_id: str) -> int:
    """Where a trade stands in the capture; others' are refused as if they had never been."""
    position = known_position(consortium, trade_id)
    if not sees_trade(consortium, holder, position):
        raise refuse(Reason.UNKNOWN, f"no trade {trade_id} was captured")
    return position


def sees_trade(consortium: Consortium, holder: KeyHolder, position: int) -> bool:
    """Whether the trade at a position is one that the holder of a key sees."""
    trades = consortium.exchange.trades(position, position + 1)
    return bool(own_rows(consortium.network, holder, trades))
