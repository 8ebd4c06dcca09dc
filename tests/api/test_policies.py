"""Every route says who may call it, and the description of the interface shows it."""

from api.access.route_table import RouteTable
from api.app import create_app
from api.policies import CALLERS, roles_for
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY


def test_every_route_says_who_may_call_it_and_no_other_is_named(tmp_path):
    app = create_app(open_sandbox(tmp_path, "test", DAY))
    app.state.sandbox.stop()

    assert sorted(CALLERS) == sorted(each.name for each in RouteTable(app.routes).served)


def test_nobody_may_call_what_the_table_does_not_name():
    assert roles_for("GET /v1/forgotten") == frozenset()


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
