"""Time to finality while a run is under way, as request types of Locust's own tables and charts.

Only some trades of each cycle are shown: the figures of a run come from all of them, afterwards.
"""

from typing import Any, Final

import gevent

from loadtests.afterwards import CycleSeen, Get, read_cycles
from loadtests.counting import Register
from loadtests.generator import Generator

LOOK_SECONDS: Final = 0.5
SHOWN_A_CYCLE_MAX: Final = 20
STAGES: Final = ("cleared", "settled", "final", "reconciled")


def watch(environment: Any, generator: Generator, get: Get) -> None:  # noqa: ANN401 # locust has no types
    """Follows cycles until the run stops."""
    cycles = read_cycles(get)
    seen = cycles[-1].number if cycles else 0
    place = 0
    while generator.begun.is_set():
        gevent.sleep(LOOK_SECONDS)
        for cycle in read_cycles(get, seen):
            if cycle.state == "submitted":
                break
            seen = cycle.number
            place = _show(environment, generator.register, cycle, place)


def _show(environment: Any, register: Register, cycle: CycleSeen, place: int) -> int:  # noqa: ANN401
    """Shows some trades of a cycle; returns from where on the next cycle's are looked for."""
    mine = [
        at
        for at in range(place, min(len(register), place + 50_000))
        if cycle.first_position <= register.positions[at] <= cycle.last_position
    ]
    for at in mine[:: max(len(mine) // SHOWN_A_CYCLE_MAX, 1)]:
        for stage in STAGES:
            moment = getattr(cycle, stage)
            if moment is not None:
                environment.events.request.fire(
                    request_type=stage.upper(),
                    name=f"submit to {stage}",
                    response_time=(moment - register.intended[at]) * 1_000,
                    response_length=0,
                    exception=None,
                    context={},
                )
    return max(mine[0] if mine else place, place)
