"""Which route a request is for, known before anything of the request is read."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fastapi.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import Scope

WEBSOCKET: Final = "WEBSOCKET"
MOUNT: Final = "MOUNT"
_PARTS: Final = "/parts/"


@dataclass(frozen=True, slots=True)
class Served:
    """One route and method. ``is_page``: a person looks at it, in a browser."""

    method: str
    path: str
    pattern: re.Pattern[str]
    is_page: bool

    @property
    def name(self) -> str:
        """As the table of policies has it."""
        return f"{self.method} {self.path}"


class RouteTable:
    """What an application serves, in the order in which it looks."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.served = tuple(served for route in leaves(routes) for served in _served(route))
        plain = [each for each in reversed(self.served) if "{" not in each.path]
        self._plain = {(each.method, each.path): each for each in plain}

    def find(self, scope: Scope) -> Served | None:
        """The route of a request; None when there is none for its method and path."""
        method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
        method = "GET" if method == "HEAD" else method
        path = scope["path"]
        return self._plain.get((method, path)) or next(self._matching(method, path), None)

    def methods_of(self, path: str) -> list[str]:
        """The methods that a path is served for."""
        return sorted({each.method for each in self.served if each.pattern.match(path)})

    def _matching(self, method: str, path: str) -> Iterator[Served]:
        for each in self.served:
            if each.method in (method, MOUNT) and each.pattern.match(path):
                yield each


def leaves(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """The routes themselves, out of the routers that an application includes."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None:
            yield route
        else:
            yield from leaves(router.routes)


def _served(route: BaseRoute) -> Iterator[Served]:
    path, pattern = str(getattr(route, "path", "")), getattr(route, "path_regex", None)
    assert isinstance(pattern, re.Pattern), f"the route {path!r} has no pattern"
    methods = {MOUNT} if isinstance(route, Mount) else getattr(route, "methods", {WEBSOCKET})
    is_html = getattr(route, "response_class", None) is HTMLResponse
    is_page = is_html and not path.startswith(_PARTS)
    for method in sorted(set(methods) - {"HEAD"}):
        yield Served(method, path, pattern, is_page and method == "GET")
