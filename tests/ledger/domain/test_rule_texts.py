import pytest

from ledger.domain.errors import MalformedError
from ledger.domain.rule_texts import rules_with
from ledger.domain.rules import MARKET_DAY_RULES, Gridlock, Rules, SettlementMode


def test_rules_are_overridden_by_name():
    texts = ["partial=on", "gridlock=fifo", "cycle_trades_max=500", "auto_settle=false"]
    rules = rules_with(MARKET_DAY_RULES, texts)

    assert (rules.partial, rules.gridlock, rules.cycle_trades_max) == (True, Gridlock.FIFO, 500)
    assert not rules.auto_settle
    assert rules.settlement is SettlementMode.NET


def test_mode_of_settlement_brings_its_model():
    assert rules_with(MARKET_DAY_RULES, ["settlement=gross"]) == Rules()
    assert rules_with(Rules(), ["settlement=net", "dvp_model=2"]).dvp_model == 2


@pytest.mark.parametrize(
    "texts",
    [
        ["partial"],
        ["partial=maybe"],
        ["gridlock=lifo"],
        ["cycle_trades_max=1_000"],
        ["cycle_trades_max=-1"],
        ["cycle_trades_max=999999999999"],
        ["matching_tolerances=none"],
        ["nothing=1"],
        ["partial=on", "partial=off"],
        ["settlement=gross", "dvp_model=2"],
    ],
    ids=" ".join,
)
def test_what_is_no_rule_or_out_of_bounds_is_refused(texts):
    with pytest.raises(MalformedError):
        rules_with(MARKET_DAY_RULES, texts)
