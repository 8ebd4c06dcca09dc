"""What a scenario says must hold, read into expectations."""

from typing import Final

from ledger.domain.reasons import Reason
from nodes.scenario.assets import DEFAULT_CURRENCY, Assets, Position
from nodes.scenario.document import Value
from nodes.scenario.story import Expectations, ExpectedState

STATES: Final = (
    "captured",
    "settled",
    "queued",
    "held",
    "cancelled",
    "failed",
    "partially_settled",
    "refused",
    "unmatched",
)
_REGISTERS: Final = ("securities", "cash")


def read_expectations(value: Value | None, assets: Assets) -> Expectations:
    """The expectations of a story; without any, only the invariants are checked."""
    if value is None:
        return Expectations()
    body = value.mapping(
        [],
        [
            "cash",
            "securities",
            "available",
            "instructions",
            "net",
            "movements",
            "settled_value",
            "refusals",
            "breaks",
        ],
    )
    return Expectations(
        cash=assets.cash_positions(body["cash"], assets.money) if "cash" in body else {},
        securities=(
            assets.securities_positions(body["securities"], assets.units)
            if "securities" in body
            else {}
        ),
        available=assets.mixed_positions(body["available"]) if "available" in body else {},
        instructions=_states(body["instructions"]) if "instructions" in body else {},
        net=_net(body["net"], assets) if "net" in body else {},
        movements=_movements(body["movements"]) if "movements" in body else {},
        settled_value=(
            assets.money(body["settled_value"], DEFAULT_CURRENCY)
            if "settled_value" in body
            else None
        ),
        refusals=_refusals(body["refusals"]) if "refusals" in body else None,
        breaks=body["breaks"].whole_number() if "breaks" in body else None,
    )


def _states(value: Value) -> dict[str, ExpectedState]:
    states = {}
    for name, expected in value.pairs():
        if not expected.is_mapping():
            states[name] = ExpectedState(expected.choice(STATES))
            continue
        body = expected.mapping(["state"], ["reason"])
        reason = body["reason"].choice(_reasons()) if "reason" in body else None
        states[name] = ExpectedState(body["state"].choice(STATES), reason)
    return states


def _net(value: Value, assets: Assets) -> dict[Position, int]:
    body = value.mapping([], _REGISTERS)
    net: dict[Position, int] = {}
    if "securities" in body:
        net |= assets.securities_positions(body["securities"], assets.signed_units)
    if "cash" in body:
        net |= assets.cash_positions(body["cash"], assets.signed_money)
    return net


def _movements(value: Value) -> dict[str, int]:
    return {name: each.whole_number() for name, each in value.mapping([], _REGISTERS).items()}


def _refusals(value: Value) -> tuple[tuple[str, str], ...]:
    refusals = []
    for entry in value.items():
        body = entry.mapping(["id", "reason"])
        refusals.append((body["id"].text(), body["reason"].choice(_reasons())))
    return tuple(refusals)


def _reasons() -> list[str]:
    return [reason.name for reason in Reason]
