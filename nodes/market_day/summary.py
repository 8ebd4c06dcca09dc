"""What a market day came to: the figures that people look at when it is over."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ledger.books import cycles as records
from ledger.books.break_life import Break
from ledger.books.intake import CANCELLED, QUEUED, SETTLED, UNAFFIRMED
from ledger.domain.amounts import format_amount, netting_efficiency_bp
from nodes.consortium import Consortium
from nodes.invariants import Violation, violations
from nodes.market_day.day import DayOutcome
from nodes.market_day.opening import Opening
from nodes.market_day.survey import Survey
from nodes.state_hash import state_hash


@dataclass(frozen=True, slots=True)
class DaySummary:
    """The figures of a day. Amounts are decimal text; shares are in hundredths of a percent.

    Attributes:
        was_settled: whether an earlier run had settled the day.
        captured: all captured trades; ``captured_elsewhere`` of them are not from the file.
        repeated: lines that say again what an earlier line said.
        refused_lines: line, subject, reason and detail of the lines that were refused.
        netting_efficiency_bp: one minus net over gross cash value, in basis points.
        finality_ms: milliseconds from strike to final, by percentile, of the cycles that no crash
            cut off; empty when there is none.
    """

    file: dict[str, int]
    participants: int
    instruments: int
    business_date: str
    currency: str
    was_settled: bool
    captured: int
    captured_elsewhere: int
    repeated: int
    refused: int
    refused_lines: list[dict[str, Any]]
    settled_in_cycles: int
    settled_gross: int
    cancelled: int
    unaffirmed: int
    queued: dict[str, int]
    gross_value: str
    net_value: str
    netting_efficiency_bp: int
    cycles: int
    net_lines: int
    blocks: int
    finality_ms: dict[str, int]
    opening_is_derived: bool
    opening_cash: str
    breaks: list[dict[str, Any]]
    violations: list[dict[str, Any]]
    state_hash: str

    @property
    def is_sound(self) -> bool:
        """Whether every invariant holds and everything reconciles."""
        return not self.violations and not self.breaks


def summarise(
    consortium: Consortium, survey: Survey, opening: Opening, outcome: DayOutcome
) -> DaySummary:
    """The figures of the day that a consortium has been through."""
    house, currency = consortium.clearing_house, consortium.network.currencies[0]
    cycles = [row for row in house.cycles.all() if row.state == records.SETTLED]
    gross_value = sum(row.gross_value for row in cycles)
    net_value = sum(row.net_value for row in cycles)
    states = [standing.state for standing in house.intake.exceptions().values()]
    captured, refused = house.intake.stream.end_position, len(outcome.refused)
    return DaySummary(
        file=asdict(survey.counts),
        participants=len({account.partition("/")[0] for account in survey.accounts}),
        instruments=len(survey.symbols),
        business_date=survey.business_date.isoformat(),
        currency=currency,
        was_settled=outcome.was_settled,
        captured=captured,
        captured_elsewhere=captured - outcome.captured,
        repeated=survey.counts.clearable - outcome.captured - refused,
        refused=refused,
        refused_lines=[asdict(refusal) for refusal in outcome.refused],
        settled_in_cycles=sum(row.trade_count for row in cycles),
        settled_gross=states.count(SETTLED),
        cancelled=states.count(CANCELLED),
        unaffirmed=states.count(UNAFFIRMED),
        queued=_queued(consortium),
        gross_value=format_amount(gross_value, currency),
        net_value=format_amount(net_value, currency),
        netting_efficiency_bp=netting_efficiency_bp(gross_value, net_value),
        cycles=len(cycles),
        net_lines=sum(row.securities_lines + row.cash_lines for row in cycles),
        blocks=consortium.engine.final_height(),
        finality_ms=_percentiles([row.finality_ns for row in cycles if row.finality_ns]),
        opening_is_derived=opening.is_derived,
        opening_cash=format_amount(sum(opening.cash.values()), currency),
        breaks=[_break(row) for node in consortium.nodes.values() for row in node.breaks()],
        violations=[_violation(each) for each in violations(consortium)],
        state_hash=state_hash(consortium),
    )


def _queued(consortium: Consortium) -> dict[str, int]:
    """How many trades wait, by reason."""
    waiting: dict[str, int] = {}
    for standing in consortium.clearing_house.intake.exceptions().values():
        if standing.state == QUEUED:
            reason = standing.reason.name if standing.reason else "-"
            waiting[reason] = waiting.get(reason, 0) + 1
    return dict(sorted(waiting.items()))


def _percentiles(nanoseconds: Sequence[int]) -> dict[str, int]:
    if not nanoseconds:
        return {}
    values = np.array(nanoseconds) // 1_000_000
    return {f"p{q}": int(np.percentile(values, q, method="higher")) for q in (50, 99, 100)}


def _break(row: Break) -> dict[str, Any]:
    return {
        "owner": row.owner,
        "kind": row.kind.value,
        "subject": row.subject,
        "ours": row.ours,
        "theirs": row.theirs,
        "first_seen_block": row.first_seen_block,
    }


def _violation(violation: Violation) -> dict[str, Any]:
    return {"invariant": violation.invariant, "detail": violation.detail}
