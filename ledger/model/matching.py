"""Reference model of matching: every pair is looked at, field by field, as the rule reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Bands = Mapping[str, Sequence[tuple[int, int]]]
"""By currency: (greatest amount, tolerance), ascending."""

MANDATORY = ("legs", "isin", "quantity", "currency", "deliverer", "receiver", "day")
ADDITIONAL = ("entitlement", "opts_out")
OPTIONAL = ("deliverer_account", "receiver_account", "common_reference")


@dataclass(frozen=True, slots=True)
class ModelSide:
    """A side: the field values by name; a blank one is not there."""

    is_deliverer: bool
    amount: int
    fields: Mapping[str, object]


def match(sides: Sequence[ModelSide], bands: Bands) -> list[tuple[int, int]]:
    """The pairs (earlier, later) that match, by place, when sides come in in this order."""
    waiting: list[int] = []
    pairs: list[tuple[int, int]] = []
    for place, side in enumerate(sides):
        candidates = [other for other in waiting if agree(side, sides[other], bands)]
        if not candidates:
            waiting.append(place)
            continue
        chosen = candidates[0]
        for other in candidates[1:]:
            if _difference(side, sides[other]) < _difference(side, sides[chosen]):
                chosen = other
        waiting.remove(chosen)
        pairs.append((chosen, place))
    return pairs


def agree(one: ModelSide, other: ModelSide, bands: Bands) -> bool:
    """Whether two sides match."""
    if one.is_deliverer and other.is_deliverer:
        return False
    if not one.is_deliverer and not other.is_deliverer:
        return False
    for name in MANDATORY:
        if one.fields[name] != other.fields[name]:
            return False
    for name in ADDITIONAL:
        if (name in one.fields) != (name in other.fields):
            return False
        if name in one.fields and one.fields[name] != other.fields[name]:
            return False
    for name in OPTIONAL:
        is_given_twice = name in one.fields and name in other.fields
        if is_given_twice and one.fields[name] != other.fields[name]:
            return False
    delivered = one.amount if one.is_deliverer else other.amount
    return _difference(one, other) <= _tolerance(str(one.fields["currency"]), delivered, bands)


def _difference(one: ModelSide, other: ModelSide) -> int:
    return max(one.amount, other.amount) - min(one.amount, other.amount)


def _tolerance(currency: str, amount: int, bands: Bands) -> int:
    for greatest, tolerance in bands.get(currency, ()):
        if amount <= greatest:
            return tolerance
    return 0
