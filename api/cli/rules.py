"""``novate rules``: the rulebook, with defaults, bounds and sources."""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Annotated

import typer
from rich.table import Table

from api.cli.markdown import table_of
from api.cli.terminal import bad_input, output
from ledger.domain.amounts import AMOUNT_MAX, format_amount, grouped
from ledger.domain.rulebook import RULEBOOK, RULEBOOK_VERSION, Rule
from ledger.domain.rules import Rules, expected_of
from ledger.domain.tolerances import Tolerance

_DEFAULTS = Rules()


def rules(
    chinese: Annotated[bool, typer.Option("--zh", help="In Chinese.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in both languages.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As docs/rules.md.")] = False,
) -> None:
    """List the rules of clearing and settlement: what each is for, may be, and comes from."""
    if chinese + as_json + markdown > 1:
        bad_input("give one of --zh, --json and --markdown, or none")
    if as_json:
        typer.echo(json.dumps(rules_as_data(), ensure_ascii=False, indent=2))
    elif markdown:
        typer.echo(rules_page(), nl=False)
    else:
        _print(chinese=chinese)


def rules_as_data() -> list[dict[str, object]]:
    """The rulebook as plain data."""
    return [
        {
            "name": rule.name,
            "scenario": rule.scenario or None,
            "unit": rule.unit or None,
            "default": _plain(getattr(_DEFAULTS, rule.name)),
            "expected": expected_of(rule.name),
            "bounds": rule.bounds,
            "binds": rule.binds.value,
            "since": rule.since,
            "source": rule.source,
            "text": rule.text,
            "text_zh": rule.text_zh,
        }
        for rule in RULEBOOK
    ]


def rules_page() -> str:
    """The page docs/rules.md."""
    columns = ("rule", "default", "may be", "unit", "binds", "since", "meaning", "source")
    rows = map(_cells, RULEBOOK)
    chinese = ((f"`{rule.name}`", rule.text_zh) for rule in RULEBOOK)
    return _PAGE.format(
        version=RULEBOOK_VERSION,
        rules=table_of(columns, rows),
        tolerances=table_of(("currency", "from", "amounts", "tolerance"), _tolerances()),
        scenario=table_of(("in a scenario", "rule"), _scenario_names()),
        chinese=table_of(("规则", "含义"), chinese),
    )


_PAGE = """# Rules

Everything that clearing and settlement may do in one way or another is a rule: one typed field of
`Rules`, described here. The page is written by `novate rules --markdown`; `novate rules` shows
them on the screen, `--zh` in Chinese, `--json` as data. A value out of its bounds is refused with
what was expected.

Rulebook version {version}. The chain is founded with it; every cycle and every instruction carries
the version that it runs under in what is signed, and the settlement contract refuses any other.

{rules}
"ours": no public rule was followed.

## Matching tolerances

{tolerances}
The band and the amount settled are those of the deliverer's side. A currency that is not listed has
no tolerance.

## Names in scenarios

{scenario}
## 中文

{chinese}"""


def _print(*, chinese: bool) -> None:
    table = Table("rule", "default", "may be", "binds", "meaning")
    for rule in RULEBOOK:
        may_be = f"{expected_of(rule.name)} {rule.unit}".strip()
        text = rule.text_zh if chinese else rule.text
        table.add_row(rule.name, _default(rule), may_be, rule.binds.value, text)
    console = output()
    console.print(table)
    console.print(f"rulebook version {RULEBOOK_VERSION}")


def _cells(rule: Rule) -> tuple[str, ...]:
    return (
        f"`{rule.name}`",
        _default(rule),
        expected_of(rule.name),
        rule.unit,
        rule.binds.value,
        str(rule.since),
        rule.text,
        rule.source,
    )


def _default(rule: Rule) -> str:
    value = getattr(_DEFAULTS, rule.name)
    if isinstance(value, tuple):
        return "see below" if value else "none"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.value) if isinstance(value, Enum) else f"{value:,}"


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain_tolerance(line) for line in value]
    return value


def _plain_tolerance(line: Tolerance) -> dict[str, object]:
    return {
        "currency": line.currency,
        "valid_from": line.valid_from.isoformat(),
        "up_to": line.up_to,
        "tolerance": line.tolerance,
    }


def _tolerances() -> Iterator[tuple[str, ...]]:
    for line in _DEFAULTS.matching_tolerances:
        limit = grouped(format_amount(line.up_to, line.currency))
        amounts = "above" if line.up_to == AMOUNT_MAX else f"up to and including {limit}"
        tolerance = format_amount(line.tolerance, line.currency)
        yield line.currency, line.valid_from.isoformat(), amounts, tolerance


def _scenario_names() -> Iterator[tuple[str, str]]:
    names = dict.fromkeys(rule.scenario for rule in RULEBOOK if rule.scenario)
    for name in names:
        yield f"`{name}`", ", ".join(f"`{r.name}`" for r in RULEBOOK if r.scenario == name)
