"""Locust in processes of its own: one, or master and workers on loopback; all end with the run."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

from loadtests.generator import KEYS, PROFILE, RECORD
from loadtests.machine import machine, observed
from loadtests.profile import Profile
from loadtests.profile_file import write_profile
from loadtests.result import Result
from loadtests.sandbox import Running, free_port

HERE: Final = Path(__file__).parent
WORKERS_MAX: Final = 16
READERS: Final = 4
SPARE_SECONDS: Final = 300
"""Beyond the shape, for the last answers, the books and the figures; then it is ended."""
STOP_SECONDS: Final = 45
LOG_CHARACTERS_MAX: Final = 4_000


def run_locust(
    profile: Profile, running: Running, workers: int = 1, html: Path | None = None
) -> Result | None:
    """Makes the load; what was counted and measured, or None when there is no result."""
    found = machine()
    with tempfile.TemporaryDirectory(prefix="novate-run-") as folder, ExitStack() as stack:
        record, file = Path(folder) / "record.json", Path(folder) / f"{profile.name}.toml"
        log = stack.enter_context((Path(folder) / "locust.log").open("w+b"))
        write_profile(file, profile)
        environment = os.environ | {
            PROFILE: str(file),
            KEYS: str(running.keys_file),
            RECORD: str(record),
        }
        if workers == 1:
            main = _started(stack, [*_headless(profile, running), *_html(html)], environment, log)
            processes = [main]
        else:
            port = str(free_port())
            master = [*_headless(profile, running), *_html(html), "--master"]
            master += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
            master += ["--expect-workers", str(workers)]
            main = _started(stack, master, environment, log)
            worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
            processes = [main, *(_started(stack, worker, environment, log) for _ in range(workers))]
        roots = {"server": running.process.pid}
        roots |= {
            "generator" if workers == 1 else ("master" if not at else f"worker {at}"): each.pid
            for at, each in enumerate(processes)
        }
        with observed(roots) as busy, suppress(subprocess.TimeoutExpired):
            main.wait(timeout=profile.load.seconds + SPARE_SECONDS)
        if not record.exists():
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-LOG_CHARACTERS_MAX:])
            return None
        result: Result = json.loads(record.read_text(encoding="utf-8"))
    begin = result["begin_at"] + profile.warmup_seconds
    return result | {
        "profile": asdict(profile) | {"hash": profile.hash},
        "machine": found,
        "workers": workers,
        "busy": busy.as_json(begin, result["begin_at"] + profile.load.seconds),
        "busy_by_second": _by_second(busy.at, busy.percent, result["begin_at"]),
    }


def _by_second(
    at: list[float], percent: dict[str, list[float]], begin: float
) -> dict[str, list[list[float]]]:
    return {
        name: [
            [round(moment - begin, 1), round(value, 1)]
            for moment, value in zip(at, values, strict=True)
            if moment >= begin
        ]
        for name, values in percent.items()
    }


def _headless(profile: Profile, running: Running) -> list[str]:
    users = profile.desks + READERS
    seconds = int(profile.load.seconds) + SPARE_SECONDS
    return [
        *("--headless", "--host", running.host, "--users", str(users)),
        *("--spawn-rate", str(users), "--run-time", f"{seconds}s", "--only-summary"),
    ]


def _html(html: Path | None) -> list[str]:
    return ["--html", str(html)] if html else []


def _started(
    stack: ExitStack, options: list[str], environment: dict[str, str], log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    command = [
        *(sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py")),
        *("--loglevel", "WARNING", "--stop-timeout", str(STOP_SECONDS), *options),
    ]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 # our own command
    stack.callback(_ended, process)
    return process


def _ended(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
