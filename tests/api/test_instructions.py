"""Instructions over REST, on a real server: entered, funded, settled, refused in every way."""

import time

import httpx2
import pytest

from ledger.domain.reasons import Reason
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.state_hash import state_hash
from tests.support.clients import key_header
from tests.support.consortia import DAY
from tests.support.instructions import everything_on_disk
from tests.support.servers import served

DVP = {
    "label": "IT",
    "kind": "dvp",
    "seller": "BRK-A",
    "buyer": "BRK-B/client",
    "instrument": "NOVA1",
    "quantity": "100",
    "amount": "1050.00",
}
PAY = {"label": "IT", "kind": "pay", "payer": "BRK-C", "payee": "BRK-A", "amount": "1.00"}
FOP = {
    "label": "IT",
    "kind": "fop",
    "deliverer": "BRK-A",
    "receiver": "BRK-C",
    "instrument": "NOVA6",
    "quantity": "5",
}
CASH = {"reference": "F", "kind": "cash", "direction": "in", "account": "BRK-A", "amount": "1.00"}
ALL_CASH = "1000000000.00"
SECONDS_MAX = 20


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    return open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)


@pytest.fixture(scope="module")
def client(sandbox):
    with (
        served(sandbox) as server,
        httpx2.Client(
            base_url=f"http://{server.place}/v1", timeout=30, headers=key_header()
        ) as opened,
    ):
        yield opened


def enter(client, **changes):
    return client.post("/instructions", json=DVP | changes)


def pay(client, label, payer, payee, amount, **options):
    body = {"label": label, "kind": "pay", "payer": payer, "payee": payee, "amount": amount}
    return client.post("/instructions", json=body | options)


def say(client, label, verb, by, **more):
    return client.post(f"/instructions/{label}/{verb}", json={"by": by} | more)


def read(client, label):
    return client.get(f"/instructions/{label}").json()


def wait_for(client, label, state):
    deadline = time.monotonic() + SECONDS_MAX
    while (found := read(client, label))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def everything(sandbox):
    with sandbox.lock:
        # What was asked for before has taken its effect.
        sandbox.time.follow()
        return state_hash(sandbox.consortium), everything_on_disk(sandbox.consortium)


def test_instruction_is_entered_and_settles_by_itself(client):
    entered = enter(client, label="BY-ITSELF")

    assert entered.status_code == 201
    assert (entered.json()["kind"], entered.json()["deliverer"]) == ("dvp", "BRK-A")
    settled = wait_for(client, "BY-ITSELF", "settled")
    assert settled["final_block"] > 0
    assert (settled["open_quantity"], settled["settled_amount"]) == ("0", "1050.00")
    assert client.get("/reconciliation").json()["agrees"]


@pytest.mark.parametrize("kind", [PAY, FOP])
def test_payments_and_free_deliveries_settle_too(client, kind):
    label = f"KIND-{kind['kind']}"
    assert client.post("/instructions", json=kind | {"label": label}).status_code == 201

    settled = wait_for(client, label, "settled")

    assert (settled["amount"] is None, settled["quantity"] is None) == (
        kind["kind"] == "fop",
        kind["kind"] == "pay",
    )


def test_same_again_is_answered_again_and_other_content_is_refused(client):
    first = enter(client, label="SAME", hold=True)
    again = enter(client, label="SAME", hold=True)
    other = enter(client, label="SAME", amount="1050.01")

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json()
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["code"] == Reason.DUPLICATE.value


def test_short_instruction_waits_is_explained_funded_exactly_and_settles(client):
    price = "1500000000.00"
    entered = enter(client, label="SHORT", seller="BRK-C", buyer="BRK-B", amount=price)
    assert entered.json()["why"]["reason"] == "MONY"
    assert entered.json()["why"]["cause_zh"]

    forecast = client.get("/instructions/SHORT/dry-run").json()
    [missing] = forecast["missing"]
    assert (missing["account"], missing["asset"]) == ("BRK-B", "CNY")
    assert [remedy["act"] for remedy in forecast["remedies"]] == ["fund"]
    [queue] = [q for q in client.get("/queue").json()["data"] if q["kind"] == "cash"]
    assert (queue["account"], queue["owed"]) == ("BRK-B", price)
    assert queue["instructions"][0]["missing"] == [missing]

    body = CASH | {"reference": "EXACTLY", "account": "BRK-B", "amount": missing["missing"]}
    funded = client.post("/sandbox/fund", json=body)
    again = client.post("/sandbox/fund", json=body)

    assert (funded.status_code, again.status_code) == (200, 200)
    assert funded.json()["available"] == price
    wait_for(client, "SHORT", "settled")
    assert client.post("/sandbox/fund", json=body | {"amount": "1.00"}).status_code == 409


def test_hold_release_and_priority_are_said_by_a_side(client):
    enter(client, label="HELD")
    wait_for(client, "HELD", "settled")
    assert say(client, "HELD", "hold", "BRK-A").json()["reason"] == "FINAL"
    enter(client, label="ON-HOLD", hold=True)

    one = say(client, "ON-HOLD", "release", "BRK-A")
    assert (one.json()["state"], one.json()["held_by"]) == ("held", ["BRK-B"])
    assert [each["label"] for each in client.get("/queue").json()["aside"]][-1] == "ON-HOLD"
    moved = say(client, "ON-HOLD", "prioritise", "BRK-B", priority="urgent")
    assert moved.json()["priority"] == "urgent"
    assert say(client, "ON-HOLD", "hold", "BRK-A").json()["held_by"] == ["BRK-A", "BRK-B"]
    tried = say(client, "ON-HOLD", "settle", "BRK-A")
    assert (tried.status_code, tried.json()["why"]["reason"]) == (200, "HELD")
    for by in ("BRK-A", "BRK-B"):
        say(client, "ON-HOLD", "release", by)
    assert say(client, "ON-HOLD", "settle", "BRK-B").json()["state"] == "settled"


def test_delivery_against_payment_is_cancelled_by_both_and_a_payment_by_its_payer(client):
    enter(client, label="OUT", hold=True)
    asked = say(client, "OUT", "cancel", "BRK-A").json()
    assert (asked["state"], asked["cancelled_by"]) == ("held", ["BRK-A"])
    assert say(client, "OUT", "cancel", "BRK-B").json()["state"] == "cancelled"
    pay(client, "OUT-PAY", "BRK-A", "BRK-C", "1.00", hold=True)
    assert say(client, "OUT-PAY", "cancel", "BRK-A").json()["state"] == "cancelled"
    assert say(client, "OUT-PAY", "settle", "BRK-A").json()["reason"] == "FINAL"


def test_replacement_takes_effect_when_the_cancellation_does(client):
    enter(client, label="OLD", hold=True)
    new = DVP | {"label": "NEW", "amount": "1051.00", "hold": True}

    first = say(client, "OLD", "replace", "BRK-A", instruction=new)
    assert (first.status_code, first.json()["label"]) == (202, "OLD")
    assert client.get("/instructions/NEW").status_code == 404
    second = say(client, "OLD", "replace", "BRK-B", instruction=new)
    assert (second.status_code, second.json()["label"]) == (201, "NEW")
    assert read(client, "OLD")["state"] == "cancelled"
    assert say(client, "OLD", "replace", "BRK-A", instruction=new).status_code == 200


def test_instruction_is_replaced_once_and_a_cancelled_one_not_at_all(client):
    pay(client, "ONCE", "BRK-C", "BRK-A", "1.00", hold=True)
    pay(client, "GONE", "BRK-C", "BRK-A", "1.00", hold=True)
    payer = "BRK-C"
    assert say(client, "ONCE", "replace", payer, instruction=PAY | {"label": "ONE"}).is_success
    assert say(client, "GONE", "cancel", payer).is_success

    again = say(client, "ONCE", "replace", payer, instruction=PAY | {"label": "TWO"})
    assert (again.status_code, again.json()["reason"]) == (409, "DUPLICATE")
    late = say(client, "GONE", "replace", payer, instruction=PAY | {"label": "THREE"})
    assert (late.status_code, late.json()["reason"]) == (409, "FINAL")
    assert client.get("/instructions/TWO").status_code == 404


def test_replacement_that_could_not_be_entered_asks_for_nothing(client, sandbox):
    enter(client, label="STAYS", hold=True)
    enter(client, label="TAKEN", hold=True)
    before = everything(sandbox)

    refused = say(
        client, "STAYS", "replace", "BRK-A", instruction=DVP | {"label": "TAKEN", "amount": "1.00"}
    )

    assert refused.json()["reason"] == "DUPLICATE"
    assert everything(sandbox) == before


def test_circle_that_nobody_can_begin_is_resolved_as_a_set(client):
    labels = {
        "RING-1": ("BRK-A", "BRK-B"),
        "RING-2": ("BRK-B", "BRK-C"),
        "RING-3": ("BRK-C", "BRK-A"),
    }
    amount = "9000000000.00"
    for label, sides in labels.items():
        assert pay(client, label, *sides, amount).status_code == 201
    time.sleep(0.2)
    assert read(client, "RING-1")["state"] == "queued"
    together = client.post("/dry-run/instructions", json={"labels": list(labels)}).json()
    alone = client.get("/instructions/RING-2/dry-run").json()

    assert (together["settles"], alone["settles"]) == (True, False)
    assert set(alone["settles_with"]) == set(labels)
    resolved = client.post("/queue/resolve", json={"algorithm": "fifo"}).json()
    assert resolved["settled"] == alone["settles_with"]
    assert resolved["values"] == [{"currency": "CNY", "amount": "27000000000.00"}]
    again = client.post("/queue/resolve", json={"algorithm": "optimum"}).json()
    assert (again["settled"], again["is_exact"]) == ([], True)


def test_limit_holds_a_payment_back_until_it_is_raised_or_taken_away(client):
    limit = {"account": "BRK-A/client", "amount": "5.00", "counterparty": "BRK-C"}
    assert client.put("/limits", json=limit).json()["headroom"] == "5.00"
    pay(client, "LIMITED", "BRK-A/client", "BRK-C", "7.00")
    assert read(client, "LIMITED")["why"]["reason"] == "LIMIT"
    [remedy] = client.get("/instructions/LIMITED/dry-run").json()["remedies"]
    assert (remedy["act"], remedy["shortfall"]["missing"]) == ("raise_limit", "2.00")
    assert limit in [
        {name: each[name] for name in limit} for each in client.get("/limits").json()["data"]
    ]

    client.put("/limits", json=limit | {"amount": "7.00"})

    wait_for(client, "LIMITED", "settled")
    query = {"account": "BRK-A/client", "counterparty": "BRK-C"}
    assert client.delete("/limits", params=query).status_code == 204
    assert client.delete("/limits", params=query).status_code == 404


def test_what_is_reserved_pays_for_nothing_until_it_is_made_available(client):
    aside = {
        "reference": "R1",
        "kind": "securities",
        "act": "reserve",
        "account": "BRK-C/client",
        "instrument": "NOVA5",
        "quantity": "100000000",
    }
    reserved = client.post("/reservations", json=aside).json()
    assert (reserved["available"], reserved["held"]) == ("0", "100000000")
    client.post(
        "/instructions",
        json=FOP | {"label": "ASIDE", "deliverer": "BRK-C/client", "instrument": "NOVA5"},
    )
    assert read(client, "ASIDE")["why"]["reason"] == "LACK"
    again = aside | {"reference": "R2", "act": "unreserve"}

    assert client.post("/reservations", json=again).json()["held"] == "0"
    wait_for(client, "ASIDE", "settled")
    refused = client.post("/reservations", json=again | {"reference": "R3"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "HELD")


def test_instructions_of_a_suspended_participant_wait_until_it_is_reinstated(client):
    enter(client, label="BARRED", hold=True)
    assert client.post("/participants/BRK-B/suspend").json()["is_suspended"]
    assert client.post("/participants/BRK-B/suspend").status_code == 200
    everybody = client.get("/participants").json()["data"]
    assert [each["id"] for each in everybody if each["is_suspended"]] == ["BRK-B"]
    assert enter(client, label="BARRED-NEW").json()["reason"] == "SUSPENDED"
    for by in ("BRK-A", "BRK-B"):
        say(client, "BARRED", "release", by)
    assert read(client, "BARRED")["why"]["reason"] == "SUSPENDED"
    [remedy] = client.get("/instructions/BARRED/dry-run").json()["remedies"]
    assert (remedy["act"], remedy["participants"]) == ("reinstate", ["BRK-B"])

    client.post("/participants/BRK-B/reinstate")

    wait_for(client, "BARRED", "settled")


def test_money_that_is_not_there_does_not_go_out(client, sandbox):
    body = CASH | {"reference": "GONE", "direction": "out", "account": "BRK-C/client"}
    before = everything(sandbox)

    refused = client.post("/sandbox/fund", json=body | {"amount": "1000000000.01"})

    assert (refused.status_code, refused.json()["reason"]) == (409, "MONY")
    assert everything(sandbox) == before
    gone = client.post("/sandbox/fund", json=body | {"amount": ALL_CASH})
    again = client.post("/sandbox/fund", json=body | {"amount": ALL_CASH})
    assert (gone.json()["available"], again.status_code) == ("0.00", 200)


def test_dry_run_of_what_is_not_entered_and_of_a_cycle_change_nothing(client, sandbox):
    trade = {"number": "DRY1", "instrument": "NOVA1", "quantity": "100000001", "price": "1.00"}
    client.post("/trades", json=trade | {"seller": "BRK-A/client", "buyer": "BRK-B"})
    deadline = time.monotonic() + SECONDS_MAX
    while not (cycle := client.post("/dry-run/cycle").json())["trades"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = everything(sandbox)
    asked = {"instructions": [DVP | {"label": "DRY", "quantity": "200000000"}]}

    forecast = client.post("/dry-run/instructions", json=asked).json()
    cycle = client.post("/dry-run/cycle").json()

    assert everything(sandbox) == before
    assert (forecast["settles"], forecast["why"]["reason"]) == (False, "LACK")
    assert (cycle["settling"], cycle["leaving"]) == (0, 1)
    assert cycle["leavers"][0]["why"]["reason"] == "LACK"
    assert client.post("/cycles").json()["state"] == "empty"
    left = read(client, cycle["leavers"][0]["id"])
    assert (left["is_of_trade"], left["why"]["reason"]) == (True, "LACK")


def test_lists_are_filtered_and_paged_to_their_end(client):
    seen, cursor = [], None
    while True:
        page = client.get(
            "/instructions", params={"limit": 3} | ({"cursor": cursor} if cursor else {})
        )
        seen += [each["arrival"] for each in page.json()["data"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    settled = client.get("/instructions?state=settled&participant=BRK-C&limit=500").json()["data"]
    held = client.get("/instructions?reason=HELD").json()["data"]

    assert seen == list(range(len(seen)))
    assert {each["state"] for each in settled} == {"settled"}
    assert all("BRK-C" in each["deliverer"] + each["receiver"] for each in settled)
    assert {each["state"] for each in held} <= {"held"}
    first, second = (client.get(f"/queue?limit={limit}").json() for limit in (1, 2))
    rest = client.get("/queue", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert first["data"] + rest["data"] == second["data"]


MALFORMED = [
    (DVP, {"label": "a b"}),
    (DVP, {"label": ""}),
    (DVP, {"label": "XNOV.2026-02-10.ZZ0000NOVA12.T1"}),
    (DVP, {"label": "x" * 36}),
    (DVP, {"label": "\uff21"}),
    (DVP, {"label": "A\n"}),
    (DVP, {"kind": "dVp"}),
    (DVP, {"kind": None}),
    (DVP, {"quantity": 100}),
    (DVP, {"quantity": "1_000"}),
    (DVP, {"quantity": True}),
    (DVP, {"quantity": "0"}),
    (DVP, {"quantity": "+1"}),
    (DVP, {"quantity": "9999999999999999"}),
    (DVP, {"amount": 5.0}),
    (DVP, {"amount": "5.001"}),
    (DVP, {"amount": "NaN"}),
    (DVP, {"amount": "1e3"}),
    (DVP, {"amount": "-1.00"}),
    (DVP, {"amount": "0.00"}),
    (DVP, {"amount": "1,000.00"}),
    (DVP, {"amount": "\uff15"}),
    (DVP, {"amount": "99999999999999.00"}),
    (DVP, {"seller": "BRK-B/client"}),
    (DVP, {"seller": "EXCHANGE"}),
    (DVP, {"buyer": "BRK-A/"}),
    (DVP, {"instrument": "US0378331006"}),
    (DVP, {"hold": "true"}),
    (DVP, {"hold": 1}),
    (DVP, {"partial": "yes"}),
    (DVP, {"priority": "URGENT"}),
    (DVP, {"priority": 0}),
    (DVP, {"expires": "24:00"}),
    (DVP, {"expires": "9:00"}),
    (DVP, {"expires": 570}),
    (DVP, {"expires": "09:00:00Z"}),
    (DVP, {"linked_to": "OTHER"}),
    (DVP, {"linked_to": ["BAD"]}),
    (DVP, {"linked_to": ["X", "X"]}),
    (DVP, {"colour": "red"}),
    (DVP, {"payer": "BRK-A"}),
    (DVP, {"currency": "CNY"}),
    (PAY, {"quantity": "1"}),
    (PAY, {"currency": "cny"}),
    (FOP, {"amount": "1.00"}),
]
UNKNOWN = [
    (DVP, {"instrument": "NOPE"}),
    (DVP, {"seller": "NOBODY"}),
    (DVP, {"buyer": "BRK-A/other"}),
    (PAY, {"currency": "USD"}),
]


def test_bad_instructions_are_refused_as_problems_and_change_nothing(client, sandbox):
    before = everything(sandbox)
    cases = [(case, 422, "INVALID") for case in MALFORMED]
    cases += [(case, 404, "UNKNOWN") for case in UNKNOWN]
    for (kind, changes), status, reason in cases:
        body = kind | {"label": "BAD"} | changes
        for path, asked in (
            ("/instructions", body),
            ("/dry-run/instructions", {"instructions": [body]}),
        ):
            refused = client.post(path, json=asked)
            assert (refused.status_code, refused.json()["reason"]) == (status, reason), changes
            assert refused.headers["content-type"] == "application/problem+json"

    assert everything(sandbox) == before


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/instructions/NEVER/hold", {"by": "BRK-A"}, 404, "UNKNOWN"),
        ("/instructions/STRANGER/hold", {"by": "BRK-C"}, 403, "UNAUTHORISED"),
        ("/instructions/STRANGER/cancel", {"by": "NOBODY"}, 403, "UNAUTHORISED"),
        ("/instructions/STRANGER/settle", {}, 422, "INVALID"),
        ("/instructions/STRANGER/hold", {"by": "BRK-A", "why": "so"}, 422, "INVALID"),
        ("/instructions/STRANGER/prioritise", {"by": "BRK-A"}, 422, "INVALID"),
        ("/instructions/STRANGER/prioritise", {"by": "BRK-A", "priority": "0"}, 422, "INVALID"),
        ("/instructions/STRANGER/settle", {"by": "BRK-C"}, 403, "UNAUTHORISED"),
        ("/instructions/STRANGER/replace", {"by": "BRK-A"}, 422, "INVALID"),
        ("/queue/resolve", {"algorithm": "off"}, 422, "INVALID"),
        ("/queue/resolve", {"algorithm": "FIFO"}, 422, "INVALID"),
        ("/dry-run/instructions", {}, 422, "INVALID"),
        ("/dry-run/instructions", {"labels": ["STRANGER", "STRANGER"]}, 422, "INVALID"),
        ("/dry-run/instructions", {"labels": ["NEVER"]}, 404, "UNKNOWN"),
        ("/dry-run/instructions", {"labels": "STRANGER"}, 422, "INVALID"),
        ("/sandbox/fund", CASH | {"amount": "0"}, 422, "INVALID"),
        ("/sandbox/fund", CASH | {"amount": "1_0"}, 422, "INVALID"),
        ("/sandbox/fund", CASH | {"direction": "up"}, 422, "INVALID"),
        ("/sandbox/fund", CASH | {"kind": "securities"}, 422, "INVALID"),
        ("/sandbox/fund", CASH | {"account": "REGISTRAR"}, 422, "INVALID"),
        ("/sandbox/fund", CASH | {"reference": "a b"}, 422, "INVALID"),
        ("/reservations", CASH, 422, "INVALID"),
        ("/participants/EXCHANGE/suspend", None, 422, "INVALID"),
        ("/participants/NOBODY/suspend", None, 404, "UNKNOWN"),
    ],
)
def test_bad_request_is_refused_and_changes_nothing(client, sandbox, path, body, status, reason):
    enter(client, label="STRANGER", hold=True)
    before = everything(sandbox)

    refused = client.post(path, json=body)

    assert (refused.status_code, refused.json()["reason"]) == (status, reason)
    assert everything(sandbox) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "-1.00"},
        {"amount": True},
        {"currency": "XXXX"},
        {"counterparty": "BRK-A"},
        {"account": "EXCHANGE"},
        {"limit": "1.00"},
    ],
)
def test_bad_limit_is_refused(client, changes):
    refused = client.put("/limits", json={"account": "BRK-A", "amount": "1.00"} | changes)

    assert refused.status_code == 422
    assert client.put("/limits", content=b"x").json()["detail"].startswith("content-type")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/instructions?state=gone", 422),
        ("/instructions?reason=mony", 422),
        ("/instructions?participant=NOBODY", 404),
        ("/instructions?colour=red", 422),
        ("/instructions/NEVER", 404),
        ("/instructions/NEVER/dry-run", 404),
        ("/instructions/" + "x" * 161, 422),
        ("/queue?cursor=-1", 422),
        ("/limits?limit=0", 422),
    ],
)
def test_bad_question_is_refused(client, path, status):
    assert client.get(path).status_code == status


def test_page_counts_what_waits_by_reason(client):
    enter(client, label="SHOWN", hold=True)
    page = str(client.base_url).replace("/v1/", "/parts/today")

    english, chinese = (
        httpx2.get(f"{page}?lang={language}", headers=key_header()).text
        for language in ("en", "zh")
    )

    assert "<strong>HELD</strong> It is on hold" in english
    assert "笔指令等待" in chinese


def test_expiry_is_a_time_of_the_business_day(client):
    enter(client, label="EXPIRES", expires="23:59:59", hold=True)

    assert read(client, "EXPIRES")["expires_at"].endswith("T23:59:59")


def test_books_agree_after_all_of_this(client):
    agreed = client.get("/reconciliation").json()

    assert agreed["agrees"], agreed["breaks"]


def test_everything_is_there_after_a_restart(tmp_path):
    options, seen = SandboxOptions(cycle_seconds=0), []
    for place in range(2):
        opened = open_sandbox(tmp_path, "test", DAY, options=options)
        with (
            served(opened) as server,
            httpx2.Client(
                base_url=f"http://{server.place}/v1", timeout=30, headers=key_header()
            ) as client,
        ):
            entered = enter(client, label="KEPT", hold=True, expires="23:59", priority="high")
            assert entered.status_code == (200 if place else 201)
            if not place:
                client.put("/limits", json={"account": "BRK-A", "amount": "5.00"})
                client.post("/participants/BRK-C/suspend")
            refused = pay(client, "BARRED", "BRK-A", "BRK-C", "1.00")
            paths = ("/instructions", "/limits", "/queue", "/instructions/KEPT/dry-run")
            answers = [client.get(path).json() for path in paths]
            seen.append([entered.json(), refused.json()["reason"], *answers])

    assert seen[0] == seen[1]
