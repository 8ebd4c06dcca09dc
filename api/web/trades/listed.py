"""What the list of trades shows: a page of those that are asked for, the newest first."""

from dataclasses import dataclass
from typing import Final

from api.errors import RefusedError
from api.trade_filters import Asked, filter_of, find_last_trades
from api.trade_schemas import Trade
from api.views import trade_view
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import TradeId
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Rejected
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

TRADES_A_PAGE: Final = 50
NAMES_OFFERED_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class TradeList:
    """A page of trades. ``next_before`` is the position to go on before; None at the end.

    Attributes:
        trouble: why what was asked for cannot be looked for.
        is_cut_off: nothing was found yet in what was looked through, and there is more.
    """

    as_of_block: int
    captured: int
    trades: list[Trade]
    cancels: frozenset[int]
    next_before: int | None
    trouble: Rejected | None
    participants: list[str]
    instruments: list[str]

    @property
    def is_cut_off(self) -> bool:
        """Whether the page is short, and there is more to look through."""
        return self.next_before is not None and len(self.trades) < TRADES_A_PAGE


def trade_list(
    sandbox: Sandbox, explorer: Explorer, holder: KeyHolder, asked: Asked, before: int | None
) -> TradeList:
    """The trades that are asked for and that the holder of a key sees."""
    consortium = sandbox.consortium
    network, trouble = consortium.network, None
    rows, following = [], None
    try:
        wanted = filter_of(consortium, asked)
        page = find_last_trades(consortium, holder, wanted, before, TRADES_A_PAGE)
        rows, following = page.rows, page.next_position
    except RefusedError as error:
        trouble = error.refusal
    with sandbox.lock:
        trades = [
            trade_view(consortium, explorer, columns, row, position)
            for columns, row, position in rows
        ]
        height = consortium.clearing_house.projection.height
    return TradeList(
        as_of_block=height,
        captured=consortium.exchange.captured_end() if holder.sees_every_trade else 0,
        trades=trades,
        cancels=frozenset(place for columns, row, place in rows if columns.cancels[row] > 0),
        next_before=following,
        trouble=trouble,
        participants=[each.id for each in network.participants if network.trades(each.id)],
        instruments=[each.symbol for each in network.instruments[:NAMES_OFFERED_MAX]],
    )


def is_trade_id(text: str) -> bool:
    """Whether somebody looks for one trade by its whole identity."""
    try:
        TradeId.parse(text)
    except MalformedError:
        return False
    return True
