"""Faults that a story can inject: the one list of names behind ``novate fault list``.

Those of nodes happen when their turn comes, and stay until they are healed.

A desk's fault is about one trade and stands before it: it changes what the participant's desk tells
its own node, never what the exchange says. A shortage takes part of an opening position away,
wherever in the story it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ledger.clearing.columns import TradeColumns
from nodes.desks import Feed
from nodes.faults.node_faults import NODE_FAULTS
from nodes.market_day.faults import FaultName

SILENT: Final = "silent"
_DESK_KEYS: Final = ("participant", "trade")


@dataclass(frozen=True, slots=True)
class FaultForm:
    """What a fault does, in English and Chinese, and the keys it is given with beside ``at``."""

    what: str
    what_zh: str
    keys: Sequence[str]
    optional: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ScenarioFault:
    """One fault of a story.

    ``trade`` is the id that the story gives to a trade; ``milliseconds`` how slow a node becomes.
    """

    name: str
    participant: str
    trade: str = ""
    milliseconds: int = 0


FAULTS: Final[Mapping[str, FaultForm]] = {
    FaultName.BLOTTER_MISSING.value: FaultForm(
        "the desk does not report a trade", "交易台漏报一笔成交", _DESK_KEYS
    ),
    FaultName.BLOTTER_DUPLICATE.value: FaultForm(
        "the desk reports a trade twice", "交易台重复上报一笔成交", _DESK_KEYS
    ),
    FaultName.BLOTTER_TERMS.value: FaultForm(
        "the desk reports a trade with one unit more", "交易台多报一个单位", _DESK_KEYS
    ),
    FaultName.SHORT_SECURITIES.value: FaultForm(
        "securities are missing in an opening position",
        "期初证券持仓短缺",
        ("account", "isin", "quantity"),
    ),
    FaultName.SHORT_CASH.value: FaultForm(
        "cash is missing in an opening position",
        "期初资金短缺",
        ("account", "amount"),
        ("currency",),
    ),
    SILENT: FaultForm(
        "the node of a participant answers nothing from now on",
        "参与者节点从此不再应答",
        ("participant",),
    ),
    **{
        fault.value: FaultForm(
            form.what,
            form.what_zh,
            ("participant", "milliseconds") if form.takes_milliseconds else ("participant",),
        )
        for fault, form in NODE_FAULTS.items()
    },
}
"""Every fault by name."""

OF_NODES: Final = frozenset(fault.value for fault in NODE_FAULTS)
SHORTAGES: Final = frozenset({FaultName.SHORT_SECURITIES.value, FaultName.SHORT_CASH.value})


def desk_feed(faults: Sequence[ScenarioFault], participant: str, trade_id: str, feed: Feed) -> Feed:
    """One trade as a participant's own desk reports it."""
    sequence, trades = feed
    for fault in faults:
        if (fault.participant, fault.trade) != (participant, trade_id):
            continue
        match FaultName(fault.name):
            case FaultName.BLOTTER_MISSING:
                sequence, trades = sequence[:0], trades.take(slice(0))
            case FaultName.BLOTTER_DUPLICATE:
                sequence = np.concatenate([sequence, sequence])
                trades = TradeColumns.concatenate([trades, trades])
            case _:
                trades = replace(trades, quantities=trades.quantities + 1)
    return sequence, trades
