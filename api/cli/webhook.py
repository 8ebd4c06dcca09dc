"""``novate webhook``: where a running ``novate up`` sends its events."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from api.cli.http_client import (
    DEFAULT_URL,
    Answer,
    Client,
    JsonOption,
    UrlOption,
    print_json,
    segment,
)
from api.cli.terminal import bad_input, counted, output

webhook_app = typer.Typer(help="Have events sent to addresses.", no_args_is_help=True)

ANSWER_SHOWN_MAX = 80
IdArgument = Annotated[str, typer.Argument(help="The endpoint, such as whe-5f0c2a9d41b7.")]


@webhook_app.command()
def add(
    target: Annotated[str, typer.Argument(help="http or https; never a private address.")],
    type: Annotated[
        list[str] | None, typer.Option("--type", help="Such as trade.*; several times for more.")
    ] = None,
    participant: Annotated[str | None, typer.Option(help="Only what concerns it.")] = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Have events sent to an address from now on; shows the secret of the signatures once."""
    body: dict[str, Any] = {"url": target, "types": type or [], "description": description}
    if participant:
        body["participant"] = participant
    endpoint = Client(url).post("webhook-endpoints", body)
    if as_json:
        print_json(endpoint)
        return
    output().print(f"{endpoint['id']} is sent events from now on", markup=False)
    output().print(f"secret  {endpoint['secret']}  (shown this once)", markup=False)


@webhook_app.command("list")
def list_all(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List endpoints."""
    answer = Client(url).get("webhook-endpoints")
    if as_json:
        print_json(answer)
        return
    table = Table("endpoint", "url", "types", "state", "up to", "failed")
    for each in answer["data"]:
        types = ", ".join(each["types"]) or "all"
        words = (each["id"], each["url"], types, each["state"])
        table.add_row(*map(Text, words), str(each["sequence"]), str(each["attempts"]))
    output().print(table if answer["data"] else "There is no endpoint.")


@webhook_app.command()
def show(id: IdArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show an endpoint."""
    _tell(Client(url).get(f"webhook-endpoints/{segment(id)}"), as_json=as_json)


@webhook_app.command()
def enable(id: IdArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Send to an endpoint again, with all that happened meanwhile."""
    _tell(Client(url).post(f"webhook-endpoints/{segment(id)}/enable"), as_json=as_json)


@webhook_app.command()
def disable(id: IdArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Send nothing to an endpoint for now."""
    _tell(Client(url).post(f"webhook-endpoints/{segment(id)}/disable"), as_json=as_json)


@webhook_app.command()
def attempts(
    id: IdArgument,
    outcome: Annotated[
        str | None, typer.Option(help="Only these: delivered, failed, exhausted.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The latest so many.")] = 50,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what was sent and answered, newest first."""
    query = {"outcome": outcome, "limit": limit}
    answer = Client(url).get(f"webhook-endpoints/{segment(id)}/attempts", query)
    if as_json:
        print_json(answer)
        return
    table = Table("at", "event", "attempt", "outcome", "status", "ms", "answer or error")
    for each in answer["data"]:
        attempt = "resend" if each["is_resend"] else str(each["attempt"])
        status, ms = str(each["status"] or "-"), str(each["duration_ms"])
        said = _plain(each["error"] or each["answer"])
        table.add_row(each["at"], each["event"], attempt, each["outcome"], status, ms, said)
    output().print(table if answer["data"] else "Nothing was sent yet.")


@webhook_app.command()
def resend(
    event: Annotated[str | None, typer.Argument(help="The id of an event.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="To this endpoint; without it, to novate listen.")
    ] = None,
    first: Annotated[int | None, typer.Option(help="A range: its first sequence.")] = None,
    last: Annotated[int | None, typer.Option(help="A range: its last sequence.")] = None,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Send an event, or a range of them, once more."""
    client = Client(url)
    if endpoint is None:
        if event is None or first is not None or last is not None:
            bad_input("expected an event, or --endpoint with an event or with --first and --last")
        client.post(f"events/{segment(event)}/resend")
        output().print(f"{event} is shown to listeners once more", markup=False)
        return
    asked = {"event": event, "first_sequence": first, "last_sequence": last}
    body = {name: value for name, value in asked.items() if value is not None}
    answer = client.post(f"webhook-endpoints/{segment(endpoint)}/resend", body)
    output().print(f"{counted(answer['events'], 'event')} will be sent once more")


@webhook_app.command()
def remove(id: IdArgument, url: UrlOption = DEFAULT_URL) -> None:
    """Remove an endpoint with its attempts."""
    Client(url).delete(f"webhook-endpoints/{segment(id)}")
    output().print(f"{id} is removed", markup=False)


def _plain(text: str) -> Text:
    """What a stranger has answered, without anything that a terminal would obey."""
    return Text("".join(each if each.isprintable() else " " for each in text[:ANSWER_SHOWN_MAX]))


def _tell(endpoint: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(endpoint)
        return
    lines = [
        f"{endpoint['id']}  {endpoint['state']}  {endpoint['why_disabled']}".rstrip(),
        f"url       {endpoint['url']}",
        f"types     {', '.join(endpoint['types']) or 'all'}",
        f"concerns  {endpoint['participant'] or 'everybody'}",
        f"up to     sequence {endpoint['sequence']}; {endpoint['attempts']} failed since",
    ]
    output().print("\n".join(lines), markup=False)
