"""Commands that talk to a running ``novate up``: one client, and how they end.

Exit status: 1 when what was asked for is refused, 2 when it is malformed or names what is not
there, and when nothing answers.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import quote, urlencode

import typer

from api.cli.key_choice import Address, chosen_key
from api.cli.terminal import EXIT_BAD_INPUT, EXIT_FAILED, bad_input, messages

DEFAULT_URL: Final = "http://127.0.0.1:8000"
REMEDY: Final = "Start novate up, or give --url."
SECONDS_MAX: Final = 60
_OF_THE_INPUT: Final = frozenset({"INVALID", "UNKNOWN"})

UrlOption = Annotated[str, typer.Option("--url", help="Where novate up is served.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]

Answer = dict[str, Any]
"""A JSON object, as docs/instructions-api.md and /openapi.json describe it."""


class Client:
    """The REST interface at one address.

    The key goes with the address (``api.cli.key_choice``). ``status_when_malformed`` is how a
    command ends whose input the interface finds malformed; ``remedy`` what
    to do when nobody answers.
    """

    def __init__(
        self, url: str, status_when_malformed: int = EXIT_BAD_INPUT, remedy: str = REMEDY
    ) -> None:
        if not url.startswith(("http://", "https://")):
            bad_input(f"--url: expected an address such as {DEFAULT_URL}, found {url!r}")
        self._url = url.rstrip("/")
        self._key = url.key if isinstance(url, Address) else chosen_key()
        self._status_when_malformed = status_when_malformed
        self._remedy = remedy

    def get(self, path: str, query: Mapping[str, str | int | None] | None = None) -> Answer:
        """Reads something; what is None is left out of the query."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(given)}" if given else path, None)

    def pages(self, path: str, query: Mapping[str, str | int | None]) -> Iterator[Answer]:
        """Every page of a list."""
        cursor: str | None = None
        while True:
            page = self.get(path, {**query, "cursor": cursor})
            yield page
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Asks for something to be done."""
        return self._ask("POST", path, body or {})

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Sets something."""
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> None:
        """Takes something away."""
        self._ask("DELETE", path, None)

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, str | None], headers: Mapping[str, str]
    ) -> Iterator[Iterator[str]]:
        """The lines of an answer that does not end. Raises OSError when it is cut off."""
        given = {name: value for name, value in query.items() if value is not None}
        request = self._request("GET", f"{path}?{urlencode(given)}", None, headers)
        try:
            answer = urllib.request.urlopen(request, timeout=SECONDS_MAX)  # noqa: S310 # the scheme was looked at
        except urllib.error.HTTPError as error:
            with error:
                problem = self._object_of(error.read())
            self._refused(problem)
        with answer:
            yield (line.decode().rstrip("\r\n") for line in answer)

    def _request(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> urllib.request.Request:
        address = f"{self._url}/v1/{path}"
        given = {"Authorization": f"Bearer {self._key}", **headers}
        return urllib.request.Request(address, content, given, method=method)  # noqa: S310 # the scheme was looked at

    def upload(self, path: str, content: bytes, kind: str) -> Answer:
        """Sends a file of some media type."""
        return self._object_of(self._send("POST", path, content, kind))

    def download(self, path: str, query: Mapping[str, str | int | None]) -> bytes:
        """Reads a file; what is None is left out of the query."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._send("GET", f"{path}?{urlencode(given)}", None)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        received = self._send(method, path, content)
        return self._object_of(received) if received else {}

    def _send(
        self, method: str, path: str, content: bytes | None, kind: str = "application/json"
    ) -> bytes:
        headers = {"Content-Type": kind}
        try:
            request = self._request(method, path, content, headers)
            with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310 # the same
                received: bytes = answer.read()
                return received
        except urllib.error.HTTPError as error:
            with error:
                problem = self._object_of(error.read())
            self._refused(problem)
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", error)
            bad_input(f"{self._url} does not answer ({why})", self._remedy)

    def _object_of(self, content: bytes) -> Answer:
        """A JSON object; anything else is not from novate up."""
        try:
            decoded = json.loads(content)
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            bad_input(f"{self._url} is no novate up", "Say where it is served with --url.")
        return decoded

    def _refused(self, problem: Answer) -> NoReturn:
        """Says why something was refused, and ends."""
        console = messages()
        name, code = problem.get("reason"), problem.get("code")
        console.print(f"refused: {problem.get('detail')} ({name}, {code})", markup=False)
        if problem.get("remedy"):
            console.print(str(problem["remedy"]), markup=False)
        status = self._status_when_malformed if name in _OF_THE_INPUT else EXIT_FAILED
        raise typer.Exit(status)


def segment(label: str) -> str:
    """A label as one segment of a path."""
    return quote(label, safe="")


def print_json(answer: Answer) -> None:
    """The answer as it came."""
    typer.echo(json.dumps(answer, ensure_ascii=False))
