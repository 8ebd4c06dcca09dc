"""The rules of a story: what it overrides of the rulebook."""

from dataclasses import replace
from typing import Any, Final

from ledger.domain.errors import MalformedError
from ledger.domain.rule_texts import rules_with
from ledger.domain.rules import Rules
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


def read_rules(value: Value | None, assets: Assets) -> Rules:
    """The rules of a story. What a story does not override has its default."""
    if value is None:
        return Rules()
    found = value.mapping([], RULE_NAMES)
    chosen = {name: found[name].choice(_CHOICES[name]) for name in found if name in _CHOICES}
    try:
        rules = rules_with(Rules(), [f"{name}={choice}" for name, choice in chosen.items()])
    except MalformedError as error:
        # Each is a value of its rule: only the model can fail to go with the mode.
        found["dvp_model"].fail(error.expected, chosen["dvp_model"])
    return replace(rules, **_minimum_cash(found.get(_MINIMUM_CASH), assets))


def _minimum_cash(value: Value | None, assets: Assets) -> dict[str, Any]:
    """One number stands for shares and nominal alike."""
    if value is None:
        return {}
    amount = assets.money(value, DEFAULT_CURRENCY)
    return {"partial_minimum_cash_share": amount, "partial_minimum_cash_nominal": amount}
