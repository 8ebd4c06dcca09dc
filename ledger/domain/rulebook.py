"""The rulebook: what every field of ``Rules`` means, its unit and bounds, and where it comes from.

``RULEBOOK`` is the one place where rules are described; the command ``novate rules``,
docs/rules.md and the checks of ``Rules`` read it. The default of a rule is that of its field. The
version of the rulebook is the one that the chain is founded with: every cycle and instruction is
signed for it, and the settlement contract refuses any other.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ledger.domain.amounts import AMOUNT_MAX
from ledger.domain.errors import MalformedError

RULEBOOK_VERSION: Final = 1
"""The version in force. Whatever changes it later changes what a chain is asked to accept, too."""

_CPMI: Final = "CPMI, Delivery versus payment in securities settlement systems (1992)"
_UBIN: Final = "Project Ubin phase 2, overview and test report (2017)"
_BECH: Final = "Bech and Soramäki, Bank of Finland DP 9/2001"
_T2S_PARTIAL: Final = "T2S conceptual data model, partial settlement threshold (T2S.08.290)"
_T2S_MATCHING: Final = "T2S conceptual data model, tolerance amount; the figures of CNY are ours"
_ICSD: Final = "partial settlement in ICSDs, cash pro rata"
_OURS: Final = "ours"


class Binds(Enum):
    """What runs under a rule, and so carries its version."""

    CYCLE = "cycle"
    INSTRUCTION = "instruction"
    BOTH = "cycle, instruction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, described.

    Attributes:
        name: the field of ``Rules``.
        unit: what a number counts; empty for a choice.
        bounds: the least and the greatest number; None for a choice.
        source: where it comes from in public; "ours" where it is our own.
        scenario: what the scenario format calls it; empty when it has no name there.
        since: the first version of the rulebook that has it.
    """

    name: str
    binds: Binds
    text: str
    text_zh: str
    source: str
    unit: str = ""
    bounds: tuple[int, int] | None = None
    scenario: str = ""
    since: int = 1

    def check(self, value: int) -> None:
        """Raises MalformedError when a number is out of bounds."""
        if self.bounds is None:
            return
        least, greatest = self.bounds
        if not least <= value <= greatest:
            raise MalformedError(f"{self.name} from {least} to {greatest}", value)


RULEBOOK: Final = (
    Rule(
        name="settlement",
        binds=Binds.BOTH,
        text="Whether trades settle one by one or through netting cycles.",
        text_zh="成交逐笔交收，还是经净额批次交收。",
        source=_CPMI,
        scenario="settlement",
    ),
    Rule(
        name="signed_trades",
        binds=Binds.CYCLE,
        text="A trade is cleared only if both its brokers have signed it (EIP-712).",
        text_zh="成交须经双方经纪商逐笔签名（EIP-712）方可清算。",
        source=_OURS,
    ),
    Rule(
        name="dvp_model",
        binds=Binds.BOTH,
        text="1: securities and cash gross; 2: securities gross, cash net; 3: both net."
        " Model 1 goes with gross settlement, 2 and 3 with net.",
        text_zh="1：券款均逐笔全额；2：证券逐笔、资金净额；3：券款均净额。"
        "模式 1 用于逐笔交收，模式 2、3 用于净额交收。",
        source=_CPMI,
        unit="model",
        bounds=(1, 3),
        scenario="dvp_model",
    ),
    Rule(
        name="auto_settle",
        binds=Binds.INSTRUCTION,
        text="An instruction is tried as soon as it can settle; else only when it is asked for.",
        text_zh="指令一旦可交收即自动尝试；否则仅在收到请求时尝试。",
        source=_OURS,
        scenario="auto_settle",
    ),
    Rule(
        name="queue",
        binds=Binds.INSTRUCTION,
        text="fifo: within a priority an earlier instruction of the same debtor goes first;"
        " bypass: whatever can settle does.",
        text_zh="fifo：同一优先级内，同一应付方的较早指令在前；bypass：凡可交收者即交收。",
        source=_UBIN,
        scenario="queue",
    ),
    Rule(
        name="cycle_trades_max",
        binds=Binds.CYCLE,
        text="A cycle is struck at this many trades.",
        text_zh="成交达到此笔数时截取一个批次。",
        source=_OURS,
        unit="trades",
        bounds=(1, 100_000_000),
    ),
    Rule(
        name="cycle_lines_max",
        binds=Binds.CYCLE,
        text="A cycle is struck before it could need more net lines than this in a register.",
        text_zh="批次在任一登记簿中的净额行数可能超过此数之前截取。",
        source=_OURS,
        unit="net lines",
        bounds=(1, 10_000_000),
    ),
    Rule(
        name="cycle_validity_seconds",
        binds=Binds.BOTH,
        text="For how long what was signed may settle.",
        text_zh="已签署的批次或指令可交收的时限。",
        source=_OURS,
        unit="seconds of chain time",
        bounds=(1, 86_400),
    ),
    Rule(
        name="recuts_max",
        binds=Binds.CYCLE,
        text="How often a cycle is cut again because a party fell silent or disagreed.",
        text_zh="因一方无应答或有异议而重新截取批次的最多次数。",
        source=_OURS,
        unit="times",
        bounds=(0, 1_000),
    ),
    Rule(
        name="gridlock",
        binds=Binds.INSTRUCTION,
        text="The algorithm that is run by itself; off: only when it is asked for.",
        text_zh="自动运行的堵塞化解算法；off：仅在收到请求时运行。",
        source=f"{_BECH}; {_UBIN}",
        scenario="gridlock",
    ),
    Rule(
        name="gridlock_trigger",
        binds=Binds.INSTRUCTION,
        text="What starts a run: a change of the queue, time passing, or the queue's length.",
        text_zh="触发运行的条件：队列变化、时间间隔或队列长度。",
        source=_UBIN,
    ),
    Rule(
        name="gridlock_interval_seconds",
        binds=Binds.INSTRUCTION,
        text="Between two runs, where time starts them.",
        text_zh="按时间触发时，两次运行的间隔。",
        source=_UBIN,
        unit="seconds of business time",
        bounds=(1, 86_400),
    ),
    Rule(
        name="gridlock_queue_length",
        binds=Binds.INSTRUCTION,
        text="From this many queued instructions on, where the length starts a run.",
        text_zh="按长度触发时，队列达到此指令数即运行。",
        source=_UBIN,
        unit="instructions",
        bounds=(1, 100_000_000),
    ),
    Rule(
        name="optimum_instructions_max",
        binds=Binds.INSTRUCTION,
        text="Up to this many instructions the optimum is exact.",
        text_zh="指令数不超过此值时，最优解为精确解。",
        source=_OURS,
        unit="instructions",
        bounds=(1, 100_000),
    ),
    Rule(
        name="optimum_seconds_max",
        binds=Binds.INSTRUCTION,
        text="After this long the search for the optimum stops, and says so.",
        text_zh="最优解搜索的时限；超时即停止并说明。",
        source=_OURS,
        unit="seconds",
        bounds=(1, 3_600),
    ),
    Rule(
        name="partial",
        binds=Binds.INSTRUCTION,
        text="Settle parts for lack of securities, where both sides take them.",
        text_zh="证券不足时，双方均同意的指令可部分交收。",
        source=f"{_T2S_PARTIAL}; {_ICSD}",
        scenario="partial",
    ),
    Rule(
        name="partial_minimum_cash_share",
        binds=Binds.INSTRUCTION,
        text="The least that a part is worth, of instruments counted in shares.",
        text_zh="以股计数的证券，部分交收的最低金额。",
        source=_T2S_PARTIAL,
        unit="minor units",
        bounds=(0, AMOUNT_MAX),
        scenario="partial_minimum_cash",
    ),
    Rule(
        name="partial_minimum_cash_nominal",
        binds=Binds.INSTRUCTION,
        text="The least that a part is worth, of instruments counted in nominal.",
        text_zh="以面值计数的证券，部分交收的最低金额。",
        source=_T2S_PARTIAL,
        unit="minor units",
        bounds=(0, AMOUNT_MAX),
        scenario="partial_minimum_cash",
    ),
    Rule(
        name="expiry_default",
        binds=Binds.INSTRUCTION,
        text="When an instruction fails that names no expiry of its own.",
        text_zh="未自行指定到期时间的指令何时失败。",
        source=_OURS,
        scenario="expiry_default",
    ),
    Rule(
        name="rounding",
        binds=Binds.BOTH,
        text="Of an amount that is no whole minor unit: the half goes up.",
        text_zh="金额不足一个最小货币单位时：逢半进位。",
        source=_OURS,
        scenario="rounding",
    ),
    Rule(
        name="matching_tolerances",
        binds=Binds.INSTRUCTION,
        text="By how much the amounts of the two sides may differ and still match, by currency,"
        " first business date and amount up to and including a limit. The deliverer's counts.",
        text_zh="双方金额可相差多少仍可匹配，按币种、起始营业日及金额上限（含）列表。以交付方金额为准。",
        source=_T2S_MATCHING,
        unit="minor units",
    ),
)
RULE_BY_NAME: Final = {rule.name: rule for rule in RULEBOOK}


def rules_of_scenario(name: str) -> tuple[Rule, ...]:
    """The rules that a name of the scenario format sets; none when the format has no such name."""
    return tuple(rule for rule in RULEBOOK if name and rule.scenario == name)
