"""The same request in three forms, for who wants to do by program what a page shows."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from textwrap import indent
from typing import Final

from nodes.api_keys import OPERATOR

PROGRAM: Final = ".venv/bin/novate"
DEFAULT_FOLDER: Final = Path(".novate")
DEFAULT_URL: Final = "http://127.0.0.1:8000"
LINE_CHARS_MAX: Final = 76
"""Of a body that is written on one line."""


@dataclass(frozen=True, slots=True)
class RequestForms:
    """How to make a request. ``command`` is empty where no command of ours does it."""

    key: str
    curl: str
    python: str
    command: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How a server is reached: its address, whose key is used, and in which folder keys are."""

    base_url: str
    viewer: str
    folder: Path | None

    @property
    def key(self) -> str:
        """What puts the key into the environment."""
        words = [PROGRAM, "key"]
        if self.viewer not in ("", OPERATOR.name):
            words.append(self.viewer)
        if self.folder is not None and self.folder.resolve() != DEFAULT_FOLDER.resolve():
            words += ["--folder", shlex.quote(str(self.folder))]
        return f"export KEY=$({' '.join(words)})"

    def command(self, words: str) -> str:
        """A command of our program, with that key and address."""
        url = self.base_url.rstrip("/")
        place = "" if url == DEFAULT_URL else f" --url {url}"
        return f'NOVATE_API_KEY="$KEY" {PROGRAM} {words}{place}'


def request_forms(
    reached: Reached, method: str, path: str, body: object = None, command: str | None = None
) -> RequestForms:
    """A request to a server, with the key from the environment.

    ``body`` is what goes out as JSON; ``command`` what comes after the name of our program.
    """
    url = reached.base_url.rstrip("/") + path
    return RequestForms(
        key=reached.key,
        curl=_curl(method, url, body),
        python=_python(method, url, body),
        command=reached.command(command) if command else "",
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
