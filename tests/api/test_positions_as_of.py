"""Positions as of a block are those that were shown when it was the last, whoever asks later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.batches import json_rows
from tests.support.clients import client_of
from tests.support.consortia import DAY

STEPS_MAX = 12
SHOWN = ("account", "asset", "available", "held", "total")


def shown(client, query=""):
    """What a list of positions says, all pages of it."""
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/positions?limit=20{query}{cursor and '&cursor=' + cursor}").json()
        found += [tuple(each[name] for name in SHOWN) for each in page["data"]]
        cursor = page["next_cursor"]
    return page["as_of_block"], found


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A market with some history, and what was shown at each of its last blocks."""
    options = SandboxOptions(cycle_seconds=0)
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with client_of(create_app(sandbox)) as client:
        seen = dict([shown(client)])
        for step in range(STEPS_MAX):
            match step % 3:
                case 0:
                    client.post("/v1/trades:batch", json=json_rows(step * 100 + 1, 7))
                    client.post("/v1/cycles")
                case 1:
                    body = {"kind": "cash", "account": "BRK-A", "amount": f"{step}.50"}
                    body |= {"reference": f"R-{step}", "act": "reserve"}
                    client.post("/v1/reservations", json=body)
                case _:
                    body = {"kind": "securities", "account": "BRK-B", "quantity": "5"}
                    body |= {"instrument": "NOVA1", "reference": f"F-{step}", "direction": "out"}
                    client.post("/v1/sandbox/fund", json=body)
            seen |= dict([shown(client)])
        yield client, seen


def test_market_has_a_history(market):
    assert len(market[1]) > STEPS_MAX // 2


@given(st.data())
def test_positions_as_of_a_block_are_those_shown_then(market, data):
    client, seen = market
    block = data.draw(st.sampled_from(sorted(seen)))

    assert shown(client, f"&as_of_block={block}") == (block, seen[block])
    owner = data.draw(st.sampled_from(["BRK-A", "BRK-B", "BRK-C"]))
    own = [each for each in seen[block] if each[0].partition("/")[0] == owner]
    assert shown(client, f"&as_of_block={block}&participant={owner}") == (block, own)


def test_positions_as_of_the_last_block_are_those_of_now(market):
    client, seen = market
    head = max(seen)

    now = client.get("/v1/positions?limit=500").json()
    assert client.get(f"/v1/positions?limit=500&as_of_block={head}").json() == now
    assert all(each["agrees"] for each in now["data"])
    past = client.get(f"/v1/positions?as_of_block={head - 1}").json()
    assert {(each["own_book"], each["agrees"]) for each in past["data"]} == {(None, None)}


def test_block_that_is_not_final_is_refused_with_the_last_that_is(market):
    client, seen = market
    refused = client.get(f"/v1/positions?as_of_block={max(seen) + 1}")

    assert refused.status_code == 404
    assert f"the last one is {max(seen)}" in refused.json()["detail"]
    assert client.get("/v1/positions?as_of_block=0").json()["data"] == []
