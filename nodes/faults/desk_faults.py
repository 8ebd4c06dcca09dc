"""What can be made to go wrong with a desk: it tells its own node less, more, or something else.

It changes what a desk reports, never what the exchange says. In a running sandbox it is of a whole
desk, from now on until it is healed; in a scenario or a market day it may be of one trade.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Final

import msgspec
import numpy as np

from ledger.clearing.columns import Column, TradeColumns
from ledger.domain.reasons import Reason, Rejected
from nodes.consortium import Consortium
from nodes.desks import Feed
from nodes.faults.node_faults import NODE_FAULTS, FaultForm, NodeFault, StandingFault
from nodes.kept_choices import KeptChoices

DESK_FAULTS_FILE: Final = "desk-faults.json"


class DeskFault(Enum):
    """What is wrong with what a desk reports."""

    BLOTTER_MISSING = "blotter-missing"
    BLOTTER_DUPLICATE = "blotter-duplicate"
    BLOTTER_TERMS = "blotter-terms"


DESK_FAULTS: Final[Mapping[DeskFault, FaultForm]] = {
    DeskFault.BLOTTER_MISSING: FaultForm("the desk does not report a trade", "交易台漏报成交"),
    DeskFault.BLOTTER_DUPLICATE: FaultForm("the desk reports a trade twice", "交易台重复上报成交"),
    DeskFault.BLOTTER_TERMS: FaultForm(
        "the desk reports a trade with one unit more", "交易台多报一个单位"
    ),
}
"""Every fault of a desk."""

RUNNING_FAULTS: Final[Mapping[str, FaultForm]] = {
    **{fault.value: form for fault, form in NODE_FAULTS.items()},
    **{fault.value: form for fault, form in DESK_FAULTS.items()},
}
"""Every fault that a running sandbox can be given, by name."""


def running_fault(name: str) -> NodeFault | DeskFault:
    """A fault by its name. Raises ValueError when there is none."""
    is_of_a_desk = name in (each.value for each in DeskFault)
    return DeskFault(name) if is_of_a_desk else NodeFault(name)


def reported(fault: DeskFault, feed: Feed, rows: Column) -> Feed:
    """What becomes of a feed when something is wrong with some of its rows."""
    sequence, trades = feed
    match fault:
        case DeskFault.BLOTTER_MISSING:
            others = np.setdiff1d(np.arange(len(trades)), rows)
            return sequence[others], trades.take(others)
        case DeskFault.BLOTTER_DUPLICATE:
            twice = TradeColumns.concatenate([trades, trades.take(rows)])
            return np.concatenate([sequence, sequence[rows]]), twice
        case DeskFault.BLOTTER_TERMS:
            quantities = trades.quantities.copy()
            quantities[rows] += 1
            return sequence, replace(trades, quantities=quantities)


class DeskFaults:
    """The faults of a sandbox's desks; whoever calls holds its lock. They outlive the process."""

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium
        file = consortium.path / DESK_FAULTS_FILE if consortium.path else None
        self._faults = KeptChoices(file, msgspec.json.Decoder(dict[str, DeskFault]))

    def standing(self) -> list[StandingFault]:
        """What is wrong now, by participant."""
        return [StandingFault(*each) for each in self._faults.all().items()]

    def inject(self, fault: DeskFault, participant: str) -> Rejected | None:
        """Something is wrong with a desk from now on; on disk when this returns.

        Refuses participants that there are not (UNKNOWN), those that do not trade, and another
        fault of a desk that has one (INVALID).
        """
        network = self._consortium.network
        if participant not in self._consortium.nodes:
            return Rejected(Reason.UNKNOWN, f"there is no participant {participant}")
        if not network.trades(participant):
            detail = f"{fault.value}: expected a participant that trades, found {participant}"
            return Rejected(Reason.INVALID, detail)
        known = self._faults.all().get(participant, fault)
        if known is not fault:
            detail = f"{participant}: expected to be healed of {known.value} before {fault.value}"
            return Rejected(Reason.INVALID, detail)
        self._faults.put(participant, fault)
        return None

    def heal(self, participant: str) -> bool:
        """A desk reports as it should, what it has withheld first; says whether it had a fault."""
        if participant not in self._faults.all():
            return False
        self._faults.put(participant, None)
        # From here on it is known from the node's books only how far it has reported.
        self._consortium.reported_to.pop(participant, None)
        return True

    def as_reported(self, participant: str, feed: Feed) -> Feed | None:
        """A participant's trades as its desk reports them; None: it withholds them."""
        fault = self._faults.all().get(participant)
        if fault is None:
            return feed
        if fault is DeskFault.BLOTTER_MISSING:
            return None
        return reported(fault, feed, np.arange(len(feed[1])))
