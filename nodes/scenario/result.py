"""What became of a story, and how it differs from what it expects."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ledger.books import cycles as records
from ledger.books.break_life import Break
from ledger.books.intake import CAPTURED
from ledger.books.postings import Register
from ledger.books.tables import CycleRow
from ledger.clearing.netting import NetLines, net
from ledger.domain.accounts import account_of, asset_of, holding_key
from ledger.domain.amounts import format_amount
from ledger.domain.instructions import Instruction
from nodes.bus import UnreachableError
from nodes.invariants import violations
from nodes.scenario.played import Played
from nodes.scenario.story import ExpectedState, Story
from nodes.state_hash import state_hash


@dataclass(frozen=True, slots=True)
class ScenarioCheck:
    """An expectation, and what was found."""

    path: str
    expected: str
    actual: str

    @property
    def holds(self) -> bool:
        """Whether what was found is what was expected."""
        return self.expected == self.actual


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The outcome of one scenario, in the form that ``--json`` prints."""

    scenario: str
    passed: bool
    differences: list[dict[str, str]]
    state_hash: str
    balances: dict[str, dict[str, dict[str, str]]]
    instructions: dict[str, dict[str, str]]
    movements: dict[str, int]
    breaks: list[dict[str, Any]]


def result_of(played: Played) -> ScenarioResult:
    """Compares a played story with its expectations."""
    outcome = Outcome(played)
    differences = [*outcome.differences()]
    return ScenarioResult(
        scenario=played.story.name,
        passed=not differences,
        differences=[
            {"path": each.path, "expected": each.expected, "actual": each.actual}
            for each in differences
        ],
        state_hash=state_hash(played.consortium),
        balances=outcome.balances(),
        instructions={name: _words(state) for name, state in outcome.states().items()},
        movements=outcome.movements(),
        breaks=outcome.breaks(),
    )


class Outcome:
    """Where a played story stands, in the words of its file."""

    def __init__(self, played: Played) -> None:
        self._played = played
        self._story = played.story
        self._house = played.consortium.clearing_house
        self._instructions = self._house.desk.instructions()

    def differences(self) -> Iterator[ScenarioCheck]:
        """Every expectation and invariant that does not hold."""
        return (each for each in self.checks() if not each.holds)

    def checks(self) -> Iterator[ScenarioCheck]:
        """Every expectation with what was found, and every invariant that does not hold."""
        yield from self._balance_checks()
        yield from self._state_checks()
        yield from self._net_checks()
        expected = self._story.expectations
        movements = self.movements()
        for register, count in expected.movements.items():
            yield _check(f"movements.{register}", count, movements[register])
        if expected.settled_value is not None:
            yield _check("settled_value", expected.settled_value, self.settled_value())
        if expected.refusals is not None:
            found = [(name, reason.name) for name, reason in self._played.refusals]
            yield _check("refusals", sorted(expected.refusals), sorted(found))
        if expected.breaks is not None:
            yield _check("breaks", expected.breaks, len(self.breaks()))
        for violation in violations(self._played.consortium):
            path = f"invariant {violation.invariant}"
            yield ScenarioCheck(path, "holds", violation.detail)

    def balances(self) -> dict[str, dict[str, dict[str, str]]]:
        """Totals by account, kind and asset."""
        balances: dict[str, dict[str, dict[str, str]]] = {}
        for register in Register:
            for key, available, held in self._house.projection.holdings(register):
                account = self._house.network.account_id(account_of(key))
                asset, text = self._amount(register, asset_of(key), available + held)
                kinds = balances.setdefault(account, {"cash": {}, "securities": {}})
                kinds[register.value][asset] = text
        return dict(sorted(balances.items()))

    def states(self) -> dict[str, ExpectedState]:
        """State and reason of every trade, instruction and side of the story.

        Two sides that have matched have those of their instruction, which has a label of its own.
        """
        reasons = dict(reversed(self._played.refusals))
        states = {
            each.label: _state_of(each) for each in self._instructions if each.position is None
        }
        for name, number in self._played.number_by_trade.items():
            standing = self._standing(name, number)
            if standing is not None:
                states[name] = standing
        for name, side in self._played.sides.items():
            state = self._house.matching.state_of(side.by, name)
            if state is not None:
                reason = self._house.matching.reason_of(side.by, name)
                states[name] = ExpectedState(state.value, reason.name if reason else None)
        for name in self._played.ids:
            if name in reasons:
                states.setdefault(name, ExpectedState("refused", reasons[name].name))
        return states

    def movements(self) -> dict[str, int]:
        """Register movements booked by settlement, by register."""
        cycles = self._settled_cycles()
        return {
            "securities": sum(each.parts for each in self._instructions if each.quantity)
            + sum(row.securities_lines for row in cycles),
            "cash": sum(each.parts for each in self._instructions if each.amount)
            + sum(row.cash_lines for row in cycles),
        }

    def settled_value(self) -> int:
        """Minor units of cash that settled trades and instructions are worth."""
        cycles = sum(row.gross_value for row in self._settled_cycles())
        return cycles + sum(each.settled_amount for each in self._instructions)

    def breaks(self) -> list[dict[str, Any]]:
        """The open breaks of all nodes that are not away."""
        rows: list[Break] = []
        for node in self._played.consortium.nodes.values():
            with suppress(UnreachableError):
                rows += node.breaks()
        return [
            {
                "kind": row.kind.value,
                "owner": row.owner,
                "subject": row.subject,
                "ours": row.ours,
                "theirs": row.theirs,
            }
            for row in rows
        ]

    def _settled_cycles(self) -> list[CycleRow]:
        return [row for row in self._house.cycles.all() if row.state == records.SETTLED]

    def _balance_checks(self) -> Iterator[ScenarioCheck]:
        expected = self._story.expectations
        for (account, currency), amount in expected.cash.items():
            total = sum(self._holding(Register.CASH, account, currency))
            yield self._money_check(f"cash.{account}.{currency}", currency, amount, total)
        for (account, isin), quantity in expected.securities.items():
            path = f"securities.{account}.{_name_of(self._story, isin)}"
            yield _check(path, quantity, sum(self._holding(Register.SECURITIES, account, isin)))
        for (account, asset), amount in expected.available.items():
            is_cash = asset in self._house.network.currencies
            register = Register.CASH if is_cash else Register.SECURITIES
            path = f"available.{account}.{_name_of(self._story, asset)}"
            available = self._holding(register, account, asset)[0]
            if is_cash:
                yield self._money_check(path, asset, amount, available)
            else:
                yield _check(path, amount, available)

    def _state_checks(self) -> Iterator[ScenarioCheck]:
        states = self.states()
        for name, wanted in self._story.expectations.instructions.items():
            found = states.get(name, ExpectedState("unknown"))
            yield ScenarioCheck(f"instructions.{name}", wanted.state, found.state)
            if wanted.reason and found.state == wanted.state:
                path = f"instructions.{name}.reason"
                yield ScenarioCheck(path, wanted.reason, found.reason or "none")

    def _net_checks(self) -> Iterator[ScenarioCheck]:
        net = self._last_net()
        for (account, asset), amount in self._story.expectations.net.items():
            path = f"net.{account}.{_name_of(self._story, asset)}"
            yield _check(path, amount, net.get((account, asset), 0))

    def _last_net(self) -> dict[tuple[str, str], int]:
        """The net lines of the last cycle, by account and asset, after trimming."""
        cycles, network = self._house.cycles.all(), self._house.network
        if not cycles or cycles[-1].state != records.SETTLED:
            return {}
        last, intake = cycles[-1], self._house.intake
        staying = intake.staying(last.first_position, last.end_position)
        result = net(intake.stream.trades_at(staying))
        lines = {}
        for key, amount in _pairs(result.securities):
            isin = network.instrument(asset_of(key)).isin
            lines[network.account_id(account_of(key)), isin] = amount
        for key, amount in _pairs(result.cash):
            lines[network.account_id(account_of(key)), network.currency(asset_of(key))] = amount
        return lines

    def _standing(self, name: str, number: int) -> ExpectedState | None:
        """State and reason of a trade; None when it was never captured."""
        position = self._position(number)
        if position is None:
            waits = self._played.is_captured(self._played.trades[name])
            return ExpectedState(CAPTURED) if waits else None
        standing = self._house.standing_of(position)
        return ExpectedState(standing.state, standing.reason.name if standing.reason else None)

    def _position(self, number: int) -> int | None:
        stream = self._house.intake.stream
        numbers = stream.trades(0, stream.end_position).numbers.tolist()
        return numbers.index(number) if number in numbers else None

    def _holding(self, register: Register, account: str, asset: str) -> tuple[int, int]:
        network = self._house.network
        if account not in network.account_ids():
            return 0, 0
        is_cash = register is Register.CASH
        number = network.currency_number(asset) if is_cash else network.instrument_number(asset)
        return self._house.projection.holding(
            register, holding_key(number, network.account_number(account))
        )

    def _amount(self, register: Register, asset: int, amount: int) -> tuple[str, str]:
        network = self._house.network
        if register is Register.CASH:
            return network.currency(asset), format_amount(amount, network.currency(asset))
        return _name_of(self._story, network.instrument(asset).isin), str(amount)

    def _money_check(self, path: str, currency: str, expected: int, actual: int) -> ScenarioCheck:
        words = format_amount(expected, currency), format_amount(actual, currency)
        return ScenarioCheck(path, *words)


def _check(path: str, expected: object, actual: object) -> ScenarioCheck:
    return ScenarioCheck(path, str(expected), str(actual))


def _state_of(instruction: Instruction) -> ExpectedState:
    reason = instruction.reason
    return ExpectedState(instruction.state.value, reason.name if reason else None)


def _pairs(lines: NetLines) -> Iterator[tuple[int, int]]:
    return zip(lines.keys.tolist(), lines.amounts.tolist(), strict=True)


def _name_of(story: Story, isin: str) -> str:
    """What the story calls an instrument."""
    return story.name_by_isin.get(isin, isin)


def _words(state: ExpectedState) -> dict[str, str]:
    return {"state": state.state} | ({"reason": state.reason} if state.reason else {})
