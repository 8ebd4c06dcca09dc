"""The search for the optimum, by CP-SAT: whole numbers throughout, one worker, one seed.

The goals, one after another: the value and the number of instructions (as one number, where that
is not too wide), then the queue positions. Each is proven, then fixed. The search is bounded in the
solver's own measure of work, which every machine counts alike, and in seconds besides; a usual
machine reaches the bound on work first.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model

from ledger.settlement.gridlock.problem import SUM_MAX, Problem
from ledger.settlement.gridlock.queue_columns import Flags

WORK_A_SECOND: Final = 0.5
"""Units of the solver's work that a second allows for; a usual machine does about one."""
SEED: Final = 1
_POSITIONS_AT_ONCE: Final = 50
"""So many positions are one goal: the first weighs more than all others together."""


@dataclass(frozen=True, slots=True)
class Found:
    """The units chosen, and whether every goal was proven."""

    chosen: Flags
    is_exact: bool


def search(problem: Problem, known: Flags, seconds_max: float) -> Found:
    """Looks for the optimum from a set that is known to be covered."""
    return _Search(problem, known, seconds_max).run()


class _Search:
    """A model that gets narrower, the best set so far, and what may still be spent."""

    def __init__(self, problem: Problem, known: Flags, seconds_max: float) -> None:
        self._problem = problem
        self._chosen = known.copy()
        self._work_left = seconds_max * WORK_A_SECOND
        self._seconds_left = seconds_max
        self._units: list[int] = np.flatnonzero(problem.live).tolist()
        self._model: Any = cp_model.CpModel()
        self._variables = {unit: self._model.new_bool_var("") for unit in self._units}
        self._bound_keys()

    def run(self) -> Found:
        """Goal by goal; stops at the first that is not proven."""
        is_exact = all(self._prove_total(weights) for weights in _totals(self._problem))
        for first in range(0, len(self._units), _POSITIONS_AT_ONCE):
            is_exact = is_exact and self._prove_positions(
                self._units[first : first + _POSITIONS_AT_ONCE]
            )
        return Found(self._chosen, is_exact)

    def _bound_keys(self) -> None:
        problem = self._problem
        order = np.argsort(problem.key, kind="stable")
        keys, starts = np.unique(problem.key[order], return_index=True)
        for key, entries in zip(keys.tolist(), np.split(order, starts[1:]), strict=False):
            units, needs = problem.unit[entries].tolist(), problem.need[entries].tolist()
            taken = self._sum(dict(zip(units, needs, strict=True)))
            self._model.add(taken <= int(problem.available[key]))

    def _prove_total(self, weights: list[int]) -> bool:
        weight_by_unit = {unit: weights[unit] for unit in self._units}
        is_proven = self._maximise(weight_by_unit)
        best = sum(weight for unit, weight in weight_by_unit.items() if self._chosen[unit])
        self._model.add(self._sum(weight_by_unit) == best)
        return is_proven

    def _prove_positions(self, units: list[int]) -> bool:
        highest = len(units) - 1
        is_proven = self._maximise({unit: 1 << (highest - at) for at, unit in enumerate(units)})
        for unit in units:
            self._model.add(self._variables[unit] == int(self._chosen[unit]))
        return is_proven

    def _maximise(self, weight_by_unit: dict[int, int]) -> bool:
        """Takes the best set that is found; whether there is none better."""
        if self._work_left <= 0 or self._seconds_left <= 0:
            return False
        self._model.clear_hints()
        for unit in self._units:
            self._model.add_hint(self._variables[unit], int(self._chosen[unit]))
        self._model.maximize(self._sum(weight_by_unit))
        solver = self._solver()
        status = solver.solve(self._model)
        self._work_left -= solver.deterministic_time
        self._seconds_left -= solver.wall_time
        if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            found = {unit: bool(solver.value(self._variables[unit])) for unit in self._units}
            if _total(weight_by_unit, found) > _total(weight_by_unit, self._chosen):
                for unit, is_chosen in found.items():
                    self._chosen[unit] = is_chosen
        return bool(status == cp_model.OPTIMAL)

    def _solver(self) -> Any:  # noqa: ANN401 # the solver comes without types
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = SEED
        solver.parameters.max_deterministic_time = self._work_left
        solver.parameters.max_time_in_seconds = self._seconds_left
        return solver

    def _sum(self, weight_by_unit: dict[int, int]) -> Any:  # noqa: ANN401 # likewise
        variables = [self._variables[unit] for unit in weight_by_unit]
        return cp_model.LinearExpr.weighted_sum(variables, list(weight_by_unit.values()))


def _totals(problem: Problem) -> list[list[int]]:
    """What is to be the greatest: for each goal what a unit counts."""
    values, sizes = problem.values.tolist(), problem.sizes.tolist()
    # A minor unit more outweighs all instructions together.
    scale = problem.instructions + 1
    if sum(values) * scale < SUM_MAX:
        return [[value * scale + size for value, size in zip(values, sizes, strict=True)]]
    return [values, sizes]


def _total(weight_by_unit: dict[int, int], chosen: Any) -> int:  # noqa: ANN401 # flags or a dict
    return sum(weight for unit, weight in weight_by_unit.items() if chosen[unit])
