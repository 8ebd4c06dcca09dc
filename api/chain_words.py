"""What happened on the chain, as sentences in English and Chinese.

Facts are filled into fixed sentences; a count picks its singular or plural in English.
"""

from itertools import groupby
from typing import Final

from api.web.words import LANGUAGES, Language
from ledger.domain.reasons import Reason
from nodes.explorer.acts import Act
from nodes.explorer.explorer import BlockSummary, TransactionSummary

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "deploy": ("{sender} creates the contract {contract}", "{sender} 部署合约 {contract}"),
    "bind_settlement": (
        "{sender} ties the register {contract} to the settlement contract",
        "{sender} 将登记簿 {contract} 绑定到交收合约",
    ),
    "admit": (
        "{sender} admits {participants:participant|participants}",
        "{sender} 接纳 {participants} 家参与方",
    ),
    "renounce_administration": (
        "{sender} gives up the power to admit participants",
        "{sender} 放弃接纳参与方的权力",
    ),
    "suspend": ("{sender} suspends {participant}", "{sender} 暂停 {participant}"),
    "reinstate": ("{sender} reinstates {participant}", "{sender} 恢复 {participant} 的资格"),
    "register_instruments": (
        "{sender} registers {instruments:instrument|instruments}",
        "{sender} 登记 {instruments} 只证券",
    ),
    "issue_securities": (
        (
            "{sender} issues securities: {lines:line|lines} in {assets:instrument|instruments}"
            " to {participants:participant|participants}"
        ),
        "{sender} 发行证券：{assets} 只证券，{lines} 笔，记入 {participants} 家参与方",
    ),
    "issue_cash": (
        "{sender} issues {total} to {participants:participant|participants}",
        "{sender} 发行资金 {total}，记入 {participants} 家参与方",
    ),
    "redeem": (
        "{sender} redeems {amount} from {account}",
        "{sender} 从 {account} 赎回 {amount}",
    ),
    "hold": (
        "{sender} holds {amount} in {account}",
        "{sender} 在 {account} 保留 {amount}",
    ),
    "release": (
        "{sender} releases {amount} in {account}",
        "{sender} 在 {account} 释放 {amount}",
    ),
    "settle_cycle": (
        (
            "{sender} settles cycle {cycle}: {parties:party|parties}, {lines:net line|net lines},"
            " {trades:trade|trades}"
        ),
        "{sender} 交收第 {cycle} 批次：{parties} 个参与方，{lines} 条净额，{trades} 笔成交",
    ),
    "settle_cycle_gross": (
        (
            "{sender} settles cycle {cycle}: {parties:party|parties}, securities of"
            " {moves:trade|trades} one by one, {lines:net line|net lines} in cash"
        ),
        (
            "{sender} 交收第 {cycle} 批次：{parties} 个参与方，"
            "证券逐笔 {moves} 笔，资金净额 {lines} 条"
        ),
    ),
    "open_cycle": (
        "{sender} opens cycle {cycle}: {parties:party|parties}, {trades:trade|trades}",
        "{sender} 开启第 {cycle} 批次：{parties} 个参与方，{trades} 笔成交",
    ),
    "stage_lines": (
        "{sender} stages {lines:net line|net lines} of cycle {cycle}",
        "{sender} 暂存第 {cycle} 批次的 {lines} 条净额",
    ),
    "settle_staged": (
        "{sender} settles cycle {cycle}: all staged lines of {parties:party|parties} take effect",
        "{sender} 交收第 {cycle} 批次：{parties} 个参与方的全部暂存净额生效",
    ),
    "abort_cycle": ("{sender} gives up cycle {cycle}", "{sender} 放弃第 {cycle} 批次"),
    "deliver_against_payment": (
        (
            "{sender} settles an instruction: {deliverer} delivers {quantity} to {receiver}"
            " against {amount}"
        ),
        "{sender} 交收一笔指令：{deliverer} 向 {receiver} 交付 {quantity}，收款 {amount}",
    ),
    "deliver_free": (
        "{sender} settles a free delivery: {deliverer} delivers {quantity} to {receiver}",
        "{sender} 交收一笔纯券过户：{deliverer} 向 {receiver} 交付 {quantity}",
    ),
    "pay": (
        "{sender} settles a payment: {receiver} pays {amount} to {deliverer}",
        "{sender} 交收一笔付款：{receiver} 向 {deliverer} 支付 {amount}",
    ),
    "settle_set": (
        (
            "{sender} settles {instructions:instruction|instructions} together, {total} in cash,"
            " signed by {parties:party|parties}"
        ),
        "{sender} 合并交收 {instructions} 笔指令，资金 {total}，由 {parties} 个参与方签名",
    ),
    "other_call": (
        "{sender} calls {function} of {contract}",
        "{sender} 调用 {contract} 的 {function}",
    ),
    "unknown": (
        "{sender} sends something that is not ours to {to}",
        "{sender} 向 {to} 发送了非本系统的内容",
    ),
}
"""The whole sentence, by kind of act."""

BRIEFS: Final[dict[str, tuple[str, str]]] = {
    "deploy": ("contract {contract} created", "部署合约 {contract}"),
    "bind_settlement": ("register {contract} bound", "绑定登记簿 {contract}"),
    "admit": (
        "{participants:participant|participants} admitted",
        "接纳 {participants} 家参与方",
    ),
    "renounce_administration": ("admission closed", "关闭准入"),
    "suspend": ("{participant} suspended", "暂停 {participant}"),
    "reinstate": ("{participant} reinstated", "恢复 {participant}"),
    "register_instruments": (
        "{instruments:instrument|instruments} registered",
        "登记 {instruments} 只证券",
    ),
    "issue_securities": (
        "issue of securities: {lines:line|lines}",
        "证券发行：{lines} 笔",
    ),
    "issue_cash": ("issue of cash: {total}", "资金发行：{total}"),
    "redeem": ("redemption: {amount}", "赎回：{amount}"),
    "hold": ("hold: {amount}", "保留：{amount}"),
    "release": ("release: {amount}", "释放：{amount}"),
    "settle_cycle": (
        "cycle {cycle} settled: {lines:net line|net lines}, {trades:trade|trades}",
        "第 {cycle} 批次已交收：{lines} 条净额，{trades} 笔成交",
    ),
    "settle_cycle_gross": (
        "cycle {cycle} settled: {moves:trade|trades} one by one, cash net",
        "第 {cycle} 批次已交收：证券逐笔 {moves} 笔，资金轧差",
    ),
    "open_cycle": (
        "cycle {cycle} opened: {trades:trade|trades}",
        "第 {cycle} 批次已开启：{trades} 笔成交",
    ),
    "stage_lines": (
        "{lines:net line|net lines} of cycle {cycle} staged",
        "第 {cycle} 批次暂存 {lines} 条净额",
    ),
    "settle_staged": (
        "cycle {cycle} settled: all staged lines",
        "第 {cycle} 批次已交收：全部暂存净额",
    ),
    "abort_cycle": ("cycle {cycle} given up", "放弃第 {cycle} 批次"),
    "deliver_against_payment": (
        "instruction: {quantity} against {amount}",
        "指令：{quantity} 对 {amount}",
    ),
    "deliver_free": ("free delivery: {quantity}", "纯券过户：{quantity}"),
    "pay": ("payment: {amount}", "付款：{amount}"),
    "settle_set": (
        "{instructions:instruction|instructions} settled together, {total} in cash",
        "合并交收 {instructions} 笔指令，资金 {total}",
    ),
    "other_call": ("call of {contract}.{function}", "调用 {contract}.{function}"),
    "unknown": ("something not ours", "非本系统的内容"),
}
"""A few words, for lists."""

SEVERAL: Final = ("{count} × {brief}, …", "{count} × {brief}…")
MORE: Final = ("and {count} more", "另有 {count} 笔")
REFUSED: Final = ("refused", "被拒绝")
NOTHING: Final = ("nothing: the first block", "无内容：创世区块")


class _Count(int):
    """A number that a sentence writes grouped, and with its noun: ``{trades:trade|trades}``."""

    def __format__(self, nouns: str) -> str:
        digits = int.__format__(self, ",")
        if not nouns:
            return digits
        one, many = nouns.split("|")
        return f"{digits} {one if self == 1 else many}"


def sentence(act: Act, language: Language) -> str:
    """What an act is, in one sentence."""
    return _filled(SENTENCES[act.kind], act, language)


def brief(summary: TransactionSummary, language: Language) -> str:
    """What a transaction is, in a few words; a refused one says so."""
    if summary.succeeded:
        return _filled(BRIEFS[summary.act.kind], summary.act, language)
    return f"{_pick(REFUSED, language)}: {sentence(summary.act, language)}"


def content(block: BlockSummary, language: Language) -> str:
    """What is in a block, in a few words."""
    parts = []
    for _, group in groupby(block.transactions, lambda t: (t.act.kind, t.succeeded)):
        alike = list(group)
        words = brief(alike[0], language)
        several = _pick(SEVERAL, language).format(count=len(alike), brief=words)
        parts.append(words if len(alike) == 1 else several)
    more = block.transaction_count - len(block.transactions)
    if more:
        parts.append(_pick(MORE, language).format(count=f"{more:,}"))
    return "; ".join(parts) if parts else _pick(NOTHING, language)


def cause(reason: Reason, language: Language) -> tuple[str, str]:
    """Why something was refused, and what to do."""
    each = reason.explanation
    return (each.cause, each.remedy) if language == "en" else (each.cause_zh, each.remedy_zh)


def _filled(pair: tuple[str, str], act: Act, language: Language) -> str:
    facts = {n: _Count(f) if isinstance(f, int) else f for n, f in act.facts.items()}
    return _pick(pair, language).format_map(facts)


def _pick(pair: tuple[str, str], language: Language) -> str:
    return pair[LANGUAGES.index(language)]
