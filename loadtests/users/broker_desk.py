"""Brokers' desks: they report trades, one by one or in batches, by the venue's connection."""

from typing import Any, Final

import gevent
from locust import FastHttpUser, task

from loadtests.counting import Answer
from loadtests.generator import SHED, Generator
from loadtests.messages import Kind, Message, is_refused_rightly
from loadtests.moments import now
from loadtests.stream import Due

IDLE_SECONDS: Final = 0.2
VENUE: Final = "EXCHANGE"
_DONE: Final = frozenset({200, 201, 207})
_NEW: Final = 201
_KNOWN: Final = 200


class BrokerDesk(FastHttpUser):
    """Takes the message that is due next, whoever's it is: many desks are one open loop."""

    connection_timeout = 10
    network_timeout = 40
    weight = 10

    def on_start(self) -> None:
        """Waits until the run begins for all workers."""
        self.generator: Generator = self.environment.generator
        self.generator.begun.wait()

    @task
    def send_what_is_due(self) -> None:
        """Sends one message at its moment, or as soon after it as it can."""
        due = self.generator.stream.take(now())
        if due is None:
            gevent.sleep(IDLE_SECONDS)
            return
        gevent.sleep(max(due.intended - now(), 0))
        self._send(due)

    def _send(self, due: Due) -> None:
        generator, message = self.generator, due.message
        generator.tally.sent[message.kind.value] += 1
        if message.kind is Kind.GOOD:
            generator.register.send(message.first, message.count, now())
        if not self._attempt(due):
            # A lost connection says nothing: the same is sent again, and known by its number.
            generator.tally.resent += 1
            self._attempt(due, is_last=True)

    def _attempt(self, due: Due, *, is_last: bool = False) -> bool:
        """Sends, and notes the answer; False when none came and it may be sent again."""
        message = due.message
        with self.client.post(
            message.path,
            data=message.body,  # type: ignore[arg-type] # it takes bytes too
            headers={"Content-Type": message.content_type, **self.generator.headers(VENUE)},
            name=message.name,
            catch_response=True,
        ) as answer:
            if answer.status_code == 0 and not is_last:
                answer.success()
                return False
            if self._take(due, answer, now(), was_sent=is_last):
                answer.success()
            else:
                answer.failure(f"status {answer.status_code}")
        return True

    def _take(self, due: Due, answer: Any, moment: float, *, was_sent: bool) -> bool:  # noqa: ANN401 # as locust has it
        """Notes what an answer says; whether it is as it should be."""
        message, status = due.message, int(answer.status_code)
        tally, kind = self.generator.tally, due.message.kind.value
        if status in SHED or status >= 500 or status == 0:
            second = int(due.intended - self.generator.begin_at)
            self.generator.note_error(
                message.name, status, (answer.headers or {}).get("retry-after"), second
            )
            tally.shed[kind] += 1
            if message.kind is Kind.GOOD and status == 429 and not was_sent:
                # Of one sent again it says nothing: the first may have been captured.
                self.generator.register.refuse(message.first, message.count, moment)
            return False
        said = answer.json()
        if was_sent and message.kind is Kind.GOOD and status == _KNOWN:
            status = _NEW
        is_right = _JUDGES[message.kind](self.generator, message, status, said, moment)
        if is_right:
            tally.right[kind] += 1
        else:
            tally.complain(f"{kind} {message.name}: {status} {str(said)[:200]}")
        return is_right


def _judge_good(
    generator: Generator, message: Message, status: int, said: dict[str, Any], moment: float
) -> bool:
    """Registers where each of its trades was captured, or that it was refused."""
    register, first = generator.register, message.first
    if status not in _DONE:
        register.refuse(first, message.count, moment)
        generator.note_error(message.name, status, None, int(moment - generator.begin_at))
        return False
    for row, count, position in _positions(said):
        for place in range(count):
            if position is None:
                register.refuse(first + row + place, 1, moment)
            else:
                register.accept(first + row + place, position + place, moment)
    is_whole = all(
        register.answers[first + place] == Answer.ACCEPTED for place in range(message.count)
    )
    if is_whole:
        register.remember(first, message.count)
    return is_whole and status == _NEW


def _judge_duplicate(
    generator: Generator, message: Message, status: int, said: dict[str, Any], _: float
) -> bool:
    """What was sent before is where it was."""
    known = generator.register.positions
    same = all(
        position is not None and known[message.first + row + place] == position + place
        for row, count, position in _positions(said)
        for place in range(count)
    )
    return same and status == _KNOWN


def _judge_bad(
    _: Generator, message: Message, status: int, said: dict[str, Any], __: float
) -> bool:
    return is_refused_rightly(message, status, said)


_JUDGES: Final = {
    Kind.GOOD: _judge_good,
    Kind.DUPLICATE: _judge_duplicate,
    Kind.BAD: _judge_bad,
}


def _positions(said: dict[str, Any]) -> list[tuple[int, int, int | None]]:
    """Row, count and position of what an answer says was captured."""
    if "positions" not in said:
        return [(0, 1, said["position"])] if "position" in said else [(0, 1, None)]
    return [(each["row"], each["count"], each["first_position"]) for each in said["positions"]]
