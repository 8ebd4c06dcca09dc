"""``novate dry-run``: would it settle now, and if not, why, and what would make it?"""

from typing import Annotated, Any

import typer

from api.cli.http_client import (
    DEFAULT_URL,
    Answer,
    Client,
    JsonOption,
    UrlOption,
    print_json,
    segment,
)
from api.cli.new_instruction import (
    AccountOption,
    AmountOption,
    CurrencyOption,
    InstrumentOption,
    Kind,
    LinkOption,
    NewLabel,
    PartialOption,
    Priority,
    PriorityOption,
    QuantityOption,
    body_of,
)
from api.cli.terminal import EXIT_FAILED, counted, output

dry_run_app = typer.Typer(
    help="Would it settle now, and if not, why? Changes nothing; status 1 when it would not.",
    no_args_is_help=True,
)


@dry_run_app.command()
def instruction(
    label: Annotated[str, typer.Argument(help="The label of one that was entered.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Of one instruction that is there, with those linked to it."""
    _tell(Client(url).get(f"instructions/{segment(label)}/dry-run"), as_json=as_json)


@dry_run_app.command("set")
def set_of(
    labels: Annotated[list[str], typer.Argument(help="Labels of instructions that are there.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Of several instructions together: all of them, or none."""
    _tell(Client(url).post("dry-run/instructions", {"labels": labels}), as_json=as_json)


@dry_run_app.command()
def new(
    label: NewLabel,
    kind: Annotated[Kind, typer.Option(help="What it is.")] = Kind.DVP,
    deliverer: AccountOption = None,
    receiver: AccountOption = None,
    instrument: InstrumentOption = None,
    quantity: QuantityOption = None,
    amount: AmountOption = None,
    currency: CurrencyOption = None,
    priority: PriorityOption = Priority.NORMAL,
    partial: PartialOption = False,
    link: LinkOption = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Of one that has not been entered, as if it came in now."""
    fields = {
        "instrument": instrument,
        "quantity": quantity,
        "amount": amount,
        "currency": currency,
    }
    options: dict[str, Any] = {
        "priority": priority.value,
        "partial": partial,
        "linked_to": link or [],
    }
    body = body_of(kind, label, (deliverer, receiver), fields, options)
    _tell(Client(url).post("dry-run/instructions", {"instructions": [body]}), as_json=as_json)


@dry_run_app.command()
def cycle(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Of the cycle that would be struck now: which trades would leave it, and its net lines."""
    answer = Client(url).post("dry-run/cycle")
    if as_json:
        print_json(answer)
    else:
        _show_cycle(answer)
    if answer["leaving"]:
        raise typer.Exit(EXIT_FAILED)


def _tell(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        _show(answer)
    if not answer["settles"]:
        raise typer.Exit(EXIT_FAILED)


def _show(answer: Answer) -> None:
    names = ", ".join(answer["together"])
    if answer["settles"]:
        lines = [f"{names} would settle now."]
    else:
        why = answer["why"]
        lines = [f"{names} would not settle now: {why['reason']} ({why['code']}). {why['cause']}"]
        lines += [f"  {remedy['text']}" for remedy in answer["remedies"]]
    if answer["part"]:
        part = answer["part"]
        lines.append(f"  A part of {part['quantity']} for {part['amount']} would settle.")
    if answer["ahead"] and not answer["must_wait"]:
        others = ", ".join(answer["ahead"])
        lines.append(f"  Before it in a queue, and perhaps quicker: {others}")
    output().print("\n".join(lines), markup=False)


def _show_cycle(answer: Answer) -> None:
    lines = counted(answer["lines_total"], "net line")
    console = output()
    console.print(
        f"{counted(answer['trades'], 'trade')} waiting; {answer['settling']:,} would settle in"
        f" {lines} of {len(answer['parties'])} parties"
    )
    for each in answer["leavers"]:
        why = each["why"]
        console.print(f"  {each['id']} would leave: {why['reason']}. {why['cause']}", markup=False)
    for each in answer["lines"]:
        console.print(f"  {each['account']:<16} {each['amount']:>20} {each['asset']}", markup=False)
