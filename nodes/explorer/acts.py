"""What a transaction does: the facts of one sentence, which the faces put into a language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from contracts.decoding import CONSTRUCTOR, DecodedCall
from contracts.lines import Lines
from contracts.moves import PackedInstructions
from ledger.clearing.columns import participants_of
from nodes.explorer.names import CASH, SECURITIES, Names

Facts: TypeAlias = Mapping[str, "str | int"]

KINDS: Final = (
    "deploy",
    "bind_settlement",
    "admit",
    "renounce_administration",
    "suspend",
    "reinstate",
    "register_instruments",
    "issue_securities",
    "issue_cash",
    "redeem",
    "hold",
    "release",
    "settle_cycle",
    "settle_cycle_gross",
    "open_cycle",
    "stage_lines",
    "settle_staged",
    "abort_cycle",
    "deliver_against_payment",
    "deliver_free",
    "pay",
    "settle_set",
    "other_call",
    "unknown",
)
"""Every kind of act; each has its sentences in both languages."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody asked of a contract. ``facts`` are names, counts and amounts by name."""

    kind: str
    facts: Facts = field(default_factory=dict)


def act_of(call: DecodedCall | None, names: Names, sender: bytes, to: bytes | None) -> Act:
    """What a call does."""
    common: dict[str, str | int] = {"sender": names.holder(sender)}
    if call is None:
        return Act("unknown", common | {"to": names.holder(to) if to else "-"})
    common["contract"] = call.contract
    if call.function == CONSTRUCTOR:
        return Act("deploy", common)
    describe = _DESCRIBERS.get(call.function)
    if describe is None:
        return Act("other_call", common | {"function": call.function})
    act = describe(call, names)
    return Act(act.kind, {**common, **act.facts})


def _bind_settlement(_call: DecodedCall, _names: Names) -> Act:
    return Act("bind_settlement")


def _admit(call: DecodedCall, _names: Names) -> Act:
    return Act("admit", {"participants": len(call["admissions"])})


def _renounce(_call: DecodedCall, _names: Names) -> Act:
    return Act("renounce_administration")


def _suspend(call: DecodedCall, names: Names) -> Act:
    return Act(call.function, {"participant": names.participant(call["participant"])})


def _register_instruments(call: DecodedCall, _names: Names) -> Act:
    return Act("register_instruments", {"instruments": len(call["isins"])})


def _issue(call: DecodedCall, names: Names) -> Act:
    lines: Lines = call["lines"]
    kind = "issue_cash" if call.contract == CASH else "issue_securities"
    facts: dict[str, str | int] = {
        "lines": len(lines),
        "participants": len(set(participants_of(lines.accounts).tolist())),
        "assets": len(set(lines.assets.tolist())),
    }
    if call.contract == CASH:
        facts["total"] = _totals(lines, names)
    return Act(kind, facts)


def _totals(lines: Lines, names: Names) -> str:
    """What the credits of a cash register's lines add up to, by currency."""
    totals: dict[int, int] = {}
    for asset, amount in zip(lines.assets.tolist(), lines.amounts.tolist(), strict=True):
        totals[asset] = totals.get(asset, 0) + max(amount, 0)
    return ", ".join(names.amount_of(CASH, asset, total) for asset, total in totals.items())


def _redeem(call: DecodedCall, names: Names) -> Act:
    of_cash = call.contract == CASH
    asset = call["currency"] if of_cash else call["instrument"]
    amount = call["amount"] if of_cash else call["quantity"]
    return Act("redeem", _one_holding(names, call.contract, asset, call["account"], amount))


def _hold(call: DecodedCall, names: Names) -> Act:
    facts = _one_holding(names, call.contract, call["asset"], call["account"], call["amount"])
    return Act(call.function, facts)


def _one_holding(names: Names, register: str, asset: int, account: int, amount: int) -> Facts:
    return {
        "amount": names.amount_of(register, asset, amount),
        "account": names.account(account),
    }


def _settle_cycle(call: DecodedCall, names: Names) -> Act:
    facts = _cycle_facts(call, names) | {
        "lines": len(call["securities_lines"]) + len(call["cash_lines"]),
        "total": _totals(call["cash_lines"], names),
    }
    return Act("settle_cycle", facts)


def _settle_cycle_gross(call: DecodedCall, names: Names) -> Act:
    facts = _cycle_facts(call, names) | {
        "moves": len(call["securities_moves"]),
        "lines": len(call["cash_lines"]),
        "total": _totals(call["cash_lines"], names),
    }
    return Act("settle_cycle_gross", facts)


def _open_cycle(call: DecodedCall, names: Names) -> Act:
    return Act("open_cycle", _cycle_facts(call, names))


def _cycle_facts(call: DecodedCall, names: Names) -> dict[str, str | int]:
    """What a call says of a cycle that its parties have signed."""
    cycle = {named.name: named.value for named in call["cycle"]}
    assert isinstance(cycle["id"], bytes)
    assert isinstance(cycle["count"], int)
    return {
        "cycle": _cycle_name(cycle["id"], names),
        "parties": len(call["parties"]),
        "trades": cycle["count"],
        "signatures": len(call["attestations"]),
    }


def _stage(call: DecodedCall, names: Names) -> Act:
    of_cash = call.function == "stage_cash"
    lines = call["cash_lines" if of_cash else "securities_lines"]
    return Act("stage_lines", {"cycle": _cycle_name(call["id"], names), "lines": len(lines)})


def _settle_staged(call: DecodedCall, names: Names) -> Act:
    facts: Facts = {"cycle": _cycle_name(call["id"], names), "parties": len(call["parties"])}
    return Act("settle_staged", facts)


def _abort(call: DecodedCall, names: Names) -> Act:
    return Act("abort_cycle", {"cycle": _cycle_name(call["id"], names)})


def _cycle_name(id: bytes, names: Names) -> str:
    number = names.cycle(id)
    return "0x" + id.hex()[:8] if number is None else str(number)


def _settle_instruction(call: DecodedCall, names: Names) -> Act:
    terms = {named.name: named.value for named in call["instruction"]}
    numbers = {name: value for name, value in terms.items() if isinstance(value, int)}
    delivers, pays = bool(numbers["quantity"]), bool(numbers["amount"])
    kind = "deliver_against_payment" if delivers and pays else "deliver_free" if delivers else "pay"
    facts: Facts = {
        "deliverer": names.account(numbers["deliverer"]),
        "receiver": names.account(numbers["receiver"]),
        "quantity": names.amount_of(SECURITIES, numbers["instrument"], numbers["quantity"]),
        "amount": names.amount_of(CASH, numbers["currency"], numbers["amount"]),
        "signatures": delivers + pays,
    }
    return Act(kind, facts)


def _settle_set(call: DecodedCall, names: Names) -> Act:
    instructions: PackedInstructions = call["instructions"]
    facts: Facts = {
        "instructions": len(instructions),
        "parties": len(call["parties"]),
        "receivers": len(call["receivers"]),
        "total": _totals(instructions.payments.lines(), names) or "-",
        "signatures": len(call["attestations"]),
    }
    return Act("settle_set", facts)


_DESCRIBERS: Final[Mapping[str, Callable[[DecodedCall, Names], Act]]] = {
    "bind_settlement": _bind_settlement,
    "admit": _admit,
    "renounce_administration": _renounce,
    "suspend": _suspend,
    "reinstate": _suspend,
    "register_instruments": _register_instruments,
    "issue": _issue,
    "redeem": _redeem,
    "hold": _hold,
    "release": _hold,
    "settle_cycle": _settle_cycle,
    "settle_cycle_gross": _settle_cycle_gross,
    "open_cycle": _open_cycle,
    "stage_securities": _stage,
    "stage_cash": _stage,
    "settle_staged": _settle_staged,
    "abort": _abort,
    "settle_instruction": _settle_instruction,
    "settle_set": _settle_set,
}
