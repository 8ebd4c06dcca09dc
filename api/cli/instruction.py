"""``novate instruction``: enter instructions into a running ``novate up``, and see them settle."""

from typing import Annotated, Any

import typer
from rich.table import Table

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
    ExpiresOption,
    HoldOption,
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
from api.cli.terminal import EXIT_FAILED, output

instruction_app = typer.Typer(
    help="Enter instructions into a running novate up, and see them settle.", no_args_is_help=True
)

Label = Annotated[str, typer.Argument(help="The instruction's label.")]
ByOption = Annotated[str, typer.Option("--by", help="The side that asks, such as BRK-A.")]


@instruction_app.command()
def enter(
    label: NewLabel,
    kind: Annotated[Kind, typer.Option(help="What it is.")] = Kind.DVP,
    deliverer: AccountOption = None,
    receiver: AccountOption = None,
    instrument: InstrumentOption = None,
    quantity: QuantityOption = None,
    amount: AmountOption = None,
    currency: CurrencyOption = None,
    priority: PriorityOption = Priority.NORMAL,
    hold: HoldOption = False,
    partial: PartialOption = False,
    expires: ExpiresOption = None,
    link: LinkOption = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Enter an instruction for both its sides. The same again changes nothing.

    In a dvp the deliverer sells and the receiver buys; in a pay the receiver pays the deliverer.
    """
    fields = {
        "instrument": instrument,
        "quantity": quantity,
        "amount": amount,
        "currency": currency,
    }
    options: dict[str, Any] = {
        "priority": priority.value,
        "hold": hold,
        "partial": partial,
        "expires": expires,
        "linked_to": link or [],
    }
    body = body_of(kind, label, (deliverer, receiver), fields, options)
    _tell(Client(url).post("instructions", body), as_json=as_json)


@instruction_app.command()
def show(label: Label, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show an instruction: where it stands, why, and what is still open."""
    _tell(Client(url).get(f"instructions/{segment(label)}"), as_json=as_json)


@instruction_app.command("list")
def list_all(
    state: Annotated[str | None, typer.Option(help="Only in this state, such as queued.")] = None,
    participant: Annotated[str | None, typer.Option(help="Only with this side.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only for this reason: MONY.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List instructions by arrival."""
    query = {"state": state, "participant": participant, "reason": reason, "limit": 500}
    table = Table("label", "kind", "state", "reason", "from", "to", "open")
    for page in Client(url).pages("instructions", query):
        for each in page["data"]:
            if as_json:
                print_json(each)
            else:
                why = each["why"]["reason"] if each["why"] else ""
                sides = (each["deliverer"], each["receiver"])
                table.add_row(
                    each["label"], each["kind"], each["state"], why, *sides, _open_of(each)
                )
    if not as_json:
        output().print(table)


@instruction_app.command()
def hold(
    label: Label, by: ByOption, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Put an instruction on hold for one side."""
    _say(url, label, "hold", {"by": by}, as_json=as_json)


@instruction_app.command()
def release(
    label: Label, by: ByOption, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Take the hold of one side away."""
    _say(url, label, "release", {"by": by}, as_json=as_json)


@instruction_app.command()
def cancel(
    label: Label, by: ByOption, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Ask for cancellation: of a dvp both sides, else the debtor alone."""
    _say(url, label, "cancel", {"by": by}, as_json=as_json)


@instruction_app.command()
def prioritise(
    label: Label,
    priority: Annotated[Priority, typer.Argument(help="Who goes first in a queue.")],
    by: ByOption,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Give an instruction another priority."""
    _say(url, label, "prioritise", {"by": by, "priority": priority.value}, as_json=as_json)


@instruction_app.command()
def settle(
    label: Label, by: ByOption, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Try an instruction now. Ends with status 1 when it has not settled."""
    answer = _say(url, label, "settle", {"by": by}, as_json=as_json)
    if answer["state"] != "settled":
        raise typer.Exit(EXIT_FAILED)


def _say(url: str, label: str, verb: str, body: dict[str, str], *, as_json: bool) -> Answer:
    answer = Client(url).post(f"instructions/{segment(label)}/{verb}", body)
    _tell(answer, as_json=as_json)
    return answer


def _tell(each: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(each)
        return
    lines = [
        f"{each['label']}  {each['kind']}  {each['state']}",
        f"  from      {each['deliverer']}",
        f"  to        {each['receiver']}",
        f"  terms     {_legs(each, 'quantity', 'amount')}",
    ]
    if each["parts"]:
        settled = _legs(each, "settled_quantity", "settled_amount")
        lines.append(f"  settled   {settled}, final in block {each['final_block']}")
    if each["state"] in ("queued", "held", "partially_settled"):
        lines.append(f"  open      {_open_of(each)}, priority {each['priority']}")
    if each["why"]:
        why = each["why"]
        lines.append(f"  reason    {why['reason']} ({why['code']}): {why['cause']}")
        lines.append(f"            {why['remedy']}")
    for name, words in (("held_by", "held by"), ("cancelled_by", "out for"), ("linked_to", "link")):
        if each[name]:
            lines.append(f"  {words:<9} {', '.join(each[name])}")
    output().print("\n".join(lines), markup=False)


def _open_of(each: Answer) -> str:
    return _legs(each, "open_quantity", "open_amount")


def _legs(each: Answer, quantity: str, amount: str) -> str:
    """What goes from the deliverer, and what comes back."""
    securities = f"{each[quantity]} {each['symbol']}" if each[quantity] else ""
    cash = f"{each[amount]} {each['currency']}" if each[amount] else ""
    return " against ".join(filter(None, (securities, cash)))
