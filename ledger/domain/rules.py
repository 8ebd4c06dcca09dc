"""The rules of clearing and settlement as data: every switch and number, its values and meaning."""

from dataclasses import dataclass
from enum import Enum


class SettlementMode(Enum):
    """Whether trades settle one by one or through netting cycles."""

    GROSS = "gross"
    NET = "net"


class QueueOrder(Enum):
    """Who goes first among queued instructions of one debtor."""

    FIFO = "fifo"
    BYPASS = "bypass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules that a day runs under.

    Attributes:
        settlement: gross or net.
        dvp_model: 1 gross/gross, 3 net/net (CPMI 1992); 2 is not offered yet.
        auto_settle: try an instruction as soon as it can settle.
        queue: fifo lets an earlier instruction of the same debtor go first; bypass does not.
        cycle_trades_max: a cycle is struck at this many trades.
        cycle_lines_max: and before it could need more net lines than this in a register.
        cycle_validity_seconds: for how long an attested cycle may settle, in seconds of chain time.
        recuts_max: how often a cycle is cut again because a party fell silent or disagreed.
    """

    settlement: SettlementMode = SettlementMode.GROSS
    dvp_model: int = 1
    auto_settle: bool = True
    queue: QueueOrder = QueueOrder.FIFO
    cycle_trades_max: int = 10_000
    cycle_lines_max: int = 4_096
    cycle_validity_seconds: int = 60
    recuts_max: int = 3


MARKET_DAY_RULES = Rules(settlement=SettlementMode.NET, dvp_model=3)
