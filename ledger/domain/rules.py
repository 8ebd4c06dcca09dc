"""The rules of clearing and settlement as data: every switch and number, its values and meaning."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from ledger.domain.errors import MalformedError
from ledger.domain.rulebook import RULE_BY_NAME
from ledger.domain.tolerances import TOLERANCES, Tolerance, check_tolerances


class SettlementMode(Enum):
    """Whether trades settle one by one or through netting cycles."""

    GROSS = "gross"
    NET = "net"


class QueueOrder(Enum):
    """Who goes first among queued instructions of one debtor."""

    FIFO = "fifo"
    BYPASS = "bypass"


class Gridlock(Enum):
    """How a set that settles together is found, when nothing settles alone."""

    OFF = "off"
    FIFO = "fifo"
    BYPASS = "bypass"
    OPTIMUM = "optimum"


class GridlockTrigger(Enum):
    """What makes a gridlock run begin by itself."""

    CHANGE = "change"
    INTERVAL = "interval"
    LENGTH = "length"


class Expiry(Enum):
    """When an instruction fails that names no expiry of its own."""

    END_OF_DAY = "end_of_day"


class Rounding(Enum):
    """What becomes of half a minor unit."""

    HALF_UP = "half_up"


SECURITIES_GROSS: Final = 2
"""The DvP model of cycles that book securities trade by trade, and cash net."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules that a day runs under. Each is described in full in the rulebook.

    Raises MalformedError for a value that is out of its bounds, and for values that do not go
    together.

    Attributes:
        settlement: gross or net.
        signed_trades: a trade is cleared only if both its brokers have signed it (EIP-712).
        dvp_model: 1 gross/gross, 2 securities gross and cash net, 3 net/net (CPMI 1992).
        auto_settle: try an instruction as soon as it can settle.
        queue: fifo lets an earlier instruction of the same debtor go first; bypass does not.
        cycle_trades_max: a cycle is struck at this many trades.
        cycle_lines_max: and before it could need more net lines than this in a register.
        cycle_validity_seconds: for how long an attested cycle may settle, in seconds of chain time.
        recuts_max: how often a cycle is cut again because a party fell silent or disagreed.
        gridlock: the algorithm that is run by itself; ``OFF``: only when asked for.
        gridlock_trigger: what starts it: a change, time passing, or the length of the queue.
        gridlock_interval_seconds: business seconds between two runs, for the trigger by time.
        gridlock_queue_length: instructions in the queue, for the trigger by length.
        optimum_instructions_max: up to how many instructions the optimum is exact.
        optimum_seconds_max: after how many seconds the search for it stops, and says so.
        partial: settle parts for lack of securities, where both sides take them.
        partial_minimum_cash_share: minor units that such a part is worth at least; shares.
        partial_minimum_cash_nominal: the same for instruments counted in nominal.
        expiry_default: when an instruction fails that names no expiry of its own.
        rounding: of an amount that is no whole minor unit.
        matching_tolerances: by how much the amounts of two sides may differ and still match.
    """

    settlement: SettlementMode = SettlementMode.GROSS
    signed_trades: bool = False
    dvp_model: int = 1
    auto_settle: bool = True
    queue: QueueOrder = QueueOrder.FIFO
    cycle_trades_max: int = 10_000
    cycle_lines_max: int = 4_096
    cycle_validity_seconds: int = 60
    recuts_max: int = 3
    gridlock: Gridlock = Gridlock.OFF
    gridlock_trigger: GridlockTrigger = GridlockTrigger.CHANGE
    gridlock_interval_seconds: int = 60
    gridlock_queue_length: int = 10
    optimum_instructions_max: int = 200
    optimum_seconds_max: int = 10
    partial: bool = False
    partial_minimum_cash_share: int = 1_000_000
    partial_minimum_cash_nominal: int = 10_000_000
    expiry_default: Expiry = Expiry.END_OF_DAY
    rounding: Rounding = Rounding.HALF_UP
    matching_tolerances: tuple[Tolerance, ...] = TOLERANCES

    def __post_init__(self) -> None:
        """Raises MalformedError when these are no rules."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "matching_tolerances":
                check_tolerances(value)
            elif type(value) is not field.type:
                raise MalformedError(f"{field.name}: {expected_of(field.name)}", value)
            else:
                RULE_BY_NAME[field.name].check(value)
        if (self.dvp_model == 1) != (self.settlement is SettlementMode.GROSS):
            raise MalformedError(
                "dvp_model 1 with settlement gross, 2 or 3 with net",
                f"{self.dvp_model} with {self.settlement.value}",
            )

    def run_is_due(self, length: int, waited_seconds: int, *, has_changed: bool) -> bool:
        """Whether a gridlock run begins by itself, at so many instructions after so long."""
        if self.gridlock is Gridlock.OFF:
            return False
        match self.gridlock_trigger:
            case GridlockTrigger.CHANGE:
                return has_changed
            case GridlockTrigger.INTERVAL:
                return waited_seconds >= self.gridlock_interval_seconds
            case GridlockTrigger.LENGTH:
                return has_changed and length >= self.gridlock_queue_length


def expected_of(name: str) -> str:
    """What a rule may be, in words: its choices, or its bounds. Raises KeyError."""
    rule, kind = RULE_BY_NAME[name], _KIND_BY_NAME[name]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(choice.value) for choice in kind)
    if kind is bool:
        return "true, false"
    if rule.bounds is None:
        return "a table"
    return "{:,} to {:,}".format(*rule.bounds)


_KIND_BY_NAME = {field.name: field.type for field in fields(Rules)}

MARKET_DAY_RULES = Rules(settlement=SettlementMode.NET, dvp_model=3)
