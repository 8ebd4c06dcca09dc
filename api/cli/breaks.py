"""``novate breaks``: differences between records at a running ``novate up``, and work on them."""

from typing import Annotated

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
from api.cli.terminal import output

breaks_app = typer.Typer(
    help="See differences between records, and work on them.", no_args_is_help=True
)

Owner = Annotated[str, typer.Argument(help="Whose records found it, such as BRK-A.")]
BreakId = Annotated[str, typer.Argument(help="Its id, as novate breaks list shows it.")]
By = Annotated[str, typer.Option("--by", help="Who does this.")]
_OPERATOR = "operator"


@breaks_app.command("list")
def list_all(
    owner: Annotated[str | None, typer.Option(help="Only this participant's.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind: quantity.")] = None,
    state: Annotated[
        str, typer.Option(help="In this state: open, resolved, closed; all for every one.")
    ] = "open",
    bucket: Annotated[
        str | None, typer.Option(help="Only so many business days old: 0, 1, 2-5, 6-10 or >10.")
    ] = None,
    assignee: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only if it is about what has this.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List breaks, oldest first; those that are open unless another state is named."""
    query: dict[str, str | int | None] = {
        "owner": owner,
        "kind": kind,
        "state": None if state == "all" else state,
        "bucket": bucket,
        "assignee": assignee,
        "subject": subject,
        "limit": 500,
    }
    table = Table(
        "owner", "id", "kind", "about", "ours", "theirs", "at risk", "age", "assignee", "state"
    )
    away: list[str] = []
    for page in Client(url).pages("breaks", query):
        away = page["away"]
        for each in page["data"]:
            if as_json:
                print_json(each)
                continue
            versions = (each["subject"], each["ours"], each["theirs"], _at_risk(each))
            person = each["assignee"] or ""
            table.add_row(
                each["owner"],
                each["id"],
                each["kind"],
                *versions,
                str(each["age"]),
                person,
                each["state"],
            )
    if not as_json:
        output().print(table)
        if away:
            output().print(f"not known now, since their nodes are away: {', '.join(away)}")


@breaks_app.command()
def show(
    owner: Owner, break_id: BreakId, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Show a break: both versions, the likely cause, what would close it, and its history."""
    _tell(Client(url).get(_path(owner, break_id)), as_json=as_json)


@breaks_app.command()
def assign(
    owner: Owner,
    break_id: BreakId,
    to: Annotated[str, typer.Argument(help="Who looks after it from now on; empty: nobody.")],
    by: By = _OPERATOR,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Have somebody look after a break."""
    path = f"{_path(owner, break_id)}/assign"
    _tell(Client(url).post(path, {"to": to, "by": by}), as_json=as_json)


@breaks_app.command()
def comment(
    owner: Owner,
    break_id: BreakId,
    text: Annotated[str, typer.Argument(help="What is to be remembered about it.")],
    by: By = _OPERATOR,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Add a comment to the history of a break."""
    path = f"{_path(owner, break_id)}/comment"
    _tell(Client(url).post(path, {"text": text, "by": by}), as_json=as_json)


@breaks_app.command()
def resolve(
    owner: Owner,
    break_id: BreakId,
    reason: Annotated[str, typer.Argument(help="Why it is dealt with.")],
    by: By = _OPERATOR,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Note that a break is dealt with; it closes by itself once the difference has gone."""
    path = f"{_path(owner, break_id)}/resolve"
    _tell(Client(url).post(path, {"reason": reason, "by": by}), as_json=as_json)


@breaks_app.command()
def reopen(
    owner: Owner,
    break_id: BreakId,
    by: By = _OPERATOR,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Take the resolution of a break back."""
    _tell(Client(url).post(f"{_path(owner, break_id)}/reopen", {"by": by}), as_json=as_json)


def _tell(each: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(each)
        return
    lines = [
        f"{each['owner']} {each['id']}  {each['kind_text']}, {each['state']}",
        f"  about     {each['subject']}",
        f"  ours      {each['ours']}",
        f"  theirs    {each['theirs']}",
        f"  at risk   {_at_risk(each)}",
        f"  age       {each['age']} business days, since block {each['first_seen_block']}",
        f"  assignee  {each['assignee'] or 'nobody'}",
        f"  cause     {each['cause']['text']}",
        *(f"  to do     {action['text']}" for action in each["actions"]),
    ]
    for event in each["history"]:
        by = f" by {event['actor']}" if event["actor"] else ""
        text = f": {event['text']}" if event["text"] else ""
        lines.append(f"  {event['at']}  block {event['block']}  {event['act']}{by}{text}")
    output().print("\n".join(lines), markup=False)


def _at_risk(each: Answer) -> str:
    return f"{each['at_risk']} {each['currency']}" if each["currency"] else "not valued"


def _path(owner: str, break_id: str) -> str:
    return f"breaks/{segment(owner)}/{segment(break_id)}"
