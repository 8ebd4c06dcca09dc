"""Messages follow from the seed; each kind is answered by a real market as the kit expects."""

import json
import random
from collections import Counter
from datetime import date

import pytest

from api.app import create_app
from loadtests.counting import Register
from loadtests.messages import BAD, Kind, MessageMaker, is_refused_rightly
from loadtests.profile import Batches, Mix, Skew, profile_of
from loadtests.stream import Stream
from loadtests.trades import TradeMaker
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import client_of
from tests.support.consortia import DAY

TODAY = date(2026, 2, 10)


PLAIN = Mix(duplicate=0, bad=0)


def maker_of(register=None, mix=PLAIN, prefix="L000", trade_date=TODAY, **batches):
    trades = TradeMaker(prefix, 7, Skew())
    register = Register(prefix) if register is None else register
    return MessageMaker(trades, register, mix, Batches(**batches), trade_date)


def test_a_trade_is_the_same_whenever_it_is_made_and_no_two_are():
    first, other = TradeMaker("L000", 1, Skew()), TradeMaker("L001", 1, Skew())

    made = [first.trade(place) for place in range(100)]

    assert made == [TradeMaker("L000", 1, Skew()).trade(place) for place in range(100)]
    numbers = {each["number"] for each in made} | {other.trade(p)["number"] for p in range(100)}
    assert len(numbers) == 200


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_hot_participant_and_hot_instrument_have_their_share(share):
    maker = TradeMaker("L000", 1, Skew(participant=share, instrument=share))
    trades = [maker.trade(place) for place in range(2_000)]

    hot = sum("BRK-A" in (each["seller"], each["buyer"]) for each in trades) / 2_000
    instruments = Counter(each["instrument"] for each in trades)

    assert hot == pytest.approx(share, abs=0.05)
    assert instruments["NOVA1"] / 2_000 == pytest.approx(share, abs=0.05)
    sold = sum(each["seller"] == "BRK-A" for each in trades)
    assert sold == pytest.approx(hot * 1_000, abs=80)


def test_a_mix_has_its_shares_and_only_good_messages_are_registered():
    register = Register("L000")
    maker = maker_of(register, Mix(duplicate=0.2, bad=0.1))
    kinds = Counter()
    for _ in range(2_000):
        message = maker.next(1, 0.0)
        kinds[message.kind] += 1
        if message.kind is Kind.GOOD:
            register.remember(message.first, message.count)

    assert kinds[Kind.DUPLICATE] == pytest.approx(400, abs=80)
    assert kinds[Kind.BAD] == pytest.approx(200, abs=60)
    assert len(register) == kinds[Kind.GOOD]


def test_a_duplicate_is_byte_for_byte_what_was_sent_before():
    register = Register("L000")
    maker = maker_of(register)
    sent = [maker.next(size, 0.0) for size in (1, 5, 1, 20, 20, 20)]
    again = maker_of(register, Mix(duplicate=0.999, bad=0))
    for message in sent:
        register.recent.clear()
        register.remember(message.first, message.count)
        again.chance = random.Random(1)

        copy = again.next(1, 0.0)

        assert copy.kind is Kind.DUPLICATE
        assert (copy.body, copy.content_type, copy.path) == (
            message.body,
            message.content_type,
            message.path,
        )


def test_what_a_shape_intends_is_registered_even_if_it_can_not_be_sent():
    profile = profile_of(
        {
            "name": "t",
            "arrival": "even",
            "warmup_seconds": 0,
            "shape": {"kind": "steady", "rate": 100, "seconds": 2},
            "mix": {"duplicate": 0, "bad": 0},
            "batches": {"share": 0.5, "trades": 10},
        }
    )
    register = Register("L000")
    stream = Stream(profile, maker_of(register, profile.mix), begin=1_000.0, share=0.5)

    first = [stream.take(1_000.0) for _ in range(10)]
    nothing = stream.take(1_002.0)

    assert [each.intended for each in first] == sorted(each.intended for each in first)
    assert all(1_000 <= each.intended <= 1_002 for each in first)
    assert nothing is None
    # What would be intended at the very end is not.
    assert len(register) == 49 + 4 * 10
    assert stream.take(1_002.0) is None
    assert len(register) == 89


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY)
    with client_of(create_app(sandbox)) as client:
        client.headers["Content-Type"] = "application/json"
        yield client


def test_a_market_refuses_each_bad_message_for_the_reason_it_must(market):
    register = Register("L000")
    maker = maker_of(register)
    known = maker.next(1, 0.0)
    assert market.post(known.path, content=known.body).status_code == 201
    register.remember(known.first, 1)
    bad = maker_of(register, Mix(duplicate=0, bad=0.999))
    reasons = set()
    for _ in range(30):
        message = bad.next(1, 0.0)
        answer = market.post(message.path, content=message.body)
        assert is_refused_rightly(message, answer.status_code, answer.json()), answer.text
        reasons.add(message.reason)

    assert reasons == {reason for reason, _ in BAD.values()}


def test_a_market_answers_a_batch_again_as_before_in_either_form(market):
    for arrow in (0.0, 1.0):
        maker = maker_of(prefix=f"LA{arrow:.0f}0", trade_date=DAY, arrow=arrow)
        message = maker.next(20, 0.0)
        kind = {"Content-Type": message.content_type}

        first = market.post(message.path, content=message.body, headers=kind)
        again = market.post(message.path, content=message.body, headers=kind)

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["positions"] == first.json()["positions"]


def test_a_cycle_says_when_it_was_struck_and_reached_each_stage(market):
    message = maker_of(prefix="LC00").next(1, 0.0)
    position = market.post(message.path, content=message.body).json()["position"]
    market.post("/v1/cycles")

    cycle = market.get("/v1/cycles").json()["data"][-1]

    assert cycle["first_position"] <= position <= cycle["last_position"]
    assert cycle["struck_at"].endswith("+00:00")
    stages = [cycle[name] for name in ("cleared_ms", "settled_ms", "reconciled_ms")]
    assert stages == sorted(stages)
    assert cycle["settled_ms"] <= cycle["finality_ms"] + 1 <= cycle["reconciled_ms"] + 2
    assert json.loads(message.body)["number"] == "LC000000000"
