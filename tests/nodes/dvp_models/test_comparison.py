import pytest

from nodes.dvp_models.comparison import compare
from nodes.scenario.bundled import PACK
from nodes.scenario.loader import load_story

A_DAY = PACK / "dvp" / "dvp-models-over-a-day.yaml"


@pytest.fixture(scope="module")
def comparison():
    return compare(load_story(A_DAY))


def test_everybody_ends_with_the_same_under_every_model(comparison):
    assert comparison.ends_are_equal
    assert [each.waiting for each in comparison.under] == [{}, {}, {}]
    assert [each.violations for each in comparison.under] == [[], [], []]


def test_movements_are_by_trade_where_gross_and_by_line_where_net(comparison):
    movements = [each.movements for each in comparison.under]

    assert [each["cash"] for each in movements] == [10, 4, 4]
    assert [each["securities"] for each in movements] == [10, 10, 6]


def test_netting_needs_less_cash_and_more_time(comparison):
    gross, *netted = comparison.under

    # B pays 1,000 first and is then below for good; the peaks of all four, worked out by hand.
    assert gross.peak_cash == {"CNY": "6133.00"}
    assert [each.peak_cash for each in netted] == [{"CNY": "866.00"}] * 2
    assert set(gross.waits_seconds) == {0}
    assert netted[0].waits_seconds[0] == 5 * 3600 + 25 * 60


def test_who_cannot_pay_is_named_and_whom_it_hits(comparison):
    default = comparison.default

    assert default.participant == "D"
    assert [dict(each.waiting) for each in default.under] == [{"T5": "MONY"}] * 3
    assert default.hit == {1: ["A"], 2: ["A"], 3: ["A"]}


def test_participant_without_a_trade_cannot_default():
    with pytest.raises(ValueError, match="E has no trade in the story; A, B, C, D have"):
        compare(load_story(A_DAY), "E")
