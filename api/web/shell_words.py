"""The words around every page: where one is, as whom, in which language."""

from typing import Final

from api.web.words import Words

SHELL_WORDS: Final[Words] = {
    "at_block": ("block", "区块"),
    "business_time": ("business time", "业务时间"),
    "frozen": ("frozen", "已冻结"),
    "go_back": ("Back to the day", "返回当日"),
    "language": ("中文", "English"),
    "language_code": ("zh", "en"),
    "leave": ("Sign out", "退出登录"),
    "live": ("live", "实时"),
    "place_cycles": ("Cycles", "批次"),
    "place_chain": ("Chain", "链"),
    "place_liquidity": ("Liquidity", "流动性"),
    "place_reconciliation": ("Reconciliation", "对账"),
    "place_participants": ("Participants", "参与方"),
    "place_sandbox": ("Sandbox", "沙箱"),
    "place_today": ("Today", "当日"),
    "place_trades": ("Trades", "成交"),
    "not_shown": ("This cannot be shown", "无法显示"),
    "remedy": ("What to do", "处理建议"),
    "request_command": ("Command line", "命令行"),
    "request_key": (
        "The key comes from the environment, where novate up runs:",
        "密钥取自环境变量，在 novate up 所在目录执行：",
    ),
    "request_show": ("Show request", "查看请求"),
    "search": ("Search", "查询"),
    "search_hint": ("block, hash, trade, cycle 12", "区块号、哈希、成交编号、批次 12"),
    "skip": ("Skip to the content", "跳至正文"),
    "stale": ("connection lost: figures may be old", "连接中断：数据可能已过时"),
    "stopped": ("clearing has stopped", "清算已停止"),
    "stopped_advice": (
        "No figures are shown, since the books may be wrong. Stop novate, read its log, start it.",
        "账簿可能有误，因此不显示任何数据。请停止 novate，查看日志后重新启动。",
    ),
    "tagline": (
        "Clearing and settlement on a permissioned ledger, simulated",
        "许可链清算与交收模拟器",
    ),
    "view_as": ("View as", "切换身份"),
    "view_as_key": ("Sign in with another key", "使用其他密钥登录"),
    "view_as_own": (
        "Only the operator of the sandbox looks as somebody else without its key.",
        "只有沙箱运营方可以不凭密钥以他人身份查看。",
    ),
    "view_as_rights": (
        "You see and may do what that participant may, and no more.",
        "可见内容和操作权限与该参与方完全一致。",
    ),
    "view_back": ("Back to", "返回"),
    "viewing_as": ("viewing as", "查看身份"),
    "replacing": ("The market is being replaced by another", "正在切换市场"),
    "replacing_lead": (
        "That takes a second or two. This page then shows the new one by itself.",
        "需要一两秒，完成后本页会自动显示新市场。",
    ),
    "where": ("Screens", "页面"),
}
