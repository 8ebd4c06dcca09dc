"""Gridlock resolution for the greatest settled value, whoever stands where in a queue.

Of all sets that can settle: the greatest value; of those the most instructions; of those the one
whose list of queue positions is lexicographically smallest. That is one set, so an answer that is
said to be exact is the same on every machine. To find it is hard in general (a knapsack for each
key), so the search is bounded; when it stops early the answer says so, and is then the best set
that was found, never worth less than what fifo and bypass settle.
"""

from dataclasses import dataclass

import numpy as np

from ledger.settlement.gridlock.greedy import best_of_greedy, extended
from ledger.settlement.gridlock.problem import problem_of
from ledger.settlement.gridlock.queue_columns import Flags, QueueColumns
from ledger.settlement.gridlock.units import units_of


@dataclass(frozen=True, slots=True)
class Optimum:
    """A set, as a flag for each row, and whether it is proven to be the one optimum."""

    selected: Flags
    is_exact: bool


def optimum(queue: QueueColumns, *, instructions_max: int, seconds_max: float) -> Optimum:
    """The best set that can settle.

    Args:
        queue: who waits, and what there is.
        instructions_max: with more instructions than this that might settle, nothing is searched,
            and the answer is the better of two quick ones.
        seconds_max: bounds the search, in the solver's own measure of work and in seconds.
    """
    units = units_of(queue)
    problem = problem_of(queue, units)
    greedy = best_of_greedy(queue)
    assert queue.is_feasible(greedy), "a quick answer that is not covered"
    if greedy[problem.live[units.of_row]].all():
        return Optimum(greedy, is_exact=True)
    if problem.instructions > instructions_max or not problem.can_be_counted:
        return Optimum(greedy, is_exact=False)
    # The solver takes a third of a second to load, which only those pay who ask for the optimum.
    from ledger.settlement.gridlock.search import search  # noqa: PLC0415

    in_greedy = np.zeros(units.count, dtype=np.bool_)
    in_greedy[units.of_row[greedy]] = True
    found = search(problem, in_greedy, seconds_max)
    selected = found.chosen[units.of_row]
    if not found.is_exact:
        selected = extended(queue, selected)
    assert queue.is_feasible(selected), "the solver chose what is not covered"
    assert queue.settled_value(selected) >= queue.settled_value(greedy), "worse than a quick answer"
    return Optimum(selected, found.is_exact)
