"""``novate clock``: the business clock of a running ``novate up``, over HTTP."""

import json
import urllib.error
import urllib.request
from typing import Annotated, Final

import typer

from api.cli.terminal import EXIT_FAILED, bad_input, messages, output

SECONDS_MAX: Final = 60
DEFAULT_URL: Final = "http://127.0.0.1:8000"

clock_app = typer.Typer(
    help="Show, freeze and move the business clock of a running novate up.", no_args_is_help=True
)

UrlOption = Annotated[str, typer.Option("--url", help="Where novate up is served.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


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
    shown = _request(url, change)
    if as_json:
        typer.echo(json.dumps(shown))
        return
    state = "frozen" if shown["frozen"] else "running"
    ending = shown["end_of_day_at"] or "midnight"
    lines = [
        f"business time   {shown['business_time']} UTC, {state}",
        f"end of day      {ending}; last ended {shown['last_day_ended'] or 'none'}",
        f"chain time      {shown['chain_time']}, apart from it",
    ]
    output().print("\n".join(lines), markup=False)


def _request(url: str, change: dict[str, object] | None) -> dict[str, object]:
    if not url.startswith(("http://", "https://")):
        bad_input(f"--url: expected an address such as {DEFAULT_URL}, found {url!r}")
    body = None if change is None else json.dumps(change).encode()
    headers = {"Content-Type": "application/json"}
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/v1/clock", body, headers)  # noqa: S310 # the scheme was looked at
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310 # the same
            return _object_of(url, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            problem = _object_of(url, error.read())
        messages().print(
            f"refused: {problem.get('detail')} ({problem.get('reason')})", markup=False
        )
        raise typer.Exit(EXIT_FAILED) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        bad_input(f"{url} does not answer ({reason})", "Start novate up, or name it with --url.")


def _object_of(url: str, content: bytes) -> dict[str, object]:
    """A JSON object; anything else is not from novate up."""
    try:
        decoded = json.loads(content)
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        bad_input(f"{url} is no novate up", "Name where it is served with --url.")
    return decoded
