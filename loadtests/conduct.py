"""Conducts a run in Locust: all workers begin at one moment, and their counts come together.

The process that conducts (the only one, or the master) tells the others when to begin, stops them
when the shape is over, collects what each has counted, and then reads the market's books.
"""

import atexit
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
import numpy as np
import requests
from locust import events, runners
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from loadtests.afterwards import (
    Get,
    end_of,
    read_book,
    read_cycles,
    totals_of,
    wait_until_drained,
)
from loadtests.counting import Register, Tally
from loadtests.figures import Moments, figures_of, percentiles
from loadtests.generator import RECORD, Generator, generator_from_environment
from loadtests.live import watch
from loadtests.moments import now
from loadtests.verdict import Soundness, count_of, judge, prefixes_of

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
BEGIN: Final = "novate_begin"
COUNTED: Final = "novate_counted"
LEAD_SECONDS: Final = 2.5
"""For users to be there when the run begins."""
TAIL_SECONDS: Final = 1.0
REPORTS_SECONDS_MAX: Final = 60
WORKER_SILENT_SECONDS_MAX: Final = 60
UNSOUND: Final = 1
_GET_SECONDS_MAX: Final = 60
_AGAIN_MAX: Final = 100


@dataclass(slots=True)
class Conduct:
    """One run, as the process that conducts it knows it."""

    generator: Generator
    get: Get
    first_cycle: int = 0
    first_position: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    packed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    workers: int = 1


def install() -> None:
    """Has Locust call this module."""
    # A busy machine keeps a worker silent for seconds; Locust takes this from nowhere else.
    runners.HEARTBEAT_LIVENESS = WORKER_SILENT_SECONDS_MAX
    for event, listener in (
        (events.init, _prepare),
        (events.test_start, _start),
        (events.test_stop, _stop),
    ):
        event.add_listener(listener)  # type: ignore[no-untyped-call] # locust ships no types for it


def _prepare(environment: Any, runner: Any, **_: object) -> None:  # noqa: ANN401 # locust has no types
    host = environment.host or os.environ.get("LOCUST_HOST", "")
    _check_loopback(host)
    environment.generator = generator_from_environment()
    if isinstance(runner, WorkerRunner | LocalRunner):
        runner.register_message(BEGIN, _begin)
    if isinstance(runner, MasterRunner | LocalRunner):
        runner.register_message(COUNTED, _collect)


def _start(environment: Any, **_: object) -> None:  # noqa: ANN401 # locust has no types
    _check_loopback(environment.host or "")
    runner, generator = environment.runner, environment.generator
    if isinstance(runner, WorkerRunner):
        return
    conduct = Conduct(generator, _getter(environment.host, generator))
    environment.conduct = conduct
    cycles = read_cycles(conduct.get)
    conduct.first_cycle = cycles[-1].number if cycles else 0
    conduct.first_position = end_of(cycles)
    conduct.totals, _agree = totals_of(conduct.get)
    if isinstance(runner, MasterRunner):
        conduct.workers = max(runner.worker_count, 1)
    trade_date = conduct.get("/v1/clock")["business_date"]
    begin_at = now() + LEAD_SECONDS
    generator.begin_at = begin_at
    said = {"begin_at": begin_at, "workers": conduct.workers, "trade_date": trade_date}
    gevent.spawn_later(0, runner.send_message, BEGIN, said)
    wait = LEAD_SECONDS + generator.profile.load.seconds + TAIL_SECONDS
    gevent.spawn_later(wait, _end, environment)


def _begin(environment: Any, msg: Any, **_: object) -> None:  # noqa: ANN401 # locust has no types
    """On each worker: the run begins at the moment that it is told."""
    said = msg.data
    index = getattr(environment.runner, "worker_index", 0) % said["workers"]
    generator: Generator = environment.generator
    day = date.fromisoformat(said["trade_date"])
    generator.begin(said["begin_at"], index, said["workers"], day)
    gevent.spawn(watch, environment, generator, _getter(environment.host, generator))


def _end(environment: Any) -> None:  # noqa: ANN401 # locust has no types
    """Lets what is under way be answered; then nothing is sent any more."""
    environment.runner.stop()
    if environment.parsed_options is not None and environment.parsed_options.headless:
        environment.runner.quit()


def _stop(environment: Any, **_: object) -> None:  # noqa: ANN401 # locust has no types
    runner, generator = environment.runner, environment.generator
    generator.begun.clear()
    if not isinstance(runner, MasterRunner):
        _count_rest(generator)
        counted = {"register": generator.register.packed(), "tally": generator.tally.packed()}
        runner.send_message(COUNTED, counted)
    if isinstance(runner, WorkerRunner):
        return
    _conclude(environment)


def _count_rest(generator: Generator) -> None:
    """What was intended up to the end and could not be sent."""
    if generator.register.prefix and now() >= generator.stream.end:
        generator.stream.drop_rest()


def _collect(environment: Any, msg: Any, **_: object) -> None:  # noqa: ANN401 # locust has no types
    """What one process has counted; its numbers are its own, so nothing is counted twice."""
    environment.conduct.packed[msg.data["register"]["prefix"]] = msg.data


def _conclude(environment: Any) -> None:  # noqa: ANN401 # locust has no types
    conduct: Conduct = environment.conduct
    # Unless it comes to its end: a run without a verdict is none.
    environment.process_exit_code = UNSOUND
    deadline = now() + REPORTS_SECONDS_MAX
    while len(conduct.packed) < conduct.workers and now() < deadline:
        gevent.sleep(0.1)
    registers = [Register.unpacked(each["register"]) for each in conduct.packed.values()]
    tally = Tally()
    for each in conduct.packed.values():
        tally.merge(Tally.unpacked(each["tally"]))
    soundness, result = conclude(conduct, registers, tally)
    if path := os.environ.get(RECORD):
        Path(path).write_text(json.dumps(result), encoding="utf-8")
    count = soundness.count
    verdict = (
        f"{'sound' if soundness.is_sound else 'NOT SOUND'}: submitted {count.submitted}"
        f" = settled {count.settled} + refused {count.refused} + pending {count.pending}"
        + "".join(f"; {fault}" for fault in soundness.faults)
    )
    # Said last, below Locust's own tables.
    atexit.register(print, verdict)
    environment.process_exit_code = 0 if soundness.is_sound else UNSOUND


def conclude(
    conduct: Conduct, registers: list[Register], tally: Tally
) -> tuple[Soundness, dict[str, Any]]:
    """Reads the books and counts; the result as it is written."""
    get, profile = conduct.get, conduct.generator.profile
    ended = now()
    is_drained = wait_until_drained(get, conduct.first_cycle)
    drain_seconds = now() - ended
    cycles = read_cycles(get, conduct.first_cycle)
    book = read_book(get, conduct.first_position, prefixes_of(registers))
    count = count_of(registers, book)
    totals, own_books_agree = totals_of(get)
    reconciliation = get("/v1/reconciliation")
    books = {
        "reconciled": bool(reconciliation["agrees"]) and not reconciliation["breaks"],
        "own_books_agree": own_books_agree,
        "conserved": totals == conduct.totals,
        "drained": is_drained,
    }
    missing = [str(at) for at in range(len(conduct.packed), conduct.workers)]
    soundness = judge(count, tally, books, missing)
    if ended < conduct.generator.begin_at + profile.load.seconds:
        soundness.faults.append("it was stopped before its shape was over")
    moments = Moments(registers, book, cycles)
    result = {
        **soundness.as_json(),
        "begin_at": conduct.generator.begin_at,
        "books": books | {"breaks": len(reconciliation["breaks"])},
        "as_of_block": reconciliation["as_of_block"],
        "cycles": len(cycles),
        "drain_seconds": round(drain_seconds, 2),
        "messages": {
            kind: {"sent": tally.sent[kind], "right": tally.right[kind], "shed": tally.shed[kind]}
            for kind in ("good", "duplicate", "bad")
        },
        "errors": dict(tally.errors),
        "errors_by_second": {str(at): n for at, n in sorted(tally.errors_by_second.items())},
        "no_retry_after": tally.no_retry_after,
        "resent": tally.resent,
        "wrong": tally.wrong,
        "reads": _reads(tally),
        "figures": figures_of(profile, moments, conduct.generator.begin_at),
    }
    return soundness, result


def _reads(tally: Tally) -> dict[str, dict[str, float | None]]:
    return {
        name: {"count": len(seconds)} | percentiles(np.array(seconds))
        for name, seconds in sorted(tally.reads.items())
    }


def _getter(host: str, generator: Generator) -> Get:
    """Fetches paths as the operator; waits where it is told to."""
    session = requests.Session()

    def get(path: str) -> dict[str, Any]:
        for _ in range(_AGAIN_MAX):
            answer = session.get(
                host.rstrip("/") + path, headers=generator.headers(), timeout=_GET_SECONDS_MAX
            )
            if answer.status_code not in (429, 503):
                break
            gevent.sleep(float(answer.headers.get("Retry-After", "1")))
        answer.raise_for_status()
        parsed: dict[str, Any] = answer.json()
        return parsed

    return get


def _check_loopback(host: str) -> None:
    name = urlsplit(host).hostname
    if name is not None and name not in LOOPBACK:
        raise SystemExit(f"{name} is not this machine: load goes to 127.0.0.1 only")
