"""Rules as people write them: ``name=value``, over the rules that hold otherwise."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from enum import Enum
from typing import Any, Final

from ledger.domain.errors import MalformedError
from ledger.domain.rules import Rules, SettlementMode

_SWITCHES: Final = {"on": True, "true": True, "off": False, "false": False}
_TYPE_BY_NAME: Final[dict[str, Any]] = {
    field.name: field.type for field in fields(Rules) if field.name != "matching_tolerances"
}
_MODEL_BY_MODE: Final = {SettlementMode.GROSS: 1, SettlementMode.NET: 3}


def rules_with(rules: Rules, texts: Sequence[str]) -> Rules:
    """The rules with some of them overridden.

    Where ``settlement`` is given alone, the DvP model that goes with it is taken. Raises
    MalformedError for what is no rule, no value of it, or out of its bounds.
    """
    chosen: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or name not in _TYPE_BY_NAME:
            raise MalformedError(f"NAME=VALUE with a rule among {', '.join(_TYPE_BY_NAME)}", text)
        if name in chosen:
            raise MalformedError(f"the rule {name} only once", text)
        chosen[name] = _value_of(name, value)
    if "settlement" in chosen:
        chosen.setdefault("dvp_model", _MODEL_BY_MODE[chosen["settlement"]])
    return replace(rules, **chosen)


def _value_of(name: str, text: str) -> Any:  # noqa: ANN401 # each rule has its own type
    kind = _TYPE_BY_NAME[name]
    if kind is bool:
        if text not in _SWITCHES:
            raise MalformedError(f"{name}: on or off", text)
        return _SWITCHES[text]
    if issubclass(kind, Enum):
        values = [each.value for each in kind]
        if text not in values:
            raise MalformedError(f"{name}: {' or '.join(values)}", text)
        return kind(text)
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise MalformedError(f"{name}: a whole number", text)
    return int(text)
