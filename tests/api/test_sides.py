"""Two-sided entry over REST, on a real server: matched, alleged, withdrawn, amended, refused."""

import time
from datetime import date, timedelta

import httpx2
import pytest

from ledger.domain.reasons import Reason
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.state_hash import state_hash
from tests.support.clients import key_header
from tests.support.consortia import DAY
from tests.support.servers import served

SALE = {
    "reference": "S",
    "kind": "dvp",
    "side": "seller",
    "account": "BRK-A",
    "counterparty": "BRK-B",
    "instrument": "NOVA1",
    "quantity": "100",
    "amount": "1000.00",
    "settlement_date": DAY.isoformat(),
}
PURCHASE = SALE | {"reference": "P", "side": "buyer", "account": "BRK-B", "counterparty": "BRK-A"}
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
        opened.post("/clock", json={"frozen": True})
        yield opened


def today(client):
    return date.fromisoformat(client.get("/clock").json()["business_date"])


def enter(client, terms, **changes):
    return client.post("/sides", json=terms | changes)


def read(client, participant, reference):
    return client.get(f"/sides/{participant}/{reference}").json()


def say(client, participant, reference, verb, **body):
    return client.post(f"/sides/{participant}/{reference}/{verb}", json=body)


def wait_for(client, participant, reference, state):
    deadline = time.monotonic() + SECONDS_MAX
    while (found := read(client, participant, reference))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_two_sides_within_the_tolerance_match_and_settle_at_the_deliverers_amount(client):
    sale = enter(client, SALE, reference="S1")
    assert (sale.status_code, sale.json()["state"]) == (201, "unmatched")
    assert sale.json()["why"]["reason"] == "UNMATCHED"
    assert sale.json()["instruction"] is None

    purchase = enter(client, PURCHASE, reference="P1", amount="1002.00")

    assert purchase.status_code == 201
    assert purchase.json()["instruction"] == "BRK-A:S1+BRK-B:P1"
    settled = wait_for(client, "BRK-A", "S1", "settled")
    assert (settled["instruction"], settled["why"]) == ("BRK-A:S1+BRK-B:P1", None)
    instruction = client.get("/instructions/BRK-A:S1+BRK-B:P1").json()
    assert instruction["settled_amount"] == "1000.00"
    assert client.get("/reconciliation").json()["agrees"]


def test_side_outside_the_tolerance_is_told_what_is_nearest_and_alleged(client):
    enter(client, SALE, reference="S2")
    found = enter(client, PURCHASE, reference="P2", amount="1002.01", quantity="99").json()

    nearest = {
        "participant": "BRK-A",
        "reference": "S2",
        "differing": [
            {"field": "quantity", "yours": "99", "theirs": "100"},
            {"field": "amount", "yours": "1002.01", "theirs": "1000.00"},
        ],
    }
    assert (found["state"], found["nearest"]) == ("unmatched", nearest)
    alleged = client.get("/allegements", params={"participant": "BRK-B"}).json()
    assert alleged["total"] == 1
    [one] = alleged["data"]
    assert (one["participant"], one["reference"], one["side"]) == ("BRK-A", "S2", "seller")
    assert one["nearest"]["reference"] == "P2"
    assert one["nearest"]["differing"] == nearest["differing"]
    assert client.get("/allegements", params={"participant": "BRK-C"}).json()["data"] == []

    say(client, "BRK-A", "S2", "withdraw")
    say(client, "BRK-B", "P2", "withdraw")
    assert client.get("/allegements", params={"participant": "BRK-B"}).json()["total"] == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"kind": "fop", "side": "deliverer", "instrument": "NOVA2", "quantity": "5"},
            {"kind": "fop", "side": "receiver", "instrument": "NOVA2", "quantity": "5"},
        ),
        (
            {"kind": "pay", "side": "payee", "amount": "5.00"},
            {"kind": "pay", "side": "payer", "amount": "5.00", "currency": "CNY"},
        ),
    ],
)
def test_free_deliveries_and_payments_match_too(client, one, other):
    common = ("settlement_date", "account", "counterparty")
    reference = one["kind"].upper()
    enter(client, {n: SALE[n] for n in common} | one, reference=reference)
    entered = enter(client, {n: PURCHASE[n] for n in common} | other, reference=reference)

    assert entered.status_code == 201, entered.text
    found = wait_for(client, "BRK-B", reference, "settled")
    assert found["side"] == other["side"]
    assert (found["amount"] is None, found["quantity"] is None) == (
        one["kind"] == "fop",
        one["kind"] == "pay",
    )


def test_same_again_is_answered_again_and_other_content_is_refused(client):
    sale = SALE | {"reference": "SAME", "settlement_date": today(client).isoformat()}
    first = enter(client, sale, expires="23:59:59")
    again = enter(client, sale, expires="23:59:59")
    other = enter(client, sale)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json()
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["code"] == Reason.DUPLICATE.value
    say(client, "BRK-A", "SAME", "withdraw")
    assert enter(client, sale, expires="23:59:59").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"quantity": "0"}, 422, Reason.INVALID),
        ({"quantity": 100}, 422, Reason.INVALID),
        ({"amount": "0.00"}, 422, Reason.INVALID),
        ({"amount": "1.001"}, 422, Reason.INVALID),
        ({"side": "payer"}, 422, Reason.INVALID),
        ({"kind": "swap"}, 422, Reason.INVALID),
        ({"reference": "a b"}, 422, Reason.INVALID),
        ({"reference": "R" * 25}, 422, Reason.INVALID),
        ({"settlement_date": "2026-02-30"}, 422, Reason.INVALID),
        ({"settlement_date": "today"}, 422, Reason.INVALID),
        ({"account": "BRK-A/client/more"}, 422, Reason.INVALID),
        ({"account": "REGISTRAR"}, 422, Reason.INVALID),
        ({"counterparty": "brk b"}, 422, Reason.INVALID),
        ({"counterparty_account": "BRK-C"}, 422, Reason.INVALID),
        ({"linked_to": ["X", "X"]}, 422, Reason.INVALID),
        ({"priority": "first"}, 422, Reason.INVALID),
        ({"by": "BRK-A"}, 422, Reason.INVALID),
        ({"account": "BRK-D"}, 404, Reason.UNKNOWN),
        ({"account": "BRK-A/nobody"}, 404, Reason.UNKNOWN),
        ({"counterparty": "BRK-D"}, 404, Reason.UNKNOWN),
        ({"instrument": "NOPE"}, 404, Reason.UNKNOWN),
        ({"currency": "BRL"}, 404, Reason.UNKNOWN),
        ({"counterparty": "REGISTRAR"}, 403, Reason.UNAUTHORISED),
        ({"settlement_date": "2026-02-09", "expires": "23:59"}, 409, Reason.LATE),
    ],
)
def test_side_that_makes_no_sense_is_refused_with_its_reason(
    client, sandbox, changes, status, reason
):
    before = state_hash(sandbox.consortium), len(client.get("/sides").json()["data"])
    refused = enter(client, SALE, **({"reference": "WRONG"} | changes))

    assert (refused.status_code, refused.json()["code"]) == (status, reason.value), refused.text
    assert client.get("/sides/BRK-A/WRONG").status_code == 404
    assert (state_hash(sandbox.consortium), len(client.get("/sides").json()["data"])) == before


def test_side_against_a_suspended_participant_is_refused(client):
    client.post("/participants/BRK-C/suspend")
    refused = enter(client, SALE, reference="SUSP", counterparty="BRK-C")
    client.post("/participants/BRK-C/reinstate")

    assert refused.json()["code"] == Reason.SUSPENDED.value
    assert enter(client, SALE, reference="SUSP", counterparty="BRK-C").status_code == 201
    assert say(client, "BRK-A", "SUSP", "withdraw").json()["state"] == "cancelled"


def test_unmatched_side_is_withdrawn_by_its_own_participant_alone(client):
    enter(client, SALE, reference="S3")

    assert say(client, "BRK-B", "S3", "withdraw").status_code == 404
    withdrawn = say(client, "BRK-A", "S3", "withdraw")
    again = say(client, "BRK-A", "S3", "withdraw")

    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "cancelled")
    assert again.json() == withdrawn.json()
    assert enter(client, PURCHASE, reference="P3").json()["state"] == "unmatched"
    say(client, "BRK-B", "P3", "withdraw")


def test_matched_side_is_withdrawn_once_both_have_asked(client):
    enter(client, SALE, reference="S4", hold=True)
    enter(client, PURCHASE, reference="P4")
    wait_for(client, "BRK-A", "S4", "held")

    first, both = (say(client, p, r, "withdraw") for p, r in (("BRK-A", "S4"), ("BRK-B", "P4")))

    assert (first.status_code, first.json()["state"]) == (202, "held")
    assert (both.status_code, both.json()["state"]) == (200, "cancelled")
    assert read(client, "BRK-A", "S4")["state"] == "cancelled"


def test_settled_side_is_final(client):
    enter(client, SALE, reference="S5")
    enter(client, PURCHASE, reference="P5")
    wait_for(client, "BRK-A", "S5", "settled")

    for verb, body in (
        ("withdraw", {}),
        ("amend", {"replacement": SALE | {"reference": "S5b"}}),
    ):
        refused = say(client, "BRK-A", "S5", verb, **body)
        assert (refused.status_code, refused.json()["code"]) == (409, Reason.FINAL.value)
    assert client.get("/sides/BRK-A/S5b").status_code == 404


def test_amended_side_matches_and_the_old_one_is_cancelled(client):
    enter(client, SALE, reference="S6")
    enter(client, PURCHASE, reference="P6", amount="1010.00")
    replacement = SALE | {"reference": "S7", "amount": "1010.00"}

    amended = say(client, "BRK-A", "S6", "amend", replacement=replacement)

    assert amended.status_code == 201, amended.text
    assert amended.json()["instruction"] == "BRK-A:S7+BRK-B:P6"
    assert read(client, "BRK-A", "S6")["state"] == "cancelled"
    wait_for(client, "BRK-B", "P6", "settled")
    assert say(client, "BRK-A", "S6", "amend", replacement=replacement).status_code == 200


def test_amendment_of_a_matched_side_waits_for_the_other_one(client):
    enter(client, SALE, reference="S8", hold=True)
    enter(client, PURCHASE, reference="P8")
    replacement = SALE | {"reference": "S9"}

    asked = say(client, "BRK-A", "S8", "amend", replacement=replacement)
    assert (asked.status_code, asked.json()["reference"]) == (202, "S8")
    assert client.get("/sides/BRK-A/S9").status_code == 404
    say(client, "BRK-B", "P8", "withdraw")

    assert say(client, "BRK-A", "S8", "amend", replacement=replacement).status_code == 201
    say(client, "BRK-A", "S9", "withdraw")


@pytest.mark.parametrize(
    ("replacement", "reason"),
    [
        ({"reference": "S10"}, Reason.INVALID),
        ({"reference": "S11", "account": "BRK-C"}, Reason.UNAUTHORISED),
        ({"reference": "S11", "instrument": "NOPE"}, Reason.UNKNOWN),
        ({"reference": "S11", "counterparty_account": "BRK-C"}, Reason.INVALID),
    ],
)
def test_amendment_that_makes_no_sense_takes_nothing_back(client, replacement, reason):
    enter(client, SALE, reference="S10")
    refused = say(client, "BRK-A", "S10", "amend", replacement=SALE | replacement)

    assert refused.json()["code"] == reason.value
    assert read(client, "BRK-A", "S10")["state"] == "unmatched"


def test_sides_are_listed_by_participant_and_state_in_pages(client):
    for number in range(3):
        enter(client, SALE, reference=f"L{number}", account="BRK-C", counterparty="BRK-A")
    query = {"participant": "BRK-C", "state": "unmatched", "limit": 2}
    first = client.get("/sides", params=query).json()
    second = client.get("/sides", params=query | {"cursor": first["next_cursor"]}).json()

    listed = [each["reference"] for page in (first, second) for each in page["data"]]
    assert (listed, second["next_cursor"]) == (["L0", "L1", "L2"], None)
    assert "nearest" not in first["data"][0]
    others = client.get("/sides", params={"state": "settled", "limit": 500}).json()["data"]
    assert {each["state"] for each in others} == {"settled"}
    assert "BRK-C" not in {each["participant"] for each in others}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sides?participant=NOBODY", 404),
        ("/sides?participant=REGISTRAR", 422),
        ("/sides?state=matched", 422),
        ("/sides?cursor=x", 422),
        ("/sides?side=seller", 422),
        ("/sides/BRK-A/NOTHING", 404),
        ("/sides/NOBODY/S1", 404),
        ("/allegements", 422),
        ("/allegements?participant=NOBODY", 404),
        ("/allegements?participant=REGISTRAR", 422),
    ],
)
def test_query_for_nobody_and_nothing_is_refused(client, path, status):
    assert client.get(path).status_code == status


def test_withdrawal_by_nobody_is_refused_and_the_sandbox_goes_on(client):
    assert say(client, "NOBODY", "S1", "withdraw").status_code == 404
    assert say(client, "REGISTRAR", "S1", "withdraw").status_code == 422
    assert client.get("/sides").status_code == 200


def test_side_of_a_later_date_matches_and_settles_when_the_clock_comes_there(client):
    """The last test of the file: it moves the clock of the market."""
    tomorrow = (today(client) + timedelta(days=1)).isoformat()
    enter(client, SALE, reference="NEXT", settlement_date=tomorrow)
    matched = enter(client, PURCHASE, reference="NEXT", settlement_date=tomorrow).json()
    assert (matched["state"], matched["instruction"]) == ("queued", "BRK-A:NEXT+BRK-B:NEXT")
    assert client.get("/instructions/BRK-A:NEXT+BRK-B:NEXT").status_code == 404

    moved = client.post("/clock", json={"time": f"{tomorrow}T10:00"})

    assert moved.status_code == 200, moved.text
    wait_for(client, "BRK-A", "NEXT", "settled")
