"""Faults that a story can inject: the one list of names behind ``novate fault list``.

Those of nodes happen when their turn comes, and stay until they are healed.

A desk's fault stands before the trades it is about: one, where it is named, else all of the
participant until it is healed. It changes what the desk tells its own node, never what the exchange
says. What a desk withholds of all its trades it reports when it is healed. A shortage takes part of
an opening position away, wherever in the story it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nodes.desks import Feed
from nodes.faults.desk_faults import DESK_FAULTS, DeskFault, reported
from nodes.faults.node_faults import NODE_FAULTS
from nodes.market_day.faults import FaultName

SILENT: Final = "silent"


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
    **{
        fault.value: FaultForm(form.what, form.what_zh, ("participant",), ("trade",))
        for fault, form in DESK_FAULTS.items()
    },
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

OF_DESKS: Final = frozenset(fault.value for fault in DESK_FAULTS)
OF_NODES: Final = frozenset(fault.value for fault in NODE_FAULTS)
SHORTAGES: Final = frozenset({FaultName.SHORT_SECURITIES.value, FaultName.SHORT_CASH.value})


def desk_feed(
    faults: Sequence[ScenarioFault], participant: str, trade_ids: Sequence[str], feed: Feed
) -> Feed | None:
    """Trades as a participant's own desk reports them; None: it withholds all of them."""
    own = [fault for fault in faults if fault.participant == participant]
    withheld = ScenarioFault(DeskFault.BLOTTER_MISSING.value, participant)
    if withheld in own:
        return None
    names = dict(zip(feed[0].tolist(), trade_ids, strict=True))
    for fault in own:
        are_meant = [fault.trade in ("", names[place]) for place in feed[0].tolist()]
        feed = reported(DeskFault(fault.name), feed, np.flatnonzero(are_meant))
    return feed
