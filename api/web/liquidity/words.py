"""The words of the page of liquidity."""

from typing import Final

from api.web.words import Words

LIQUIDITY_WORDS: Final[Words] = {
    "account": ("account", "账户"),
    "after": ("after the run", "化解后"),
    "algorithm_bypass": (
        "bypass: take what can settle, past what cannot",
        "绕行：越过受阻者，结算可结算者",
    ),
    "algorithm_fifo": ("in order: first come, first settled", "先进先出：按排队顺序"),
    "algorithm_optimum": ("optimum: the most value", "最优：交收金额最大"),
    "as_of": ("as of block", "截至区块"),
    "asset": ("asset", "资产"),
    "available": ("available", "可用"),
    "before": ("before the run", "化解前"),
    "before_after": ("Balances, before a resolution and after it", "余额：化解前与化解后"),
    "behind": ("behind", "排在其后："),
    "counterparty": ("towards", "对手账户"),
    "explain_graph": (
        "From who owes to whom; wider: more. Solid: would settle together. Dashed: would wait.",
        "箭头由应付方指向应收方，越粗金额越大。实线：现在可一并交收；虚线：仍需等待。",
    ),
    "everybody": ("everybody", "所有人"),
    "free": (
        "Nothing waits. Whatever comes in settles at once.",
        "没有排队指令，新指令将即时交收。",
    ),
    "free_hint": (
        "To see a gridlock, enter instructions that wait for each other:",
        "如需观察僵局，请录入互相等待的指令：",
    ),
    "gridlock": (
        "Gridlock: none of these can settle alone, all of them can together.",
        "僵局：以下指令无法单独交收，但可一并交收。",
    ),
    "gridlock_none": (
        "This run would settle nothing: somebody has to bring something in.",
        "按此方式试算，无指令可一并交收：需有参与方补充券款。",
    ),
    "gridlock_unknown": (
        "So many wait that a run is not looked for at each visit; ask for one.",
        "排队指令过多，页面不再逐次试算；可直接请求运行。",
    ),
    "headroom": ("left", "剩余额度"),
    "is_due": ("is owed to it", "应收"),
    "lacks": ("lacks", "尚缺"),
    "larger": (
        "The largest arrows are drawn; smaller ones that are not:",
        "仅绘制较大的箭头，未绘制的数量：",
    ),
    "length": ("waiting", "排队笔数"),
    "limit": ("limit", "限额"),
    "limits": ("Limits", "限额"),
    "more": ("and more:", "另有："),
    "nothing_settled": ("Nothing has settled.", "没有指令交收。"),
    "own_only": ("Shown is what concerns you.", "仅显示与您相关的内容。"),
    "order_only": (
        "These lack nothing: only the order of the queue is in their way.",
        "以下指令券款齐备，仅因排队顺序而等待。",
    ),
    "owes": ("owes", "应付"),
    "queue_first": ("the first ones, and why they wait", "排在最前者及等待原因"),
    "queues": ("Queues", "排队队列"),
    "resolve": ("Settle them together now", "现在一并交收"),
    "resolve_who": ("A run is the operator's to ask for.", "仅运营方可请求运行。"),
    "resolved": ("Gridlock resolved", "僵局已化解"),
    "settled_together": (
        "instructions settled together, in one transaction, all or nothing.",
        "笔指令在一笔链上交易中一并交收，全有或全无。",
    ),
    "title": ("Liquidity", "流动性"),
    "stays": ("would still wait", "仍需等待"),
    "aside": ("on hold or linked, standing aside", "已暂缓或等待关联指令"),
    "owed_in_all": ("owed by all of them", "排队应付合计"),
    "would_settle": ("would settle together", "可一并交收"),
    "not_exact": ("The search stopped early; there may be more.", "搜索提前中止，可能还有更多。"),
    "waiting_count": ("instructions wait", "排队指令数"),
    "back": ("Back to liquidity", "返回流动性"),
    "who_owes_whom": ("Who owes whom", "应收应付关系"),
    "which_run": ("What a run would settle:", "试算方式："),
}
