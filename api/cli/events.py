"""``novate events``: what has happened at a running ``novate up``."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from api.cli.event_source import follow
from api.cli.http_client import DEFAULT_URL, Answer, Client, JsonOption, UrlOption

PAGE = 500

TypeOption = Annotated[
    str | None, typer.Option("--type", help="A type such as trade.settled, or trade.*.")
]
ParticipantOption = Annotated[
    str | None, typer.Option("--participant", help="Only what concerns it.")
]


def events(
    type: TypeOption = None,
    subject: Annotated[
        str | None, typer.Option(help="What they happened to: a label, an id, a number.")
    ] = None,
    participant: ParticipantOption = None,
    since: Annotated[int | None, typer.Option(min=0, help="After this sequence.")] = None,
    is_followed: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens from now on.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List events, or follow them: one a line."""
    client = Client(url)
    query: dict[str, str | None] = {"type": type, "subject": subject, "participant": participant}
    found: Iterator[Answer]
    if is_followed:
        after = None if since is None else str(since)
        found = (told.event for told in follow(client, query | {"last_event_id": after}))
    else:
        since_given = {"since": None if since is None else str(since)}
        pages = client.pages("events", query | since_given | {"limit": PAGE})
        found = (event for page in pages for event in page["data"])
    for event in found:
        typer.echo(json.dumps(event, ensure_ascii=False) if as_json else _line(event))


def _line(event: Answer) -> str:
    kind = event["type"].removeprefix("org.novate.").removesuffix(".v1")
    data = json.dumps(event["data"], ensure_ascii=False)
    return f"{event['sequence']:>8}  {event['time'][:19]}  {kind:<24} {event['subject']}  {data}"
