"""How often somebody may ask: buckets that fill with time, and how a refusal says when."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.access.access import RateOptions
from api.access.credentials import address_of
from api.access.rate_limits import BUCKETS_MAX, RateLimits
from api.app import create_app
from api.errors import problem_of
from ledger.domain.reasons import Reason, Rejected
from nodes.clock import NS
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import SEED, key_header
from tests.support.consortia import DAY

BLOCKS = "/v1/chain/blocks"


class Stopwatch:
    """Time as a test sets it."""

    def __init__(self):
        self.ns = 10**15

    def __call__(self):
        return self.ns


@given(
    st.integers(1, 2_000),
    st.integers(1, 50),
    st.lists(st.integers(0, 3 * NS), max_size=60),
)
def test_never_more_than_burst_and_rate_allow_and_when_it_says_so_again(rate, burst, asked):
    clock, taken = Stopwatch(), []
    limits = RateLimits(rate, clock, burst)
    for pause in asked:
        clock.ns += pause
        verdict = limits.take("who")
        if verdict.is_allowed:
            taken.append(clock.ns)
        else:
            # It says when: then it may.
            clock.ns += verdict.wait_seconds * NS
            assert limits.take("who").is_allowed
            taken.append(clock.ns)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            interval = NS // rate
            assert last - first + 1 <= burst + (taken[last] - taken[first]) // interval


def test_burst_goes_then_one_at_a_time():
    clock = Stopwatch()
    limits = RateLimits(2, clock, 3)

    verdicts = [limits.take("a") for _ in range(4)]
    assert [each.is_allowed for each in verdicts] == [True, True, True, False]
    assert [each.remaining for each in verdicts] == [2, 1, 0, 0]
    assert verdicts[3].wait_seconds == 1
    assert limits.take("b").is_allowed
    clock.ns += NS // 2
    assert [limits.take("a").is_allowed for _ in range(2)] == [True, False]
    clock.ns += 10 * NS
    assert limits.take("a").remaining == 2


def test_waiting_is_rounded_up_to_whole_seconds():
    clock = Stopwatch()
    limits = RateLimits(1, clock, 1)
    limits.take("a")
    clock.ns += 1

    assert limits.take("a").wait_seconds == 1
    clock.ns += NS - 1
    assert limits.take("a").is_allowed


def test_buckets_are_bounded_and_the_one_not_used_for_longest_goes():
    limits = RateLimits(1, Stopwatch(), 1)
    for number in range(BUCKETS_MAX + 500):
        limits.take(str(number))

    assert len(limits) == BUCKETS_MAX
    assert not limits.take(str(BUCKETS_MAX + 499)).is_allowed
    assert limits.take("0").is_allowed


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("127.0.0.1", 1), "127.0.0.1"),
        (("2001:db8::1", 1), "2001:db8::/64"),
        (("2001:db8::ffff", 1), "2001:db8::/64"),
        (("testclient", 1), "testclient"),
        (None, ""),
    ],
)
def test_household_of_addresses_is_one(client, address):
    assert address_of({"client": client}) == address


@pytest.fixture
def client(tmp_path):
    sandbox = open_sandbox(tmp_path, SEED, DAY)
    with TestClient(create_app(sandbox, RateOptions(rate=1, burst=5))) as opened:
        yield opened


def test_too_many_requests_of_a_key_are_refused_and_other_keys_are_not(client):
    answers = [client.get(BLOCKS, headers=key_header("BRK-A")) for _ in range(12)]
    refused = answers[-1]

    assert [each.status_code for each in answers[:5]] == [200] * 5
    assert refused.status_code == 429
    assert (refused.json()["reason"], refused.headers["retry-after"]) == ("BUSY", "1")
    assert refused.headers["ratelimit-policy"] == '"requests";q=5;w=5'
    assert answers[0].headers["ratelimit"].startswith('"requests";r=4;t=')
    assert client.get(BLOCKS, headers=key_header("BRK-B")).status_code == 200


def test_requests_without_a_key_are_counted_by_address(client):
    statuses = [client.get(BLOCKS).status_code for _ in range(8)]
    wrong = client.get(BLOCKS, headers={"X-Api-Key": "wrong"})

    assert statuses[:5] == [401] * 5
    assert statuses[-1] == wrong.status_code == 429
    assert client.get(BLOCKS, headers=key_header("BRK-A")).status_code == 200


def test_watchdogs_and_json_rpc_are_not_sent_away(client):
    for _ in range(20):
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber"}
        assert client.post("/rpc", json=body).status_code == 200
    assert client.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("reason", [Reason.UNAVAILABLE, Reason.BUSY])
def test_what_may_be_otherwise_soon_says_when_to_ask_again(reason):
    assert int(problem_of(Rejected(reason, "")).headers["retry-after"]) >= 1
    assert "retry-after" not in problem_of(Rejected(Reason.INVALID, "")).headers
