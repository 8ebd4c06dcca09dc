"""Following the events of a running ``novate up``: it goes on where it was cut off."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException

from api.cli.http_client import Answer, Client
from api.cli.terminal import bad_input, messages
from nodes.clock import pause

RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and whether it is told once more because somebody asked for that."""

    event: Answer
    is_resend: bool


def follow(client: Client, query: dict[str, str | None]) -> Iterator[Told]:
    """Events from now on, or from ``last_event_id`` on, for ever."""
    last = query.pop("last_event_id", None)
    is_connected = was_ever = False
    while True:
        headers = {"Last-Event-ID": last} if last is not None else {}
        why = "the stream has ended"
        try:
            with client.stream("events/stream", query, headers) as lines:
                is_connected = was_ever = True
                for id, is_resend, events in _frames(lines):
                    yield from (Told(event, is_resend) for event in events)
                    last = id or last
        except (OSError, HTTPException) as error:
            why = str(getattr(error, "reason", error))
        if not was_ever:
            bad_input(f"nothing can be followed ({why})", "Start novate up, or give --url.")
        if is_connected:
            messages().print(f"cut off ({why}): trying again", markup=False)
        is_connected = False
        pause(RETRY_SECONDS)


def _frames(lines: Iterator[str]) -> Iterator[tuple[str, bool, list[Answer]]]:
    """Frames as they come: id, whether it is a resend, and events."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        events: list[Answer] = json.loads(fields.get("data", "[]"))
        yield fields.get("id", ""), fields.get("event") == "resend", events
        fields = {}
