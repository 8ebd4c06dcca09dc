"""Liquidity on screen: a gridlock is seen, resolved, and gone; everybody sees what is theirs."""

import math

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.liquidity.graph import ARROWS_MAX, HEIGHT, WIDTH, Owing, drawn, summed
from tests.support.clients import key_header
from tests.support.pages import busy_market

RING = "3000000000.00"
NAMES = st.sampled_from([f"BRK-{n}" for n in range(12)])
AMOUNTS = st.integers(1, 10**15)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    with busy_market(tmp_path_factory.mktemp("ring") / "state", trades=1) as opened:
        yield opened


def enter(market, label, seller, buyer, instrument):
    market.post(
        "/v1/instructions",
        {
            "label": label,
            "kind": "dvp",
            "seller": seller,
            "buyer": buyer,
            "instrument": instrument,
            "quantity": "10",
            "amount": RING,
        },
    )


def resolve(market, name, origin=None):
    return httpx2.post(
        f"{market.url}/liquidity/resolve",
        data={"algorithm": "fifo", "lang": "en"},
        headers={**key_header(name), "Origin": origin or market.url},
    )


def test_gridlock_is_seen_and_resolved_by_the_operator_alone(market):
    enter(market, "RING-1", "BRK-A", "BRK-C", "NOVA3")
    assert "This run would settle nothing" in market.get("/liquidity")
    enter(market, "RING-2", "BRK-C", "BRK-A", "NOVA2")

    before = market.get("/liquidity?algorithm=fifo&asset=CNY&lang=en")
    assert "Gridlock: none of these can settle alone" in before
    assert before.count('class="arrow settles"') == 2
    assert before.count('class="arrow stays"') == 1
    assert resolve(market, "BRK-B").status_code == 403
    assert resolve(market, "OPERATOR", "http://elsewhere").status_code == 403

    after = resolve(market, "OPERATOR")
    assert after.status_code == 200
    assert "Gridlock resolved" in after.text
    assert "RING-1" in after.text
    assert "RING-2" in after.text
    left = market.get("/liquidity")
    assert "RING" not in left
    assert "DVP-LACKING" in left


def test_broker_sees_what_concerns_it_and_nobody_may_name_another_algorithm(market):
    assert "DVP-LACKING" not in market.get("/liquidity", "BRK-C")
    assert "DVP-LACKING" in market.get("/liquidity", "BRK-B")
    answer = httpx2.get(f"{market.url}/liquidity?algorithm=luck", headers=key_header())
    assert answer.status_code == 422
    assert "expected fifo, bypass, optimum, found luck" in answer.text


@given(st.lists(st.tuples(NAMES, NAMES, AMOUNTS, st.booleans()), max_size=150))
def test_drawing_holds_everybody_within_its_frame_and_loses_no_amount(rows):
    owings = [Owing(a, b, amount, amount if settles else 0) for a, b, amount, settles in rows]
    whole = summed(owings)
    graph = drawn(whole)

    assert sum(each.amount for each in whole) == sum(each.amount for each in owings)
    assert len(graph.arrows) + graph.left_out == len(whole)
    assert len(graph.arrows) <= ARROWS_MAX
    assert all(0 <= node.x <= WIDTH and 0 <= node.y <= HEIGHT for node in graph.nodes)
    assert all(math.isfinite(arrow.width) for arrow in graph.arrows)
