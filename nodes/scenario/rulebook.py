"""The rules of a story: what it overrides of the rulebook."""

from typing import Any, Final

from ledger.domain.rules import Gridlock, QueueOrder, Rules, SettlementMode
from nodes.scenario.assets import DEFAULT_CURRENCY, Assets
from nodes.scenario.document import Value

_CHOICES: Final = {
    "settlement": ("gross", "net"),
    "dvp_model": ("1", "2", "3"),
    "auto_settle": ("true", "false"),
    "queue": ("fifo", "bypass"),
    "gridlock": ("off", "fifo", "bypass", "optimum"),
    "partial": ("off", "on"),
    "expiry_default": ("end_of_day",),
    "rounding": ("half_up",),
}
_MINIMUM_CASH: Final = "partial_minimum_cash"
RULE_NAMES: Final = (*_CHOICES, _MINIMUM_CASH)
"""The rules that a story can override."""
_MODELS: Final = {SettlementMode.GROSS: (1,), SettlementMode.NET: (3, 2)}
"""The DvP models that go with a mode, the default first."""


def read_rules(value: Value | None, assets: Assets) -> Rules:
    """The rules of a story. What a story does not override has its default."""
    if value is None:
        return Rules()
    found = value.mapping([], RULE_NAMES)
    chosen = {name: found[name].choice(_CHOICES[name]) for name in found if name in _CHOICES}
    mode = SettlementMode(chosen.get("settlement", "gross"))
    model = int(chosen["dvp_model"]) if "dvp_model" in chosen else _MODELS[mode][0]
    if model not in _MODELS[mode]:
        found["dvp_model"].fail("dvp_model 1 with settlement gross, 2 or 3 with net", str(model))
    return Rules(
        settlement=mode,
        dvp_model=model,
        auto_settle=chosen.get("auto_settle") != "false",
        queue=QueueOrder(chosen.get("queue", "fifo")),
        gridlock=Gridlock(chosen.get("gridlock", "off")),
        partial=chosen.get("partial") == "on",
        **_minimum_cash(found.get(_MINIMUM_CASH), assets),
    )


def _minimum_cash(value: Value | None, assets: Assets) -> dict[str, Any]:
    """One number stands for shares and nominal alike."""
    if value is None:
        return {}
    amount = assets.money(value, DEFAULT_CURRENCY)
    return {"partial_minimum_cash_share": amount, "partial_minimum_cash_nominal": amount}
