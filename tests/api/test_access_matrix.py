"""Every route against every kind of caller, out of the application's own table of routes."""

import re

import pytest
from fastapi.testclient import TestClient

from api.access.route_table import WEBSOCKET, RouteTable
from api.app import create_app
from api.policies import CALLERS, Caller, roles_for
from ledger.domain.key_holders import KeyRole
from nodes.api_keys import holders, seeded_secret
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import SEED
from tests.support.consortia import DAY

NOBODY, STRANGER, OTHER_SANDBOX = "nobody", "wrong key", "key of another sandbox"
HOLDERS = (
    *("OPERATOR", "REGULATOR", "CLEARING-HOUSE", "EXCHANGE", "REGISTRAR"),
    *("BRK-A", "BRK-B", "BANK-1"),
)
KEY_BY_CALLER = {
    NOBODY: None,
    STRANGER: "nvk_OPERATOR_" + "0" * 64,
    OTHER_SANDBOX: seeded_secret("another seed", "OPERATOR"),
    **{name: seeded_secret(SEED, name) for name in HOLDERS},
}
FORBIDDEN = {401, 403}
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}
WORKING_BODIES = {
    "POST /v1/trades": TRADE,
    "POST /v1/trades:batch": [TRADE],
    "POST /v1/instructions": {
        "label": "I1",
        "kind": "dvp",
        "seller": "BRK-A",
        "buyer": "BRK-B",
        "instrument": "NOVA1",
        "quantity": "100",
        "amount": "1.00",
        "hold": True,
    },
    "POST /v1/sides": {
        "reference": "S1",
        "kind": "fop",
        "side": "deliverer",
        "account": "BRK-A",
        "counterparty": "BRK-B",
        "instrument": "NOVA1",
        "quantity": "1",
        "settlement_date": DAY.isoformat(),
    },
    "PUT /v1/limits": {"account": "BRK-A", "amount": "1.00"},
    "POST /v1/reservations": {
        "reference": "R1",
        "kind": "cash",
        "act": "reserve",
        "account": "BRK-A",
        "amount": "1.00",
    },
    "POST /v1/sandbox/fund": {
        "reference": "F1",
        "kind": "cash",
        "direction": "in",
        "account": "BRK-A",
        "amount": "1.00",
    },
    "POST /v1/clock": {"advance": 60},
    "POST /v1/queue/resolve": {"algorithm": "fifo"},
    "POST /v1/api-keys": {"holder": "BRK-A"},
}
"""What would change something if it were let in."""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    return create_app(open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY, options=options))


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app) as opened:
        opened.post("/v1/clock", json={"frozen": True}, headers=headers_of("OPERATOR"))
        yield opened


@pytest.fixture(scope="module")
def served(app):
    return RouteTable(app.routes).served


def headers_of(caller):
    key = KEY_BY_CALLER[caller]
    return {"Authorization": f"Bearer {key}"} if key else {}


def call(client, each, caller, bodies):
    """A request about BRK-C, or about nothing that there is."""
    path = re.sub(r"\{(\w+)(:path)?\}", "1", each.path.replace("{participant}", "BRK-C"))
    path = "/static/novate.css" if path == "/static" else path
    # A stream that begins somewhere would not end.
    path += "?last_event_id=nonsense" if path.endswith("/stream") else ""
    method = "GET" if each.method == "MOUNT" else each.method
    body = bodies.get(each.name, {}) if method in ("POST", "PUT") else None
    return client.request(
        method, path, json=body, headers=headers_of(caller), follow_redirects=False
    )


def state_of(app):
    """What a refused request could have changed."""
    sandbox, access = app.state.sandbox, app.state.access
    house = sandbox.consortium.clearing_house
    return (
        sandbox.consortium.feed.height(),
        sandbox.consortium.exchange.captured.end_position,
        len(house.desk.book.queue),
        len(house.cycles.all()),
        sorted(house.desk.book.limits.all().items()),
        sorted(house.desk.book.queue.suspended),
        sandbox.consortium.clock.business_time(),
        access.keys.all(),
    )


def test_there_is_a_caller_of_every_role(app):
    network = app.state.sandbox.consortium.network

    assert {holders(network)[name].role for name in HOLDERS} == set(KeyRole)


def test_every_cell_is_as_the_table_says(app, client, served):
    network = app.state.sandbox.consortium.network
    role_by_name = {name: holder.role for name, holder in holders(network).items()}
    wrong, cells, before = [], 0, state_of(app)
    # Those who may not come first: nothing may have changed once they are through.
    for is_let_in in (False, True):
        for each in served:
            if each.method == WEBSOCKET:
                continue
            for caller in KEY_BY_CALLER:
                is_open = CALLERS[each.name] is Caller.ANYBODY
                role = role_by_name.get(caller)
                may = is_open or (role is not None and role in roles_for(each.name))
                if may is not is_let_in:
                    continue
                answer = call(client, each, caller, {} if is_let_in else WORKING_BODIES)
                cells += 1
                if not is_right(each, answer, role, may=may):
                    wrong.append((each.name, caller, answer.status_code, answer.text[:200]))
        if not is_let_in:
            assert state_of(app) == before
    routes = sum(each.method != WEBSOCKET for each in served)
    assert cells == routes * len(KEY_BY_CALLER)
    assert wrong == []


def is_right(each, answer, role, *, may):
    """Whether a cell is as it has to be."""
    if may:
        # Of an endpoint's own, about this object: never of the guard.
        return answer.status_code not in FORBIDDEN or _is_of_the_object(each, answer)
    if role is not None:
        return answer.status_code == 403 and answer.json()["reason"] == "UNAUTHORISED"
    if each.is_page and answer.status_code == 303:
        return answer.headers["location"].startswith("/sign-in?next=")
    is_challenged = answer.headers.get("www-authenticate", "").startswith("Bearer")
    return answer.status_code == 401 and is_challenged


def _is_of_the_object(each, answer):
    # Forms are taken from pages of this server alone.
    is_form = each.method == "POST" and not each.path.startswith("/v1/")
    # This application is served alone: nothing takes its place.
    return is_form or "has no folder of its own" in answer.text


def test_bodies_that_change_nothing_for_others_work_for_the_operator(client):
    for name, body in WORKING_BODIES.items():
        method, path = name.split(" ")
        answer = client.request(method, path, json=body, headers=headers_of("OPERATOR"))
        assert answer.status_code < 300, (name, answer.text)


def test_websocket_of_the_chain_is_open_to_everybody(client):
    with client.websocket_connect("/rpc") as socket:
        socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"})
        assert socket.receive_json()["result"] == hex(668_283)


def test_what_is_not_served_says_nothing_of_who_asks(client):
    for caller in (NOBODY, "BRK-A"):
        assert client.get("/v1/nothing", headers=headers_of(caller)).status_code == 404
        wrong_method = client.delete("/v1/trades", headers=headers_of(caller))
        assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET, POST")


def test_body_of_who_may_not_come_in_is_not_read(client):
    answer = client.post("/v1/trades", content="[" * 5_000)

    assert answer.status_code == 401
