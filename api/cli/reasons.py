"""``novate reasons``: the numbered reasons, and the states of instructions they are met in."""

import json
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from api.cli.markdown import table_of
from api.cli.terminal import bad_input, output
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.domain.states import (
    REFUSED_AT_ENTRY,
    REFUSED_AT_THE_END,
    WAITING,
    meaning_of,
    moves,
)


def reasons(
    chinese: Annotated[bool, typer.Option("--zh", help="In Chinese.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in both languages.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As docs/instructions.md.")] = False,
) -> None:
    """List why something may be refused or wait, and the states that an instruction goes through.

    Reasons stand in order of precedence.
    """
    if chinese + as_json + markdown > 1:
        bad_input("give one of --zh, --json and --markdown, or none")
    if as_json:
        typer.echo(json.dumps(as_data(), ensure_ascii=False, indent=2))
    elif markdown:
        typer.echo(instructions_page(), nl=False)
    else:
        _print(chinese=chinese)


def as_data() -> dict[str, object]:
    """Reasons and states as plain data."""
    return {
        "reasons": [
            {
                "number": reason.value,
                "name": reason.name,
                "cause": reason.explanation.cause,
                "remedy": reason.explanation.remedy,
                "cause_zh": reason.explanation.cause_zh,
                "remedy_zh": reason.explanation.remedy_zh,
                "states": [s.value for s in State if reason in meaning_of(s).reasons],
            }
            for reason in Reason
        ],
        "states": [
            {
                "state": state.value,
                "name_zh": meaning_of(state).name_zh,
                "text": meaning_of(state).text,
                "text_zh": meaning_of(state).text_zh,
                "iso_status": meaning_of(state).iso_status,
                "becomes": [new.value for new in _next(state)],
                "reasons": [reason.name for reason in meaning_of(state).reasons],
            }
            for state in State
        ],
    }


def instructions_page() -> str:
    """The page docs/instructions.md."""
    met = {state: meaning_of(state).reasons for state in State}
    return _PAGE.format(
        moves="".join(f"    {old.value} --> {new.value}\n" for old, new in moves()),
        ends="".join(f"    {state.value} --> [*]\n" for state in State if not _next(state)),
        states=table_of(
            ("state", "中文", "meaning", "ISO 20022", "becomes", "reasons"),
            (
                (
                    f"`{state.value}`",
                    meaning_of(state).name_zh,
                    meaning_of(state).text,
                    meaning_of(state).iso_status,
                    _states(_next(state)) or "-",
                    "those of waiting" if met[state] == WAITING else _names(met[state]) or "-",
                )
                for state in State
            ),
        ),
        waiting=_names(WAITING),
        at_entry=_names(REFUSED_AT_ENTRY),
        at_the_end=_names(REFUSED_AT_THE_END),
        chinese=table_of(
            ("状态", "名称", "含义"),
            ((f"`{s.value}`", meaning_of(s).name_zh, meaning_of(s).text_zh) for s in State),
        ),
    )


_PAGE = """# Instructions and their states

An instruction is one obligation of two accounts: a quantity of an instrument against an amount of
money, or one of them alone. It is in one state at a time. This page is written by
`novate reasons --markdown`; `novate reasons` explains every reason, with its number and what to do.

```mermaid
stateDiagram-v2
    [*] --> unmatched: one side enters it
    [*] --> queued: locked in, or matched
    [*] --> held: comes in on hold
{moves}{ends}```

{states}
Reasons of waiting, by precedence: {waiting}.
Not taken in at all: {at_entry}. A change of what has ended: {at_the_end}.

`settled`, `cancelled` and `failed` are ends: nothing leaves them. What settled by mistake is
corrected by a new, opposite instruction. An instruction settles while the business time is at or
before its expiry, and fails with `LATE` afterwards.

Under `fifo` an earlier instruction of the same debtor in the same asset goes first, within a
priority: also one that waits because a side of it is suspended or silent. One on hold, or waiting
for a link, is in nobody's way. Linked ones settle together or not at all; a link binds the other
only if that names it too, or both share a side.

## Two sides that match

Trades of the exchange come locked in. Anything else is entered by both sides, each through its
own node, under a reference of its own; the same again is answered the same, other content under the
same reference is refused (`DUPLICATE`).

| fields | agree when |
|---|---|
| kind, instrument, quantity, currency, deliverer, receiver, settlement date | equal on both sides |
| amount | within the [tolerance](rules.md#matching-tolerances); the deliverer's is settled |
| cum or ex, opt-out | equal, or blank on both sides |
| accounts, common reference | equal, or named by one side only |

Of several candidates the one with the same amount matches first, then the smallest difference, then
the earliest. An unmatched side is alleged to the other and is withdrawn by its own side alone; once
matched, both have to ask. It waits from day to day until it matches, is withdrawn or expires. An
amendment is a cancellation and a new entry.

## 中文

{chinese}"""


def _print(*, chinese: bool) -> None:
    table = Table("number", "reason", "cause", "what to do")
    for reason in Reason:
        each = reason.explanation
        words = (each.cause_zh, each.remedy_zh) if chinese else (each.cause, each.remedy)
        table.add_row(str(reason.value), reason.name, *words)
    console = output()
    console.print(table)
    states = Table("state", "meaning", "becomes", "reasons met in it")
    for state in State:
        meaning = meaning_of(state)
        name = f"{state.value} {meaning.name_zh}" if chinese else state.value
        text = meaning.text_zh if chinese else meaning.text
        states.add_row(name, text, _plain(_next(state)), ", ".join(r.name for r in meaning.reasons))
    console.print(states)


def _next(state: State) -> list[State]:
    return [new for old, new in moves() if old is state]


def _plain(states: Iterable[State]) -> str:
    return ", ".join(state.value for state in states)


def _states(states: Iterable[State]) -> str:
    return ", ".join(f"`{state.value}`" for state in states)


def _names(reasons: Iterable[Reason]) -> str:
    return ", ".join(f"`{reason.name}`" for reason in reasons)
