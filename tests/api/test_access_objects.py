"""Whose objects somebody sees and acts on: two brokers, and those who look on."""

import time

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from nodes.api_keys import seeded_secret
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY

SEE_EVERYTHING = ("OPERATOR", "CLEARING-HOUSE", "REGULATOR")
SECONDS_MAX = 20


class As:
    """The interface, with one holder's key a call."""

    def __init__(self, client):
        self.client = client

    def __call__(self, name, method, path, **options):
        return self.client.request(method, f"/v1{path}", headers=key_header(name), **options)

    def labels(self, name, path, key="label"):
        return [each[key] for each in self(name, "GET", path).json()["data"]]


def trade(number, seller, buyer):
    return {
        "number": number,
        "instrument": "NOVA1",
        "quantity": "100",
        "price": "10.50",
        "seller": seller,
        "buyer": buyer,
    }


def delivery(label, seller, buyer, **more):
    return {
        "label": label,
        "kind": "dvp",
        "seller": seller,
        "buyer": buyer,
        "instrument": "NOVA1",
        "quantity": "100",
        "amount": "1.00",
        **more,
    }


def side(reference, role, account, counterparty):
    return {
        "reference": reference,
        "kind": "fop",
        "side": role,
        "account": account,
        "counterparty": counterparty,
        "instrument": "NOVA1",
        "quantity": "7",
        "settlement_date": DAY.isoformat(),
    }


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    return create_app(open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY, options=options))


@pytest.fixture(scope="module")
def ask(app):
    """BRK-A and BRK-B have a trade, an instruction, a queue; so have BRK-B and BRK-C."""
    with TestClient(app) as client:
        ask = As(client)
        ask("OPERATOR", "POST", "/clock", json={"frozen": True})
        for number, seller, buyer in (("AB", "BRK-A", "BRK-B"), ("BC", "BRK-B/client", "BRK-C")):
            captured = ask("EXCHANGE", "POST", "/trades", json=trade(number, seller, buyer))
            assert captured.status_code == 201
        for label, seller, buyer in (("AB", "BRK-A", "BRK-B"), ("BC", "BRK-B", "BRK-C")):
            big = delivery(label, seller, buyer) | {"amount": "2000000000.00"}
            assert ask("OPERATOR", "POST", "/instructions", json=big).status_code == 201
        held = delivery("HELD-AB", "BRK-A", "BRK-B", hold=True)
        assert ask("OPERATOR", "POST", "/instructions", json=held).status_code == 201
        for account in ("BRK-A", "BRK-C"):
            limit = {"account": account, "amount": "900.00"}
            assert ask(account, "PUT", "/limits", json=limit).status_code == 200
        deadline = time.monotonic() + SECONDS_MAX
        while ask("OPERATOR", "GET", "/instructions/BC").json()["state"] != "queued":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield ask


def id_of(number):
    return f"XNOV.{DAY.isoformat()}.ZZ0000NOVA12.{number}"


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        *((name, ["AB", "BC"]) for name in (*SEE_EVERYTHING, "EXCHANGE", "BRK-B")),
        ("BRK-A", ["AB"]),
        ("BRK-C", ["BC"]),
        ("BANK-1", []),
        ("REGISTRAR", []),
    ],
)
def test_trades_are_shown_to_their_parties(ask, name, numbers):
    ids = {
        number: ask("OPERATOR", "GET", "/trades").json()["data"][i]["id"]
        for i, number in enumerate(("AB", "BC"))
    }

    assert ask.labels(name, "/trades", "number") == numbers
    for number, id in ids.items():
        expected = 200 if number in numbers else 404
        assert ask(name, "GET", f"/trades/{id}").status_code == expected
        # A trade that has not settled has no proof: others do not learn even that.
        proof = ask(name, "GET", f"/trades/{id}/proof")
        assert proof.status_code == (409 if number in numbers else 404)
        signed = ask(name, "GET", f"/trades/{id}/signatures")
        assert (signed.status_code == 404) is (number not in numbers)
        page = ask.client.get(f"/chain/trades/{id}", headers=key_header(name))
        assert page.status_code == expected


def test_what_is_of_others_is_refused_in_the_same_words_as_what_is_not(ask):
    id = ask("OPERATOR", "GET", "/trades").json()["data"][0]["id"]
    never = id.replace(".AB", ".NO")
    pairs = [
        (("GET", f"/trades/{id}"), ("GET", f"/trades/{never}"), id, never),
        (("GET", "/instructions/AB"), ("GET", "/instructions/NO"), "AB", "NO"),
        (("GET", "/instructions/AB/dry-run"), ("GET", "/instructions/NO/dry-run"), "AB", "NO"),
        (("GET", "/sides/BRK-A/S1"), ("GET", "/sides/BRK-A/S2"), "S1", "S2"),
    ]
    ask("BRK-A", "POST", "/sides", json=side("S1", "deliverer", "BRK-A", "BRK-B"))
    for theirs, nothing, name, other in pairs:
        hidden, missing = ask("BRK-C", *theirs), ask("BRK-C", *nothing)
        assert hidden.status_code == missing.status_code == 404
        words = [{**each.json(), "request_id": ""} for each in (hidden, missing)]
        assert str(words[0]).replace(name, other) == str(words[1])


def test_trades_are_paged_for_a_party_as_for_everybody(ask):
    first = ask("BRK-B", "GET", "/trades?limit=1").json()
    second = ask("BRK-B", "GET", f"/trades?limit=1&cursor={first['next_cursor']}").json()

    assert [page["data"][0]["number"] for page in (first, second)] == ["AB", "BC"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        *((name, {"AB", "BC", "HELD-AB"}) for name in (*SEE_EVERYTHING, "BRK-B")),
        ("BRK-A", {"AB", "HELD-AB"}),
        ("BRK-C", {"BC"}),
        ("BANK-2", set()),
        ("EXCHANGE", set()),
    ],
)
def test_instructions_are_shown_to_their_sides(ask, name, labels):
    assert set(ask.labels(name, "/instructions")) == labels
    for label in ("AB", "BC", "HELD-AB"):
        expected = 200 if label in labels else 404
        assert ask(name, "GET", f"/instructions/{label}").status_code == expected
        assert ask(name, "GET", f"/instructions/{label}/dry-run").status_code == expected


def test_queues_and_what_stands_aside_are_shown_to_whose_they_are(ask):
    def seen(name):
        found = ask(name, "GET", "/queue").json()
        labels = {i["label"] for queue in found["data"] for i in queue["instructions"]}
        return labels, {each["label"] for each in found["aside"]}, found["live"]

    assert seen("REGULATOR") == ({"AB", "BC"}, {"HELD-AB"}, 3)
    # Of its own accounts: to deliver it stands in a queue too.
    assert seen("BRK-A") == ({"AB"}, {"HELD-AB"}, 2)
    assert seen("BRK-B") == ({"AB", "BC"}, {"HELD-AB"}, 3)
    assert seen("BRK-C") == ({"BC"}, set(), 1)
    assert seen("EXCHANGE") == (set(), set(), 0)
    assert all(
        queue["account"].startswith("BRK-C")
        for queue in ask("BRK-C", "GET", "/queue").json()["data"]
    )


@pytest.mark.parametrize("verb", ["hold", "release", "cancel", "settle", "prioritise"])
def test_nobody_speaks_for_another_side(ask, verb):
    more = {"priority": "high"} if verb == "prioritise" else {}
    path = f"/instructions/AB/{verb}"
    before = ask("OPERATOR", "GET", "/instructions/AB").json()

    stranger = ask("BRK-C", "POST", path, json={"by": "BRK-C", **more})
    pretender = ask("BRK-A", "POST", path, json={"by": "BRK-B", **more})
    onlooker = ask("REGULATOR", "POST", path, json={"by": "BRK-A", **more})
    house = ask("CLEARING-HOUSE", "POST", path, json={"by": "BRK-A", **more})

    refused = [answer.status_code for answer in (stranger, pretender, onlooker, house)]
    assert refused == [404, 403, 403, 403]
    after = ask("OPERATOR", "GET", "/instructions/AB").json()
    assert {**before, "as_of_block": 0} == {**after, "as_of_block": 0}


def test_side_speaks_for_itself(ask):
    held = ask("BRK-A", "POST", "/instructions/AB/hold", json={"by": "BRK-A"})
    released = ask("BRK-A", "POST", "/instructions/AB/release", json={"by": "BRK-A"})

    assert (held.status_code, released.status_code) == (200, 200)


def test_instruction_that_binds_another_is_not_entered(ask):
    theirs = ask("BRK-A", "POST", "/instructions", json=delivery("X", "BRK-A", "BRK-B"))
    replaced = ask(
        *("BRK-A", "POST", "/instructions/AB/replace"),
        json={"by": "BRK-A", "instruction": delivery("X", "BRK-A", "BRK-B")},
    )
    own = ask("BRK-A", "POST", "/instructions", json=delivery("OWN", "BRK-A", "BRK-A/client"))

    assert (theirs.status_code, replaced.status_code, own.status_code) == (403, 403, 201)
    assert "POST /v1/sides" in theirs.json()["detail"]
    assert ask("OPERATOR", "GET", "/instructions/X").status_code == 404


def test_batch_enters_what_binds_nobody_else_only(ask):
    batch = [delivery("B1", "BRK-A", "BRK-B"), delivery("B2", "BRK-A", "BRK-A/client")]
    answer = ask("BRK-A", "POST", "/instructions:batch", json=batch)

    assert answer.status_code == 207
    assert [each["status"] for each in answer.json()["results"]] == [403, 201]
    assert ask("OPERATOR", "GET", "/instructions/B1").status_code == 404


def test_breaks_of_others_are_neither_shown_nor_worked_on(ask):
    body = {"by": "li", "text": "x"}
    path = f"/breaks/BRK-B/{'0' * 16}"

    assert ask("BRK-A", "GET", "/breaks?owner=BRK-B").status_code == 403
    assert ask("BRK-A", "GET", path).status_code == 403
    assert ask("BRK-A", "POST", f"{path}/comment", json=body).status_code == 403
    assert ask("CLEARING-HOUSE", "POST", f"{path}/comment", json=body).status_code == 403
    assert ask("REGULATOR", "POST", f"{path}/comment", json=body).status_code == 403
    # Its own: there is none of that name.
    assert ask("BRK-B", "POST", f"{path}/comment", json=body).status_code == 404
    own = f"/breaks/CLEARING-HOUSE/{'0' * 16}/comment"
    assert ask("CLEARING-HOUSE", "POST", own, json=body).status_code == 404


def test_statements_are_their_participants(ask):
    path = "/statements/BRK-A/cash.csv"
    csv = {"content": b"nonsense", "params": {"name": "x"}}

    statuses = {
        name: ask(name, "GET", path).status_code for name in ("BRK-A", "BRK-B", "REGULATOR")
    }
    assert statuses == {"BRK-A": 200, "BRK-B": 403, "REGULATOR": 200}
    headers = {"content-type": "text/csv"}
    for name, status in (("BRK-B", 403), ("REGULATOR", 403), ("BRK-A", 422)):
        answer = ask.client.post("/v1/statements/BRK-A", headers=headers | key_header(name), **csv)
        assert answer.status_code == status


def test_events_and_requests_are_shown_to_whom_they_concern(ask):
    for name in ("BRK-A", "BRK-C"):
        events = ask(name, "GET", "/events?limit=500").json()["data"]
        requests = ask(name, "GET", "/requests?limit=500").json()["data"]
        assert all(not each["participants"] or name in each["participants"] for each in events)
        assert {each["caller"] for each in requests} <= {name}
    assert ask.labels("BRK-A", "/requests?caller=BRK-B", "caller") == []


def test_sides_are_their_own_participants_alone(ask):
    entered = ask("BRK-A", "POST", "/sides", json=side("OWN", "deliverer", "BRK-A", "BRK-B"))
    foreign = ask("BRK-B", "POST", "/sides", json=side("NOT", "deliverer", "BRK-A", "BRK-B"))

    assert (entered.status_code, foreign.status_code) == (201, 403)
    assert ask("BRK-B", "GET", "/sides/BRK-A/OWN").status_code == 404
    assert ask("BRK-B", "POST", "/sides/BRK-A/OWN/withdraw").status_code == 404
    amended = {"replacement": side("OTHER", "deliverer", "BRK-A", "BRK-B")}
    assert ask("BRK-B", "POST", "/sides/BRK-A/OWN/amend", json=amended).status_code == 404
    assert ask("BRK-B", "GET", "/sides?participant=BRK-A").status_code == 403
    assert "OWN" not in ask.labels("BRK-B", "/sides", "reference")
    assert "OWN" in ask.labels("REGULATOR", "/sides?participant=BRK-A", "reference")
    assert ask.labels("EXCHANGE", "/sides", "reference") == []
    # To whom it is alleged sees it as such; nobody else does.
    alleged = ask("BRK-B", "GET", "/allegements?participant=BRK-B").json()["data"]
    assert "OWN" in [each["reference"] for each in alleged]
    assert ask("BRK-C", "GET", "/allegements?participant=BRK-B").status_code == 403
    assert ask("BRK-A", "POST", "/sides/BRK-A/OWN/withdraw").status_code == 200


def test_limits_and_reservations_are_the_owners(ask):
    limit = {"account": "BRK-A/client", "amount": "1.00"}
    reservation = {
        "reference": "R1",
        "kind": "cash",
        "act": "reserve",
        "account": "BRK-A",
        "amount": "1.00",
    }

    assert ask("BRK-B", "PUT", "/limits", json=limit).status_code == 403
    assert ask("BRK-B", "DELETE", "/limits?account=BRK-A").status_code == 403
    assert ask("BRK-B", "POST", "/reservations", json=reservation).status_code == 403
    assert ask.labels("BRK-A", "/limits", "account") == ["BRK-A"]
    assert ask.labels("BRK-B", "/limits", "account") == []
    assert ask.labels("REGULATOR", "/limits", "account") == ["BRK-A", "BRK-C"]
    assert ask("BRK-A", "POST", "/reservations", json=reservation).status_code == 200


@pytest.mark.parametrize(
    ("name", "account", "kind", "status"),
    [
        ("BANK-1", "BRK-A", "cash", 200),
        ("BANK-2", "BRK-A", "cash", 403),
        ("BANK-1", "BRK-A", "securities", 403),
        ("REGISTRAR", "BRK-A", "securities", 200),
        ("REGISTRAR", "BRK-A", "cash", 403),
        ("BRK-A", "BRK-A", "cash", 403),
        ("OPERATOR", "BRK-B", "cash", 200),
    ],
)
def test_issuers_bring_in_what_they_issue(ask, name, account, kind, status):
    asset = {"amount": "1.00"} if kind == "cash" else {"instrument": "NOVA1", "quantity": "1"}
    funding = {"reference": f"F-{name}-{kind}", "kind": kind, "direction": "in", "account": account}

    assert ask(name, "POST", "/sandbox/fund", json=funding | asset).status_code == status


def test_positions_are_shown_to_owner_bank_and_registrar(ask):
    def seen(name, query=""):
        page = ask(name, "GET", f"/positions?limit=500{query}").json()["data"]
        return {(each["account"].partition("/")[0], each["kind"]) for each in page}

    both = {"cash", "securities"}
    assert seen("BRK-A") == {("BRK-A", kind) for kind in both}
    assert seen("BANK-1") == {("BRK-A", "cash"), ("BRK-C", "cash")}
    assert seen("REGISTRAR") == {(f"BRK-{x}", "securities") for x in "ABC"}
    assert seen("REGULATOR") == seen("OPERATOR") == {(f"BRK-{x}", k) for x in "ABC" for k in both}
    assert seen("EXCHANGE") == set()
    assert ask("BRK-A", "GET", "/positions?participant=BRK-B").status_code == 403
    assert seen("BANK-1", "&participant=BRK-A") == {("BRK-A", "cash")}


def test_reconciliation_and_numbers_of_breaks_are_ones_own(ask):
    own = ask("BRK-A", "GET", "/reconciliation").json()
    whole = ask("REGULATOR", "GET", "/reconciliation").json()
    listed = ask("BRK-A", "GET", "/participants").json()["data"]

    assert [each["participant"] for each in own["nodes"]] == ["BRK-A"]
    assert len(whole["nodes"]) == 8
    assert [each["id"] for each in listed if each["open_breaks"] is not None] == ["BRK-A"]


def test_dry_run_does_not_tell_what_others_have(ask):
    between_others = {"instructions": [delivery("Y", "BRK-A", "BRK-B")]}
    own = {"instructions": [delivery("Y", "BRK-C", "BRK-B")]}

    assert ask("BRK-C", "POST", "/dry-run/instructions", json=between_others).status_code == 403
    assert ask("BRK-C", "POST", "/dry-run/instructions", json={"labels": ["AB"]}).status_code == 404
    assert ask("BRK-C", "POST", "/dry-run/instructions", json=own).status_code == 200
    assert ask("REGULATOR", "POST", "/dry-run/instructions", json=between_others).status_code == 200


def test_dry_run_withholds_labels_that_are_of_others(ask):
    # BRK-B owes cash in AB already, which goes first; BRK-C is no side of that.
    asked = delivery("Z", "BRK-C", "BRK-B") | {"amount": "3000000000.00"}
    answer = ask("BRK-C", "POST", "/dry-run/instructions", json={"instructions": [asked]})

    assert answer.json()["ahead_total"] > 0
    assert '"AB"' not in answer.text
    assert "(of others)" in answer.json()["ahead"]


def test_page_of_the_day_shows_ones_own(ask):
    def page(name):
        return ask.client.get("/", headers=key_header(name)).text

    assert f'title="{id_of("BC")}"' in page("REGULATOR")
    assert f'title="{id_of("BC")}"' not in page("BRK-A")
    assert "You see no cash here" in page("EXCHANGE")
    assert "You see no cash here" not in page("BRK-A")


def test_settled_trades_of_a_cycle_are_shown_to_their_parties(ask):
    ask("OPERATOR", "POST", "/cycles")
    id = ask("BRK-A", "GET", "/trades").json()["data"][0]["id"]
    settled = ask("BRK-A", "GET", f"/trades/{id}").json()
    path = f"/chain/transactions/{settled['transaction_hash']}"

    def shown(name):
        text = ask.client.get(path, headers=key_header(name)).text
        return [number for number in ("AB", "BC") if f".{number}<" in text or f".{number}?" in text]

    assert shown("OPERATOR") == ["AB", "BC"]
    assert shown("BRK-A") == ["AB"]
    assert shown("BANK-1") == []


def test_key_of_the_seed_is_not_the_name_of_anybody_else():
    assert seeded_secret(SEED, "BRK-A") != seeded_secret(SEED, "BRK-B")
