"""Every route says who may call it, and the description of the interface shows it."""

from importlib import import_module
from pkgutil import iter_modules

import api.routers
import api.web
from api.app import create_app
from api.policies import CALLERS
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY


def served_routes():
    for package in (api.routers, api.web):
        for module in iter_modules(package.__path__):
            router = getattr(import_module(f"{package.__name__}.{module.name}"), "router", None)
            for route in getattr(router, "routes", ()):
                for method in getattr(route, "methods", None) or ("WEBSOCKET",):
                    yield f"{method} {route.path}"


def test_every_route_says_who_may_call_it_and_no_other_is_named():
    assert sorted(CALLERS) == sorted(served_routes())


def test_description_shows_who_may_call(tmp_path):
    with client_of(create_app(open_sandbox(tmp_path, "test", DAY))) as client:
        paths = client.get("/openapi.json").json()["paths"]

    shown = {
        f"{method.upper()} {path}": operation["x-callers"]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    assert shown
    assert shown == {name: CALLERS[name].value for name in shown}
