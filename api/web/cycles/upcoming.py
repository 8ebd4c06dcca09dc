"""The next cycle: what waits to be netted, what would come of it, and the one under way."""

from dataclasses import dataclass
from typing import Final

from api.policies import roles_for
from api.web.charts import share
from api.web.cycles.listed import ratio
from api.web.cycles.parties import Parties, asked_parties
from api.web.cycles.timeline import Timeline, watched_timeline
from ledger.domain.amounts import (
    format_amount,
    format_basis_points,
    grouped,
    netting_efficiency_bp,
)
from ledger.domain.key_holders import KeyHolder
from nodes.clearing_house.cycle_watch import WatchedCycle
from nodes.network import Network
from nodes.sandbox.sandbox import Sandbox

PREVIEWED_MAX: Final = 10_000
"""Trades of which a page says what would come of them; a cycle of more is struck, not previewed."""
STRIKE: Final = "POST /cycles/open"
PREVIEW: Final = "POST /v1/dry-run/cycle"


@dataclass(frozen=True, slots=True)
class Preview:
    """The cycle as it would come out if it were struck now and everybody signed."""

    trades: int
    leaving: int
    parties: int
    lines: int
    trades_a_line: str
    currency: str
    gross_value: str
    net_value: str
    net_percent: int
    efficiency: str
    reasons: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A cycle on its way."""

    number: int
    trades: int
    attempts: int
    timeline: Timeline
    parties: Parties


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What waits. ``preview`` None: nothing waits, too much does, or it is not for the holder."""

    number: int
    as_of_block: int
    waiting: int
    percent_full: int
    trades_max: int
    every_seconds: float
    preview: Preview | None
    may_strike: bool


def upcoming(sandbox: Sandbox, holder: KeyHolder) -> Upcoming:
    """The next cycle as it stands; the caller holds the market's lock."""
    house = sandbox.consortium.clearing_house
    waiting, most = house.net.waiting(), sandbox.consortium.rules.cycle_trades_max
    may_see = holder.role in roles_for(PREVIEW)
    return Upcoming(
        number=house.cycles.next_number(),
        as_of_block=house.projection.height,
        waiting=waiting,
        percent_full=share(waiting, most),
        trades_max=most,
        every_seconds=sandbox.cycle_seconds,
        preview=_preview(sandbox) if may_see and 0 < waiting <= PREVIEWED_MAX else None,
        may_strike=holder.role in roles_for(STRIKE),
    )


def under_way(network: Network, holder: KeyHolder, watched: WatchedCycle) -> UnderWay:
    """A cycle that is being settled. Needs no lock: who holds that is settling it."""
    return UnderWay(
        number=watched.number,
        trades=watched.trades,
        attempts=watched.attempts,
        timeline=watched_timeline(watched),
        parties=asked_parties(network, holder, watched),
    )


def _preview(sandbox: Sandbox) -> Preview | None:
    cut = sandbox.consortium.clearing_house.net.dry_run()
    if cut is None:
        return None
    currency = sandbox.consortium.network.currencies[0]
    debits = cut.cash.amounts[cut.cash.amounts < 0]
    gross, net = int(cut.trades.amounts.sum()), -int(debits.sum())
    lines = len(cut.securities) + len(cut.cash)
    reasons = [reason.name for reason in cut.leavers.values()]
    return Preview(
        trades=len(cut.trades),
        leaving=len(reasons),
        parties=len(cut.parties),
        lines=lines,
        trades_a_line=ratio(len(cut.trades), lines),
        currency=currency,
        gross_value=grouped(format_amount(gross, currency)),
        net_value=grouped(format_amount(net, currency)),
        net_percent=share(net, gross),
        efficiency=format_basis_points(netting_efficiency_bp(gross, net)),
        reasons=[(name, reasons.count(name)) for name in dict.fromkeys(reasons)],
    )
