"""The rulebook: every rule described once, in both languages, and its bounds hold."""

from dataclasses import fields
from datetime import date

import pytest

from ledger.domain.amounts import AMOUNT_MAX
from ledger.domain.errors import MalformedError
from ledger.domain.rulebook import RULE_BY_NAME, RULEBOOK, RULEBOOK_VERSION, rules_of_scenario
from ledger.domain.rules import Gridlock, Rules, SettlementMode, expected_of
from ledger.domain.tolerances import Tolerance, tolerance_of
from nodes.network import RULE_VERSION
from nodes.scenario import rulebook as scenario_rules

NUMBERS = [rule for rule in RULEBOOK if rule.bounds and rule.name != "dvp_model"]
OLD, NEW = date(2026, 1, 1), date(2026, 3, 1)


def test_rulebook_describes_every_rule_once_and_nothing_else():
    assert [rule.name for rule in RULEBOOK] == [field.name for field in fields(Rules)]


@pytest.mark.parametrize("rule", RULEBOOK, ids=lambda rule: rule.name)
def test_rule_is_described_whole(rule):
    assert all([rule.text, rule.text_zh, rule.source, expected_of(rule.name)])
    assert 1 <= rule.since <= RULEBOOK_VERSION
    is_number = RULE_BY_NAME[rule.name].bounds is not None
    assert is_number == (type(getattr(Rules(), rule.name)) is int)
    assert not is_number or rule.unit


@pytest.mark.parametrize("rule", NUMBERS, ids=lambda rule: rule.name)
def test_number_is_taken_up_to_its_bounds_and_refused_beyond(rule):
    least, greatest = rule.bounds
    for value in (least, greatest):
        assert getattr(Rules(**{rule.name: value}), rule.name) == value
    for value in (least - 1, greatest + 1):
        with pytest.raises(MalformedError, match=f"{rule.name} from {least} to {greatest}"):
            Rules(**{rule.name: value})


@pytest.mark.parametrize("field", fields(Rules), ids=lambda field: field.name)
def test_value_of_another_kind_is_refused_with_what_was_expected(field):
    with pytest.raises(MalformedError):
        Rules(**{field.name: "something"})


def test_truth_is_no_number_and_a_number_is_no_truth():
    with pytest.raises(MalformedError, match="recuts_max: 0 to 1,000"):
        Rules(recuts_max=True)
    with pytest.raises(MalformedError, match="partial: true, false"):
        Rules(partial=1)
    with pytest.raises(MalformedError, match="gridlock: off, fifo, bypass, optimum"):
        Rules(gridlock=Gridlock.FIFO.value)


@pytest.mark.parametrize(
    ("settlement", "model"),
    [(SettlementMode.GROSS, 2), (SettlementMode.GROSS, 3), (SettlementMode.NET, 1)],
)
def test_model_that_does_not_go_with_the_settlement_is_refused(settlement, model):
    with pytest.raises(MalformedError, match="dvp_model 1 with settlement gross"):
        Rules(settlement=settlement, dvp_model=model)


def test_every_rule_of_the_scenario_format_is_in_the_rulebook():
    names = {*scenario_rules._CHOICES, scenario_rules._MINIMUM_CASH}

    assert names == {rule.scenario for rule in RULEBOOK if rule.scenario}
    assert [rule.name for rule in rules_of_scenario("partial_minimum_cash")] == [
        "partial_minimum_cash_share",
        "partial_minimum_cash_nominal",
    ]
    assert rules_of_scenario("") == ()


@pytest.mark.parametrize(
    "name", sorted({"settlement", "queue", "gridlock", "expiry_default", "rounding"})
)
def test_choice_is_spelt_in_scenarios_as_in_the_rulebook(name):
    assert ", ".join(scenario_rules._CHOICES[name]) == expected_of(name)


def test_chain_is_founded_with_the_version_of_the_rulebook():
    assert RULE_VERSION == RULEBOOK_VERSION


@pytest.mark.parametrize(
    ("currency", "amount", "tolerance"),
    [
        ("EUR", 10_000_000, 200),
        ("EUR", 10_000_001, 2_500),
        ("CNY", 10_000_000, 200),
        ("CNY", 10_000_001, 2_500),
        ("JPY", 10_000_000, 0),
    ],
)
def test_tolerance_holds_up_to_and_including_its_limit(currency, amount, tolerance):
    assert tolerance_of(Rules().matching_tolerances, currency, NEW, amount) == tolerance


def test_tolerances_of_the_latest_date_that_has_come_are_in_force():
    def line(day, tolerance):
        return Tolerance(currency="EUR", valid_from=day, up_to=AMOUNT_MAX, tolerance=tolerance)

    table = (line(OLD, 5), line(NEW, 7))

    found = [tolerance_of(table, "EUR", day, 10) for day in (date(2025, 1, 1), OLD, NEW)]
    assert found == [0, 5, 7]


@pytest.mark.parametrize(("up_to", "tolerance"), [(10, 11), (10, -1), (AMOUNT_MAX + 1, 0)])
def test_table_with_a_tolerance_out_of_bounds_is_refused(up_to, tolerance):
    line = Tolerance(currency="EUR", valid_from=OLD, up_to=up_to, tolerance=tolerance)
    with pytest.raises(MalformedError, match="0 <= tolerance <= up_to"):
        Rules(matching_tolerances=(line,))


def test_table_that_says_two_things_of_one_band_is_refused():
    lines = [Tolerance(currency="EUR", valid_from=OLD, up_to=10, tolerance=each) for each in (1, 2)]
    with pytest.raises(MalformedError, match="one line for each"):
        Rules(matching_tolerances=tuple(lines))
