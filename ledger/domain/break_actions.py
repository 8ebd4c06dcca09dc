"""What would close a break, in two languages: it depends on what the break is about.

Each action names a request or a command with which it is done here.
"""

from enum import Enum
from typing import Final

from ledger.domain.breaks import OF_INTEGRITY, BreakKind


class BreakSubject(Enum):
    """What a break is about."""

    TRADE = "trade"
    POSITION = "position"
    STATEMENT = "statement"
    CYCLE = "cycle"
    INSTRUCTION = "instruction"
    ISSUE = "issue"

    @staticmethod
    def of(id: str) -> "BreakSubject":
        """What the break of an id is about: whoever finds it begins the id with what it compares.

        What begins in no such way is of positions.
        """
        found = (each for beginning, each in _SUBJECTS.items() if id.startswith(beginning))
        return next(found, BreakSubject.POSITION)


class BreakAction(Enum):
    """What would close a break. The value is its name on the wire."""

    REPORT_TRADE = "report_trade"
    CAPTURE_TRADE = "capture_trade"
    ENTER_INSTRUCTION = "enter_instruction"
    RESOLVE = "resolve"
    WAIT = "wait"
    RESTART_KEEPER = "restart_keeper"
    LOOK_AT_MOVEMENTS = "look_at_movements"
    CORRECTING_INSTRUCTION = "correcting_instruction"
    IMPORT_STATEMENT = "import_statement"
    LOOK_AT_CYCLE = "look_at_cycle"
    LOOK_AT_INSTRUCTION = "look_at_instruction"
    REDEEM_UNDUE = "redeem_undue"
    REISSUE = "reissue"
    ACKNOWLEDGE = "acknowledge"

    @property
    def text(self) -> str:
        """The action in English."""
        return _TEXTS[self][0]

    @property
    def text_zh(self) -> str:
        """The action in Chinese."""
        return _TEXTS[self][1]


def actions_of(subject: BreakSubject, kind: BreakKind) -> tuple[BreakAction, ...]:
    """What would close a break of a kind about something, first things first."""
    if kind is BreakKind.TIMING:
        return _IN_FLIGHT.get(subject, (BreakAction.WAIT,))
    if subject is BreakSubject.TRADE:
        return _OF_TRADES.get(kind, _INSTEAD)
    if kind in OF_INTEGRITY:
        return _OF_ISSUES[kind]
    return _OTHERWISE[subject]


_SUBJECTS: Final = {
    "trade:": BreakSubject.TRADE,
    "extra:": BreakSubject.TRADE,
    "position:": BreakSubject.POSITION,
    "statement:": BreakSubject.STATEMENT,
    "status:cycle:": BreakSubject.CYCLE,
    "status:instruction:": BreakSubject.INSTRUCTION,
    "issue:": BreakSubject.ISSUE,
}

_TEXTS: Final = {
    BreakAction.REPORT_TRADE: (
        "Have the own desk report the trade; in the sandbox: novate fault heal.",
        "请本方交易台上报该成交；沙箱中：novate fault heal。",
    ),
    BreakAction.CAPTURE_TRADE: (
        "Where the trade was made: have the exchange capture it, POST /v1/trades.",
        "成交属实时：请交易所受理该成交，POST /v1/trades。",
    ),
    BreakAction.ENTER_INSTRUCTION: (
        (
            "Enter the trade as an instruction: novate instruction enter (POST /v1/instructions),"
            " or each side its own: novate side enter (POST /v1/sides)."
        ),
        (
            "将该成交录入为指令：novate instruction enter（POST /v1/instructions）；"
            "或由双方各自录入：novate side enter（POST /v1/sides）。"
        ),
    ),
    BreakAction.RESOLVE: (
        "Resolve the break, with the reason: novate breaks resolve.",
        "处理该差异并注明理由：novate breaks resolve。",
    ),
    BreakAction.WAIT: (
        "Wait for the next blocks: it closes by itself.",
        "等待后续区块：将自动消除。",
    ),
    BreakAction.RESTART_KEEPER: (
        "Where the bank's or the registrar's node is away, bring it back: novate fault heal.",
        "若银行或登记机构的节点离线，使其恢复：novate fault heal。",
    ),
    BreakAction.LOOK_AT_MOVEMENTS: (
        "Find the movement that one of the books lacks: novate statement export, of both sides.",
        "查找某一账簿缺失的变动：导出双方对账单，novate statement export。",
    ),
    BreakAction.CORRECTING_INSTRUCTION: (
        (
            "Where the ledger has it wrong, settle the difference with the other side: novate"
            " instruction enter (POST /v1/instructions)."
        ),
        "若账本有误，与对方录入更正指令：novate instruction enter（POST /v1/instructions）。",
    ),
    BreakAction.IMPORT_STATEMENT: (
        "Import the corrected statement under the same name: novate statement import.",
        "以同一名称导入更正后的对账单：novate statement import。",
    ),
    BreakAction.LOOK_AT_CYCLE: (
        (
            "Look up what became of the cycle, GET /v1/cycles, and on the chain: novate chain logs."
            " The ledger decides."
        ),
        "核实该批次的结果：GET /v1/cycles，以及链上记录 novate chain logs。以账本为准。",
    ),
    BreakAction.LOOK_AT_INSTRUCTION: (
        (
            "Look up what became of the instruction, novate instruction show, and on the chain:"
            " novate chain logs. The ledger decides."
        ),
        "核实该指令的结果：novate instruction show，以及链上记录 novate chain logs。以账本为准。",
    ),
    BreakAction.REDEEM_UNDUE: (
        "Redeem the undue issue on the chain, with the owner's signature: eth_sendRawTransaction.",
        "经持有人签名，在链上注销无据增发的部分：eth_sendRawTransaction。",
    ),
    BreakAction.REISSUE: (
        "Issue again on the chain what was redeemed unduly: eth_sendRawTransaction.",
        "在链上重新发行被无据注销的部分：eth_sendRawTransaction。",
    ),
    BreakAction.ACKNOWLEDGE: (
        (
            "Where it was due, have the keeper take it into its records: acknowledge_issue of its"
            " node."
        ),
        "若属应有的发行，请登记保管方补记：其节点的 acknowledge_issue。",
    ),
}

_INSTEAD: Final = (BreakAction.ENTER_INSTRUCTION, BreakAction.RESOLVE)
_OF_TRADES: Final = {
    BreakKind.MISSING_OURS: (BreakAction.REPORT_TRADE, *_INSTEAD),
    BreakKind.MISSING_THEIRS: (BreakAction.CAPTURE_TRADE, BreakAction.RESOLVE),
}
_OF_ISSUES: Final = {
    BreakKind.UNDUE_ISSUE: (BreakAction.REDEEM_UNDUE, BreakAction.ACKNOWLEDGE),
    BreakKind.UNDUE_REDEMPTION: (BreakAction.REISSUE,),
}
_IN_FLIGHT: Final = {
    BreakSubject.STATEMENT: (BreakAction.IMPORT_STATEMENT, BreakAction.RESOLVE),
}
_OTHERWISE: Final = {
    BreakSubject.POSITION: (
        BreakAction.RESTART_KEEPER,
        BreakAction.LOOK_AT_MOVEMENTS,
        BreakAction.CORRECTING_INSTRUCTION,
        BreakAction.RESOLVE,
    ),
    BreakSubject.STATEMENT: (
        BreakAction.IMPORT_STATEMENT,
        BreakAction.CORRECTING_INSTRUCTION,
        BreakAction.RESOLVE,
    ),
    BreakSubject.CYCLE: (BreakAction.LOOK_AT_CYCLE, BreakAction.RESOLVE),
    BreakSubject.INSTRUCTION: (
        BreakAction.LOOK_AT_INSTRUCTION,
        BreakAction.CORRECTING_INSTRUCTION,
        BreakAction.RESOLVE,
    ),
    BreakSubject.ISSUE: (BreakAction.RESOLVE,),
}
