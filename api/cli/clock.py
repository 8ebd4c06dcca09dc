"""``novate clock``: the business clock of a running ``novate up``, over HTTP."""

from typing import Annotated

import typer

from api.cli.http_client import DEFAULT_URL, Client, JsonOption, UrlOption, print_json
from api.cli.terminal import EXIT_FAILED, output

clock_app = typer.Typer(
    help="Show, freeze and move the business clock of a running novate up.", no_args_is_help=True
)


@clock_app.command()
def show(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show business time, which expiry and the end of the day run by."""
    _tell(url, None, as_json=as_json)


@clock_app.command()
def freeze(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Let business time stand still."""
    _tell(url, {"frozen": True}, as_json=as_json)


@clock_app.command()
def run(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Let business time go on from where it stands."""
    _tell(url, {"frozen": False}, as_json=as_json)


@clock_app.command("set")
def set_to(
    time: Annotated[str, typer.Argument(help="17:30, or 2026-02-11T09:00; in UTC.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Move business time forward to a time of the business date, or a date and time."""
    _tell(url, {"time": time}, as_json=as_json)


@clock_app.command()
def advance(
    seconds: Annotated[int, typer.Argument(min=0, help="How many seconds.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Move business time forward by so many seconds."""
    _tell(url, {"advance": seconds}, as_json=as_json)


@clock_app.command("next-day")
def next_day(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Move business time to the opening of the next business date."""
    _tell(url, {"next_day": True}, as_json=as_json)


@clock_app.command("end-of-day")
def end_of_day(
    at: Annotated[
        str | None,
        typer.Option("--at", help="Not now, but every day at this time, or at midnight."),
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """End the business date: one more try of the queue, then what has not settled fails."""
    change: dict[str, object] = {"end_of_day": True} if at is None else {"end_of_day_at": at}
    _tell(url, change, as_json=as_json)


def _tell(url: str, change: dict[str, object] | None, *, as_json: bool) -> None:
    """Asks for a change, or nothing, and prints what the clock shows."""
    # A time that is past has the form of one: to refuse it is no complaint of the input.
    client = Client(url, status_when_malformed=EXIT_FAILED)
    shown = client.get("clock") if change is None else client.post("clock", change)
    if as_json:
        print_json(shown)
        return
    state = "frozen" if shown["frozen"] else "running"
    ending = shown["end_of_day_at"] or "midnight"
    lines = [
        f"business time   {shown['business_time']} UTC, {state}",
        f"end of day      {ending}; last ended {shown['last_day_ended'] or 'none'}",
        f"chain time      {shown['chain_time']}, apart from it",
    ]
    output().print("\n".join(lines), markup=False)
