"""The same request in three forms, for who wants to do by program what a page shows."""

import json
import shlex
from dataclasses import dataclass
from pprint import pformat
from textwrap import indent
from typing import Final

from nodes.api_keys import OPERATOR

PROGRAM: Final = ".venv/bin/novate"
LINE_CHARS_MAX: Final = 76
"""Of a body that is written on one line."""


@dataclass(frozen=True, slots=True)
class RequestForms:
    """How to make a request. ``command`` is empty where no command of ours does it."""

    key: str
    curl: str
    python: str
    command: str


def request_forms(  # what a request is made of
    base_url: str,
    viewer: str,
    method: str,
    path: str,
    body: object = None,
    command: str | None = None,
) -> RequestForms:
    """A request to a server at ``base_url``, with the key from the environment.

    ``body`` is what goes out as JSON; ``command`` what comes after the name of our program.
    """
    url = base_url.rstrip("/") + path
    key = f"export KEY=$({PROGRAM} key{'' if viewer in ('', OPERATOR.name) else f' {viewer}'})"
    return RequestForms(
        key=key,
        curl=_curl(method, url, body),
        python=_python(method, url, body),
        command=f"{PROGRAM} {command}" if command else "",
    )


def _curl(method: str, url: str, body: object) -> str:
    asked = [] if method == "GET" else [f"-X {method}"]
    lines = [" ".join(["curl", "-s", *asked, shlex.quote(url)])]
    lines.append('-H "Authorization: Bearer $KEY"')
    if body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {shlex.quote(_json(body))}")
    return " \\\n  ".join(lines)


def _python(method: str, url: str, body: object) -> str:
    lines = [f'"{method}"', json.dumps(url, ensure_ascii=False)]
    lines.append('headers={"Authorization": f"Bearer {os.environ[\'KEY\']}"}')
    if body is not None:
        written = pformat(body, width=LINE_CHARS_MAX, sort_dicts=False)
        lines.append(f"json={written}")
    given = indent("".join(f"{line},\n" for line in lines), "    ")
    return (
        f"import os\n\nimport httpx\n\nanswer = httpx.request(\n{given})\n"
        "print(answer.status_code, answer.text)"
    )


def _json(body: object) -> str:
    short = json.dumps(body, ensure_ascii=False)
    return short if len(short) <= LINE_CHARS_MAX else json.dumps(body, ensure_ascii=False, indent=2)
