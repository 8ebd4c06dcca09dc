"""Ready means reconciled; whoever asks sees each part that has to work."""

import pytest

from api.app import create_app
from ledger.books.database import StorageError
from nodes.faults.node_faults import NodeFault
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY))


def components_of(answer):
    return {each["name"]: each for each in answer.json()["components"]}


def test_it_is_ready_only_after_everybody_has_reconciled(app):
    # Outside of its block the client starts nothing: it is as before the first reconciliation.
    early = client_of(app).get("/readyz")
    alive = client_of(app).get("/livez")
    with client_of(app) as client:
        ready = client.get("/readyz")
        killed = app.state.sandbox.inject(NodeFault.KILL, "BRK-B")
        away = client.get("/readyz")
        app.state.sandbox._fail(StorageError("books that may be wrong"))
        failed = client.get("/readyz")
        still_alive = client.get("/livez")

    assert (early.status_code, early.json()["status"]) == (503, "starting")
    assert components_of(early)["BRK-A"]["detail"] == "not reconciled yet"
    assert not components_of(early)["market"]["is_ready"]
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    names = {"market", "chain", "disk", "EXCHANGE", "CLEARING-HOUSE", "REGISTRAR"}
    names |= {"BRK-A", "BRK-B", "BRK-C", "BANK-1", "BANK-2"}
    assert set(components_of(ready)) == names
    assert all(each["is_ready"] for each in components_of(ready).values())
    assert killed is None
    assert away.status_code == 200
    assert [n for n, each in components_of(away).items() if not each["is_ready"]] == ["BRK-B"]
    assert "away" in components_of(away)["BRK-B"]["detail"]
    assert (failed.status_code, failed.json()["status"]) == (
        503,
        "StorageError: books that may be wrong",
    )
    assert (alive.status_code, still_alive.status_code) == (200, 200)
