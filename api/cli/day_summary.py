"""How the summary of a market day looks on a terminal."""

import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from api.cli.engines import EMBEDDED
from api.cli.terminal import counted, output
from ledger.domain.amounts import format_basis_points, grouped
from nodes.endpoint import shown
from nodes.market_day.summary import DaySummary

Rows = list[tuple[str, str]]
LINES_SHOWN: Final = 20


def show_day(summary: DaySummary, state: Path, engine: str = EMBEDDED) -> None:
    """Prints the figures, then whatever does not hold, then where to look next."""
    console = output()
    console.print(f"[bold]Market day {summary.business_date}[/bold]")
    if summary.was_settled:
        console.print("Already settled by an earlier run: nothing was left to do.")
    for title, rows in (
        ("Trades", _trades(summary)),
        ("Settlement", _settlement(summary)),
        ("Soundness", _soundness(summary)),
    ):
        _print_section(console, title, rows)
    for refusal in summary.refused_lines[:LINES_SHOWN]:
        console.print(
            f"refused line {refusal['line']}, {refusal['subject']}: {refusal['reason']},"
            f" {refusal['detail']}",
            markup=False,
        )
    if len(summary.refused_lines) > LINES_SHOWN:
        console.print(f"and {summary.refused - LINES_SHOWN:,} more: --json lists all of them")
    for each in summary.violations:
        console.print(f"invariant {each['invariant']} violated: {each['detail']}", markup=False)
    for each in summary.breaks:
        console.print(
            f"break  {each['kind']}, owner {each['owner']}, {each['subject']}", markup=False
        )
        console.print(f"       ours: {each['ours']}; theirs: {each['theirs']}", markup=False)
    command = f"{Path(sys.argv[0])} up --folder {state}"
    if engine != EMBEDDED:
        command += f" --engine {shown(engine)}"
    console.print(f"\nOn screen: {command}, then open http://127.0.0.1:8000/", markup=False)


def _print_section(console: Console, title: str, rows: Rows) -> None:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold cyan", box=None)
    table.add_column(min_width=24)
    table.add_column(overflow="fold")
    table.show_header = False
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)


def _trades(summary: DaySummary) -> Rows:
    counts = summary.file
    left_out = f"{counts['without_participant']:,} without a participant"
    if counts["without_price"]:
        left_out += f", {counts['without_price']:,} without a price"
    return [
        (
            "lines in the file",
            f"{counts['lines']:,}, {counts['after_market']:,} of them after-market",
        ),
        ("not clearable", left_out),
        ("captured", _captured(summary)),
        ("repeated, refused", f"{summary.repeated:,}, {summary.refused:,}"),
        ("same on both sides", f"{counts['same_participant']:,}"),
        ("participants", f"{summary.participants}"),
        ("instruments", f"{summary.instruments}"),
    ]


def _captured(summary: DaySummary) -> str:
    elsewhere = summary.captured_elsewhere
    return f"{summary.captured:,}" + (f", {elsewhere:,} of them over REST" if elsewhere else "")


def _settlement(summary: DaySummary) -> Rows:
    currency, points = summary.currency, summary.netting_efficiency_bp
    derived = "derived so that the day can settle" if summary.opening_is_derived else "from a file"
    lines = counted(summary.net_lines, "net line")
    waiting = ", ".join(f"{count:,} for {reason}" for reason, count in summary.queued.items())
    return [
        ("opening positions", f"{derived}; cash {currency} {grouped(summary.opening_cash)}"),
        ("settled in cycles", counted(summary.settled_in_cycles, "trade")),
        ("settled gross", counted(summary.settled_gross, "trade")),
        ("cancelled", f"{summary.cancelled:,} trades and cancellations"),
        ("waiting", waiting or "none"),
        ("not affirmed", f"{summary.unaffirmed:,}"),
        ("gross value of cycles", f"{currency} {grouped(summary.gross_value)}"),
        ("net value of cycles", f"{currency} {grouped(summary.net_value)}"),
        ("netting efficiency", format_basis_points(points) if summary.gross_value else "-"),
        ("cycles", f"{summary.cycles:,} in {counted(summary.blocks, 'block')}, {lines}"),
        ("strike to finality", _finality(summary.finality_ms)),
    ]


def _soundness(summary: DaySummary) -> Rows:
    return [
        ("breaks", f"{len(summary.breaks)}"),
        ("invariants", "all hold" if not summary.violations else "VIOLATED"),
        ("state hash", summary.state_hash),
    ]


def _finality(milliseconds: dict[str, int]) -> str:
    if not milliseconds:
        return "not measured"
    return f"p50 {milliseconds['p50']} ms, p99 {milliseconds['p99']} ms a cycle"
