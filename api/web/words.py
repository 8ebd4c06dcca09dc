"""The words of the pages, in English and Chinese. A test holds that no key lacks a language."""

from typing import Final, Literal

from ledger.domain.breaks import BreakKind
from ledger.domain.instructions import State
from ledger.domain.states import meaning_of

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

WORDS: Final[dict[str, tuple[str, str]]] = {
    "age": ("age (business days)", "账龄（营业日）"),
    "agrees": ("agrees", "一致"),
    "account": ("account", "账户"),
    "as_of": ("as of block", "截至区块"),
    "asset": ("asset", "资产"),
    "assignee": ("assignee", "负责人"),
    "at_risk": ("at risk", "存疑金额"),
    "available": ("available", "可用"),
    "away": ("differs", "不一致"),
    "block": ("block", "区块"),
    "breaks": ("Breaks", "差异"),
    "break_cause": ("Likely cause", "可能原因"),
    "break_actions": ("What would close it", "处理措施"),
    "breaks_none": (
        "No breaks: own books, ledger and statements agree.",
        "无差异：自有账簿、账本与对账单一致。",
    ),
    "broker": ("broker", "经纪商"),
    "is_away": ("away: its node does not answer", "节点没有响应"),
    "away_positions": (
        "The node does not answer: the balances are of the ledger; its own book is not known.",
        "节点没有响应：余额取自账本，其自有账簿目前未知。",
    ),
    "exchange_away": (
        "The exchange does not answer: these are the trades that it has handed over.",
        "交易所没有响应：此处为其已转交的成交。",
    ),
    "breaks_unknown": ("Whose breaks are not known now:", "以下机构的差异目前未知："),
    "bank": ("settlement bank", "结算银行"),
    "exchange": ("exchange", "交易所"),
    "clearing_house": ("clearing house", "清算所"),
    "registrar": ("registrar", "登记机构"),
    "regulator": ("regulator", "监管机构"),
    "business_date": ("business date", "营业日"),
    "buyer": ("buyer", "买方"),
    "cancelled": ("cancelled", "已撤销"),
    "captured": ("captured trades", "已受理成交"),
    "cycle": ("cycle", "批次"),
    "cycles": ("Netting cycles", "净额批次"),
    "cycles_none": (
        "No cycle yet. Post a trade to /v1/trades and watch it settle here.",
        "尚无批次。向 /v1/trades 提交成交后可在此查看交收。",
    ),
    "efficiency": ("netting efficiency", "净额轧差率"),
    "final_in": ("strike to final", "轧差至最终性"),
    "gross": ("gross value", "逐笔全额"),
    "gross_of_cycles": ("gross value of cycles", "净额批次逐笔全额"),
    "held": ("held", "已保留"),
    "instrument": ("instrument", "证券"),
    "kind": ("kind", "类别"),
    "language": ("中文", "English"),
    "language_code": ("zh", "en"),
    "latest_trades": ("Latest trades", "最新成交"),
    "lines": ("net lines", "净额笔数"),
    "live": ("live", "实时"),
    "net": ("net value", "净额"),
    "net_of_cycles": ("net value of cycles", "净额批次净额"),
    "nodes": ("Institutions", "参与机构"),
    "number": ("number", "成交编号"),
    "ours": ("ours", "我方"),
    "own_book": ("own book", "自有账簿"),
    "owner": ("owner", "归属方"),
    "parties": ("parties", "参与方数"),
    "positions": ("Positions", "持仓"),
    "price": ("price", "价格"),
    "quantity": ("quantity", "数量"),
    "reason": ("reason", "原因"),
    "root": ("root", "默克尔根"),
    "seller": ("seller", "卖方"),
    "settled": ("settled", "已交收"),
    "settled_alone": ("settled, in no cycle", "批次外交收"),
    "show": ("Show", "查看"),
    "since_block": ("since block", "始于区块"),
    "state": ("state", "状态"),
    "stopped": ("clearing has stopped", "清算已停止"),
    "stopped_advice": (
        "No figures are shown, since the books may be wrong. Stop novate, read its log, start it.",
        "账簿可能有误，因此不显示任何数据。请停止 novate，查看日志后重新启动。",
    ),
    "stale": ("connection lost: figures may be old", "连接中断：数据可能已过时"),
    "subject": ("what", "标的"),
    "suspended_assets": ("suspended, its issue is in doubt", "因发行存疑而暂停"),
    "tagline": (
        "Clearing and settlement on a permissioned ledger, simulated",
        "许可链清算与交收模拟器",
    ),
    "theirs": ("theirs", "对方"),
    "today": ("The day", "当日"),
    "total": ("total", "合计"),
    "trades": ("trades", "成交笔数"),
    "trades_none": ("No trade yet.", "尚无成交。"),
    "trades_in_cycles": ("Trades a cycle, and time to finality", "各批次成交笔数与最终性时间"),
    "unaffirmed": ("not affirmed", "未确认"),
    "waiting": ("waiting", "待交收"),
    "waiting_instructions": ("Waiting instructions", "待交收指令"),
    "waiting_none": ("No instruction waits.", "无待交收指令。"),
    "waiting_ready": ("about to settle", "即将交收"),
    "count": ("count", "笔数"),
}

BREAK_KINDS: Final = {kind.value: (kind.label, kind.label_zh) for kind in BreakKind}

TRADE_STATES: Final[dict[str, tuple[str, str]]] = {
    **{each.value: (each.value.replace("_", " "), meaning_of(each).name_zh) for each in State},
    "captured": ("captured", "已受理"),
    "unaffirmed": ("not affirmed", "未确认"),
}
"""Of a trade: one that has left its cycle has the states of its instruction."""

STATES: Final[dict[str, tuple[str, str]]] = {
    **TRADE_STATES,
    "submitted": ("submitted", "已提交"),
    "empty": ("empty", "空批次"),
    "abandoned": ("abandoned", "已放弃"),
}


def word(table: dict[str, tuple[str, str]], key: str, language: Language) -> str:
    """A word in a language; the key itself when the table does not have it."""
    pair = table.get(key)
    return pair[LANGUAGES.index(language)] if pair else key
