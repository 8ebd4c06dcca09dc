"""``novate requests``: what was asked of a running ``novate up``, and how it was answered."""

from typing import Annotated, Final

import typer
from rich.table import Table

from api.cli.http_client import DEFAULT_URL, Answer, Client, JsonOption, UrlOption, print_json
from api.cli.terminal import bad_input, output
from nodes.clock import pause

FOLLOW_SECONDS: Final = 1.0
SHOWN_MAX: Final = 500


def requests(
    id: Annotated[str | None, typer.Argument(help="Show this one, with its bodies.")] = None,
    status: Annotated[str | None, typer.Option(help="2xx, 4xx, ...")] = None,
    method: Annotated[str | None, typer.Option(help="POST, ...")] = None,
    path: Annotated[str | None, typer.Option(help="How the path begins.")] = None,
    caller: Annotated[str | None, typer.Option(help="On whose behalf.")] = None,
    last: Annotated[int, typer.Option(min=1, max=SHOWN_MAX, help="So many of them.")] = 25,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what was asked of a running novate up, and how it was answered."""
    client = Client(url)
    if id is not None:
        if follow:
            bad_input("--follow: expected no single request with it")
        _show_one(client.get(f"requests/{id}"), as_json=as_json)
        return
    query = {"status": status, "method": method, "path": path, "caller": caller, "limit": last}
    page = client.get("requests", query)
    _show(page["data"], as_json=as_json)
    while follow:
        pause(FOLLOW_SECONDS)
        newest = page["data"][0]["id"] if page["data"] else None
        # The commands' own questions are requests as well: they are not shown as news.
        found = client.get("requests", {**query, "limit": SHOWN_MAX, "since": newest})
        news = [each for each in found["data"] if not each["path"].startswith("/v1/requests")]
        _show(news, as_json=as_json)
        page = found if found["data"] else page


def _show(newest_first: list[Answer], *, as_json: bool) -> None:
    """Oldest first, as a log is read."""
    if as_json:
        for each in reversed(newest_first):
            print_json(each)
        return
    if not newest_first:
        return
    table = Table(box=None, show_header=False)
    for each in reversed(newest_first):
        query = f"?{each['query']}" if each["query"] else ""
        notes = [str(each["problem"])] if each["problem"] else []
        notes += ["replayed"] if each["is_replayed"] else []
        table.add_row(
            each["id"],
            each["at"][11:23],
            each["caller"],
            each["method"],
            each["path"] + query,
            str(each["status"]),
            f"{each['duration_us'] / 1_000:.1f} ms",
            " ".join(notes),
        )
    output().print(table)


def _show_one(request: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(request)
        return
    _show([request], as_json=False)
    for name in ("body", "answer"):
        if request[name] is not None:
            output().print(f"\n{name}\n{request[name]}", markup=False, soft_wrap=True)
