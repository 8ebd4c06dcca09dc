"""``novate side``: two-sided entry at a running ``novate up``, each participant for itself."""

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
    AmountOption,
    CurrencyOption,
    InstrumentOption,
    Kind,
    LinkOption,
    Priority,
    PriorityOption,
    QuantityOption,
)
from api.cli.new_side import (
    CommonReferenceOption,
    CounterpartyAccountOption,
    CounterpartyOption,
    EntitlementOption,
    NewReference,
    OptsOutOption,
    OwnAccountOption,
    SettlementDateOption,
    SideExpiresOption,
    SideHoldOption,
    SideOption,
    SidePartialOption,
    amended_body,
    side_body,
)
from api.cli.terminal import counted, output

side_app = typer.Typer(
    help="Enter one's own side of an instruction, and see it match.", no_args_is_help=True
)

Participant = Annotated[str, typer.Argument(help="Who has entered it, such as BRK-A.")]
Reference = Annotated[str, typer.Argument(help="Its own name of the side.")]


@side_app.command()
def enter(
    reference: NewReference,
    kind: Annotated[Kind, typer.Option(help="What it is.")] = Kind.DVP,
    side: SideOption = None,
    account: OwnAccountOption = None,
    counterparty: CounterpartyOption = None,
    counterparty_account: CounterpartyAccountOption = None,
    instrument: InstrumentOption = None,
    quantity: QuantityOption = None,
    amount: AmountOption = None,
    currency: CurrencyOption = None,
    settlement_date: SettlementDateOption = None,
    common_reference: CommonReferenceOption = None,
    entitlement: EntitlementOption = None,
    opts_out: OptsOutOption = None,
    priority: PriorityOption = Priority.NORMAL,
    hold: SideHoldOption = False,
    partial: SidePartialOption = False,
    expires: SideExpiresOption = None,
    link: LinkOption = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Enter a side. The same again changes nothing."""
    fields = {
        "side": side,
        "account": account,
        "counterparty": counterparty,
        "counterparty_account": counterparty_account,
        "instrument": instrument,
        "quantity": quantity,
        "amount": amount,
        "currency": currency,
        "settlement_date": settlement_date,
        "common_reference": common_reference,
        "entitlement": entitlement.value if entitlement else None,
        "opts_out": opts_out,
    }
    wishes: dict[str, Any] = {
        "priority": priority.value,
        "hold": hold,
        "partial": partial,
        "expires": expires,
        "linked_to": link or [],
    }
    body = side_body(kind, reference, fields, wishes)
    _tell(Client(url).post("sides", body), as_json=as_json)


@side_app.command()
def show(
    participant: Participant,
    reference: Reference,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show a side: its instruction once it has matched; before, what is nearest and differs."""
    _tell(Client(url).get(_path(participant, reference)), as_json=as_json)


@side_app.command("list")
def list_all(
    participant: Annotated[str | None, typer.Option(help="Only what it has entered.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state: unmatched.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List sides in the order in which they came in."""
    query = {"participant": participant, "state": state, "limit": 500}
    table = Table("participant", "reference", "side", "terms", "counterparty", "state", "matched")
    for page in Client(url).pages("sides", query):
        for each in page["data"]:
            if as_json:
                print_json(each)
                continue
            words = (each["side"], _terms(each), each["counterparty"], each["state"])
            matched = each["instruction"] or ""
            table.add_row(each["participant"], each["reference"], *words, matched)
    if not as_json:
        output().print(table)


@side_app.command()
def withdraw(
    participant: Participant,
    reference: Reference,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Take a side back; once it has matched, ask for cancellation."""
    _tell(Client(url).post(f"{_path(participant, reference)}/withdraw"), as_json=as_json)


@side_app.command()
def amend(
    participant: Participant,
    reference: Reference,
    replacement: Annotated[str, typer.Argument(help="The reference of the new side.")],
    quantity: QuantityOption = None,
    amount: AmountOption = None,
    settlement_date: SettlementDateOption = None,
    account: OwnAccountOption = None,
    counterparty_account: CounterpartyAccountOption = None,
    common_reference: CommonReferenceOption = None,
    expires: SideExpiresOption = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Take a side back and enter another, which differs from it in what is named."""
    client, path = Client(url), _path(participant, reference)
    changes = {
        "quantity": quantity,
        "amount": amount,
        "settlement_date": settlement_date,
        "account": account,
        "counterparty_account": counterparty_account,
        "common_reference": common_reference,
        "expires": expires,
    }
    body = amended_body(client.get(path), replacement, changes)
    _tell(client.post(f"{path}/amend", {"replacement": body}), as_json=as_json)


@side_app.command()
def allegements(
    participant: Participant, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Show what others have entered that lacks a participant's own side."""
    answer = Client(url).get("allegements", {"participant": participant})
    if as_json:
        print_json(answer)
        return
    console = output()
    for each in answer["data"]:
        console.print("\n".join([_head(each), *_nearest_of(each)]), markup=False)
    console.print(f"{counted(answer['total'], 'side')} alleged to {participant}", markup=False)


def _tell(each: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(each)
        return
    lines = [f"{_head(each)}  {each['state']}"]
    if each["instruction"]:
        lines.append(f"  matched   {each['instruction']}")
    if each["why"]:
        why = each["why"]
        lines.append(f"  reason    {why['reason']} ({why['code']}): {why['cause']}")
        lines.append(f"            {why['remedy']}")
    output().print("\n".join([*lines, *_nearest_of(each)]), markup=False)


def _head(each: Answer) -> str:
    name = f"{each['participant']} {each['reference']}"
    return f"{name}  {each['side']}, with {each['counterparty']}  {_terms(each)}"


def _nearest_of(each: Answer) -> list[str]:
    nearest = each["nearest"]
    if nearest is None:
        return []
    lines = [f"  nearest   {nearest['participant']} {nearest['reference']} differs in"]
    for one in nearest["differing"]:
        yours, theirs = (one[name] or "nothing" for name in ("yours", "theirs"))
        lines.append(f"            {one['field']}: yours {yours}, theirs {theirs}")
    return lines


def _terms(each: Answer) -> str:
    securities = f"{each['quantity']} {each['symbol']}" if each["quantity"] else ""
    cash = f"{each['amount']} {each['currency']}" if each["amount"] else ""
    return f"{' against '.join(filter(None, (securities, cash)))} on {each['settlement_date']}"


def _path(participant: str, reference: str) -> str:
    return f"sides/{segment(participant)}/{segment(reference)}"
