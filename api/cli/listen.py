"""``novate listen``: events forwarded to a server of one's own, as webhooks."""

import json
import urllib.error
import urllib.request
from typing import Annotated

import typer

from api.cli.event_source import Told, follow
from api.cli.events import ParticipantOption, TypeOption
from api.cli.http_client import DEFAULT_URL, Client, UrlOption
from api.cli.terminal import bad_input, messages
from nodes.clock import WallClock
from nodes.keys import fresh_bytes
from nodes.webhooks.signing import SECRET_BYTES, secret_text, signed_headers

SECONDS_MAX = 5


def listen(
    forward_to: Annotated[
        str, typer.Option("--forward-to", help="Where to, such as localhost:3000/hook.")
    ],
    type: TypeOption = None,
    participant: ParticipantOption = None,
    secret: Annotated[
        str | None, typer.Option(help="Sign with this one (whsec_...); else a new one is shown.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Forward events to a local server as signed webhooks, resent ones too.

    Each is sent once and its answer shown; ask for it again with novate webhook resend.
    """
    target = forward_to if "://" in forward_to else f"http://{forward_to}"
    if not target.startswith(("http://", "https://")):
        bad_input(f"--forward-to: expected an address such as localhost:3000, found {forward_to!r}")
    given = secret or secret_text(fresh_bytes(SECRET_BYTES))
    messages().print(f"forwarding to {target}, signed with {given}", markup=False)
    query: dict[str, str | None] = {"type": type, "participant": participant}
    for told in follow(Client(url), query):
        kind = told.event["type"].removeprefix("org.novate.").removesuffix(".v1")
        mark = " (resent)" if told.is_resend else ""
        typer.echo(f"{told.event['id']}  {kind}{mark}  {_forward(target, given, told)}")


def _forward(target: str, secret: str, told: Told) -> str:
    """Sends an event on; says what came back."""
    body = json.dumps(told.event, ensure_ascii=False).encode()
    headers = signed_headers(secret, told.event["id"], WallClock().chain_time(), body)
    headers["content-type"] = "application/json"
    try:
        request = urllib.request.Request(target, body, headers, method="POST")  # noqa: S310 # the scheme was looked at
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310 # the same
            return str(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)
    except (OSError, ValueError) as error:
        return f"no answer ({getattr(error, 'reason', error)})"
