"""What a dry run has found, on the wire, and in words: what would make it settle."""

from collections.abc import Iterator

from api import dry_run_schemas as schemas
from api import queue_schemas
from api.instruction_schemas import Why
from api.instruction_views import names_of, shortfall_view, why_view
from contracts.lines import Lines
from ledger.books.postings import Register
from ledger.domain.accounts import account_of, asset_of
from ledger.domain.amounts import format_amount
from ledger.domain.reasons import Reason
from ledger.settlement.dry_run import Forecast
from nodes.clearing_house import ClearingHouse
from nodes.clearing_house.cycle import Cut
from nodes.network import Network
from nodes.trade_words import describe_trade_id

AHEAD_SHOWN_MAX = 100
SHOWN_MAX = 500


def forecast_view(house: ClearingHouse, found: Forecast) -> schemas.Forecast:
    """What would become of instructions."""
    network, part = house.network, None
    if found.part is not None:
        currency = network.currency(found.group[0].currency) if found.part.amount else ""
        cash = format_amount(found.part.amount, currency) if currency else "0"
        part = schemas.PartOf(quantity=str(found.part.quantity), amount=cash)
    return schemas.Forecast(
        settles=found.settles,
        together=[each.label for each in found.group],
        why=why_view(found.reason),
        missing=[shortfall_view(network, each) for each in found.missing],
        ahead_total=len(found.ahead),
        ahead=list(found.ahead[:AHEAD_SHOWN_MAX]),
        must_wait=found.must_wait,
        held=[
            schemas.Hold(label=label, held_by=names_of(network, who)) for label, who in found.held
        ],
        awaited=list(found.awaited),
        suspended=names_of(network, frozenset(found.suspended)),
        late=list(found.late),
        part=part,
        settles_with=list(found.settles_with),
        remedies=list(_remedies(network, found)),
        as_of_block=house.projection.height,
    )


def cycle_forecast_view(house: ClearingHouse, cut: Cut | None) -> schemas.CycleForecast:
    """The cycle as it would be struck."""
    if cut is None:
        return _no_cycle(house)
    network, first = house.network, cut.window.first
    leavers = sorted(cut.leavers.items())
    lines = [
        *_lines(network, Register.SECURITIES, cut.securities),
        *_lines(network, Register.CASH, cut.cash),
    ]
    return schemas.CycleForecast(
        trades=cut.window.end - first,
        settling=len(cut.trades),
        leaving=len(leavers),
        leavers=[
            schemas.Leaver(
                id=describe_trade_id(network, cut.window.trades, position - first),
                why=_explained(reason),
            )
            for position, reason in leavers[:SHOWN_MAX]
        ],
        parties=[network.participant_id(number) for number in cut.parties],
        lines_total=len(lines),
        lines=lines[:SHOWN_MAX],
        as_of_block=house.projection.height,
    )


def _no_cycle(house: ClearingHouse) -> schemas.CycleForecast:
    return schemas.CycleForecast(
        trades=0,
        settling=0,
        leaving=0,
        leavers=[],
        parties=[],
        lines_total=0,
        lines=[],
        as_of_block=house.projection.height,
    )


def _lines(network: Network, register: Register, lines: Lines) -> Iterator[schemas.NetLine]:
    for key, amount in zip(lines.keys.tolist(), lines.amounts.tolist(), strict=True):
        asset = asset_of(key)
        is_cash = register is Register.CASH
        name = network.currency(asset) if is_cash else network.instrument(asset).isin
        yield schemas.NetLine(
            account=network.account_id(account_of(key)),
            kind=register.value,
            asset=name,
            amount=format_amount(amount, name) if is_cash else str(amount),
        )


def _explained(reason: Reason) -> Why:
    why = why_view(reason)
    assert why is not None, "there is a reason"
    return why


def _remedies(network: Network, found: Forecast) -> Iterator[schemas.Remedy]:
    """What would make it settle: all of it has to happen, but the last, which is another way."""
    for label in found.late:
        yield _remedy(
            "enter_again",
            f"{label} is late: enter it again.",
            f"{label} 已逾时：请重新录入。",
            [label],
        )
    for label, who in found.held:
        names = names_of(network, who)
        listed = ", ".join(names)
        yield _remedy(
            "release",
            f"{listed} must release {label}.",
            f"须由 {listed} 解除 {label} 的保留。",
            [label],
            names,
        )
    for label in found.awaited:
        yield _remedy(
            "enter",
            f"{label} is linked to it and must be entered.",
            f"与之关联的 {label} 须先录入。",
            [label],
        )
    for name in names_of(network, frozenset(found.suspended)):
        yield _remedy(
            "reinstate", f"{name} must be reinstated.", f"须恢复 {name} 的资格。", [], [name]
        )
    for shortfall in found.missing:
        yield _of_shortfall(shortfall_view(network, shortfall))
    if found.must_wait:
        first, others = found.ahead[0], len(found.ahead) - 1
        more, more_zh = (f" and {others} more", f" 等 {others + 1} 笔") if others else ("", "")
        yield _remedy(
            "go_first",
            f"{first}{more} must settle or go first, or this needs a higher priority.",
            f"{first}{more_zh}在前：须先交收或撤出，或提高本指令的优先级。",
            list(found.ahead[:AHEAD_SHOWN_MAX]),
        )
    if found.reason in (Reason.SILENT, Reason.DISPUTED, Reason.UNSIGNED):
        labels = [each.label for each in found.group]
        yield _remedy(
            "ask_again",
            "A party did not sign when it was asked; it will be asked again.",
            "一方此前未签名；系统将再次请求。",
            labels,
        )
    if found.settles_with:
        count = len(found.settles_with)
        yield _remedy(
            "resolve",
            f"Or resolve the queue: a set of {count} would settle together.",
            f"或执行僵局化解：{count} 笔将合并交收。",
            list(found.settles_with),
        )


def _of_shortfall(short: queue_schemas.Shortfall) -> schemas.Remedy:
    towards = f" towards {short.counterparty}" if short.counterparty else ""
    towards_zh = f"（对 {short.counterparty}）" if short.counterparty else ""
    if short.kind == "limit":
        return schemas.Remedy(
            act="raise_limit",
            text=f"{short.account} must receive {short.missing} {short.asset}{towards}, or raise"
            " its limit by that.",
            text_zh=f"{short.account}{towards_zh} 须收款 {short.missing} {short.asset}，"
            "或相应提高限额。",
            labels=[],
            participants=[],
            shortfall=short,
        )
    return schemas.Remedy(
        act="fund",
        text=f"{short.missing} {short.asset} must come into {short.account}.",
        text_zh=f"{short.account} 须转入 {short.missing} {short.asset}。",
        labels=[],
        participants=[],
        shortfall=short,
    )


def _remedy(
    act: str, text: str, text_zh: str, labels: list[str], participants: list[str] | None = None
) -> schemas.Remedy:
    return schemas.Remedy(
        act=act,
        text=text,
        text_zh=text_zh,
        labels=labels,
        participants=participants or [],
        shortfall=None,
    )
