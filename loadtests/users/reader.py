"""Who reads: at a steady rate of their own, each path in turn, with a key of their own."""

import itertools
from collections.abc import Sequence
from typing import ClassVar

import gevent
from locust import FastHttpUser, task

from loadtests.generator import Generator
from loadtests.moments import now

GOOD = 200


class Reader(FastHttpUser):
    """Reads; its latency counts from the moment it meant to, like that of trades."""

    abstract = True
    fixed_count = 1
    connection_timeout = 10
    network_timeout = 40
    who: ClassVar[str] = ""
    """Whose key."""
    rate_name: ClassVar[str] = ""
    """Its rate's name in a profile's ``readers``."""
    paths: ClassVar[Sequence[str]] = ()

    def on_start(self) -> None:
        """Waits until the run begins for all workers."""
        self.generator: Generator = self.environment.generator
        self.generator.begun.wait()
        self.rate = float(getattr(self.generator.profile.readers, self.rate_name))
        self.turns = itertools.count()

    @task
    def read_what_is_due(self) -> None:
        """Reads once, at its moment or as soon after it as it can."""
        if not self.rate:
            gevent.sleep(1)
            return
        turn = next(self.turns)
        intended = self.generator.begin_at + turn / self.rate
        if intended >= self.generator.stream.end:
            gevent.sleep(1)
            return
        gevent.sleep(max(intended - now(), 0))
        path = self.paths[turn % len(self.paths)]
        name = f"GET {path.partition('?')[0]}"
        if not self._read(path, name, intended):
            self._read(path, name, intended, is_last=True)

    def _read(self, path: str, name: str, intended: float, *, is_last: bool = False) -> bool:
        """Reads, and notes how long it took; False when no answer came, for another try."""
        headers = self.generator.headers(self.who)
        with self.client.get(path, headers=headers, name=name, catch_response=True) as answer:
            status = int(answer.status_code)
            if status == 0 and not is_last:
                answer.success()
                return False
            if status == GOOD:
                self.generator.tally.reads.setdefault(name, []).append(now() - intended)
                answer.success()
                return True
            second = int(intended - self.generator.begin_at)
            told = (answer.headers or {}).get("retry-after")
            self.generator.note_error(name, status, told, second)
            answer.failure(f"status {status}")
            return True
