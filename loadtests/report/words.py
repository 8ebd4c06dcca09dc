"""The words of a report, in English and Chinese."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Words:
    """One thing, said in both languages."""

    en: str
    zh: str

    def __html__(self) -> str:
        """Both; the page shows one of them."""
        shown = Markup('<span class="en">{}</span><span class="zh" lang="zh">{}</span>')
        return shown.format(self.en, self.zh)


def same(text: str) -> Words:
    """What is written alike in both languages."""
    return Words(text, text)


WORDS: Final = {
    name: Words(english, chinese)
    for name, english, chinese in (
        ("title", "Load report", "压测报告"),
        ("offered", "offered", "计划"),
        ("accepted", "accepted", "受理"),
        ("cleared", "cleared", "清算"),
        ("settled", "settled", "交收"),
        ("final", "final", "最终"),
        ("reconciled", "reconciled", "对账"),
        ("second", "seconds since the beginning", "开始后的秒数"),
        ("a_second", "trades a second", "笔/秒"),
        ("milliseconds", "milliseconds", "毫秒"),
        ("share", "% of trades", "成交占比（%）"),
        ("core", "% of one core", "单核占用（%）"),
        ("rates", "Rates over time", "速率随时间变化"),
        (
            "rates_note",
            "Offered is what the shape intended, whatever the server did.",
            "“计划”为负载曲线的到达速率，与服务器的响应无关。",
        ),
        ("latency_accepted", "Time until accepted", "受理时延"),
        ("latency_final", "Time until final", "最终时延"),
        (
            "latency_note",
            "A latency counts from the moment the trade was intended, not from when it was sent.",
            "所有时延均自成交的计划时刻起算，而非发送时刻。",
        ),
        ("stages", "Time to each stage", "各阶段时延"),
        ("curve", "How many within what time", "时延分布"),
        ("steps", "Sustained up to where?", "可持续速率"),
        (
            "steps_note",
            "A step is sustained when 99 % of what it offered was final within 2 s.",
            "某一级的 99 % 成交在 2 秒内取得最终性，则该级可持续。",
        ),
        ("in_time", "final within 2 s", "2 秒内最终"),
        ("step", "step", "级"),
        ("busy", "Processors", "处理器占用"),
        (
            "busy_note",
            "Where the generator is near 100 %, it is the limit, not the server.",
            "负载发生器接近 100 % 时，瓶颈在发生器而非服务器。",
        ),
        ("errors_over_time", "Errors over time", "错误随时间变化"),
        ("errors", "Errors by code", "按代码统计的错误"),
        ("no_errors", "None.", "无。"),
        ("a_second_errors", "errors a second", "错误/秒"),
        ("correctness", "Correctness", "正确性"),
        ("submitted", "submitted", "提交"),
        ("refused", "refused", "拒绝"),
        ("pending", "pending", "待处理"),
        (
            "count_note",
            "Every single trade: what was answered, held against what the books say.",
            "逐笔核对：应答结果与账簿记录。",
        ),
        ("reconciliation", "All books agree, no break is open", "账簿一致，无未结差异"),
        ("own_books", "Own books are the ledger's", "自有账簿与账本一致"),
        ("conserved", "Nothing was made or lost: cash and securities add up", "资金与证券总量守恒"),
        ("drained", "Nothing waits any more", "已无等待中的成交"),
        ("resolved", "without an answer to trust, found in the books", "应答不明，经账簿查明"),
        ("unsent", "offered and not sent in time", "计划内未及发送"),
        ("lost", "accepted, and not in the books", "已受理但账簿中没有"),
        ("holds", "holds", "成立"),
        ("fails", "DOES NOT HOLD", "不成立"),
        ("messages", "Messages", "消息"),
        ("sent", "sent", "已发送"),
        ("right", "answered as they must be", "应答正确"),
        ("shed", "sent away (429, 503)", "被限流（429、503）"),
        ("good", "good", "正常"),
        ("duplicate", "sent before: answered the same", "重复：应答须相同"),
        ("bad", "bad: refused for the right reason", "错误：须以正确原因拒绝"),
        ("thresholds", "Thresholds", "阈值"),
        ("threshold", "threshold", "阈值"),
        ("limit", "limit", "要求"),
        ("found", "found", "实测"),
        ("met", "met", "达标"),
        ("missed", "MISSED", "未达标"),
        ("at_least", "at least", "不低于"),
        ("at_most", "at most", "不高于"),
        ("environment", "Environment", "环境"),
        ("reproduce", "To do it again", "复现命令"),
        ("sustained", "highest sustained rate", "最高可持续速率"),
        ("p99_final", "p99 until final", "最终时延 p99"),
        ("p99_accepted", "p99 until accepted", "受理时延 p99"),
        ("error_share", "messages that met an error", "出错消息占比"),
        ("breaks", "open breaks", "未结差异"),
        ("reads", "Reading meanwhile", "同时进行的查询"),
        ("request", "request", "请求"),
        ("count", "count", "次数"),
        ("overload", "Overload", "过载"),
        ("nothing_lost", "Nothing was lost", "无丢失"),
        ("only_429_and_503", "No error but 429 and 503", "仅有 429 与 503 错误"),
        ("always_retry_after", "Each said when to come again (Retry-After)", "均带 Retry-After"),
        ("was_overloaded", "It was too much, as it should be", "确已过载"),
        ("recovered", "As fast as before within 30 s", "30 秒内恢复"),
        ("queue_empty", "Nothing waits at the end", "结束时队列为空"),
        ("recovery", "seconds until it was as before", "恢复所需秒数"),
        ("cores", "cores", "核"),
        ("machine", "machine", "机器"),
        ("system", "system", "系统"),
        ("load_before", "load before", "开始前的系统负载"),
        ("seed", "seed", "随机种子"),
        ("hash", "hash of the profile", "配置哈希"),
        ("replicas", "validators", "验证节点数"),
        ("workers", "generators", "负载发生进程数"),
        ("profile", "profile", "配置"),
        ("cycles", "cycles", "净额批次数"),
        ("mean", "mean", "平均"),
        ("max", "most", "最高"),
        ("change", "change", "变化"),
        ("before", "before", "对比基准"),
        ("after", "after", "本次"),
        ("compare", "Comparison of two runs", "两次压测对比"),
        ("better", "better", "更好"),
        ("worse", "WORSE", "更差"),
        ("alike", "within noise", "在误差范围内"),
        ("verdict", "verdict", "结论"),
        ("figure", "figure", "指标"),
    )
}


def word(name: str) -> Words:
    """Words by their name; what is not there is a technical name, alike in both languages."""
    return WORDS.get(name) or same(name)
