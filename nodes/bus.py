"""The message bus: the only way in which nodes talk to each other.

A node registers a handler under its participant id. ``request`` delivers one message and brings the
answer back. A node that cannot be reached is an outage, not a refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ledger.books.database import StorageError
from nodes.clock import pause
from nodes.messages import Message

Handler = Callable[[str, Message], Any]


PATIENCE_MILLISECONDS: Final = 2_000
"""How long a sender waits for an answer."""


class UnreachableError(Exception):
    """The recipient did not answer."""


NOT_TAKEN: Final = (UnreachableError, StorageError)
"""The recipient is away, or without room on its disk: it has not taken it, and may later."""
NO_ANSWER: Final = (*NOT_TAKEN, PermissionError)
"""Nothing can be had from the recipient now, or it refuses: the others go on without it."""


class Bus(Protocol):
    """Carries messages between participants."""

    def register(self, participant: str, handler: Handler) -> None:
        """Takes messages for a participant."""

    def request(self, sender: str, recipient: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Delivers a message; returns the answer.

        Raises UnreachableError, PermissionError when the recipient refuses it, StorageError when it
        has no room on its disk.
        """


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What is wrong with a participant's messages.

    Attributes:
        is_cut_off: nothing reaches it, and nothing it sends arrives.
        is_duplicated: every message to it is delivered twice.
        milliseconds: so long it takes to answer.
    """

    is_cut_off: bool = False
    is_duplicated: bool = False
    milliseconds: int = 0


UNDISTURBED: Final = Disturbance()


def disturbed(wrong: Disturbance, handler: Handler, sender: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
    """What a handler answers with something wrong. Raises UnreachableError when it is too slow."""
    if wrong.is_duplicated:
        handler(sender, message)
    answer = handler(sender, message)
    if wrong.milliseconds:
        pause(min(wrong.milliseconds, PATIENCE_MILLISECONDS) / 1_000)
    if wrong.milliseconds > PATIENCE_MILLISECONDS:
        # It has done what it was asked, and nobody waits for its answer any more.
        raise UnreachableError("the answer comes too late")
    return answer


class InProcessBus:
    """Delivers by a function call in the same process, unless it is disturbed."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._silent: set[str] = set()
        self._disturbances: dict[str, Disturbance] = {}

    def register(self, participant: str, handler: Handler) -> None:
        """Takes messages for a participant."""
        self._handlers[participant] = handler

    def remove(self, participant: str) -> None:
        """A participant is gone: nobody takes its messages."""
        self._handlers.pop(participant, None)

    def request(self, sender: str, recipient: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Delivers a message; returns the answer. Raises UnreachableError."""
        wrong = self.disturbance(recipient)
        if wrong.is_cut_off or self.disturbance(sender).is_cut_off:
            raise UnreachableError(f"{sender} and {recipient} are cut off from each other")
        if recipient in self._silent or recipient not in self._handlers:
            raise UnreachableError(f"{recipient} does not answer")
        return disturbed(wrong, self._handlers[recipient], sender, message)

    def silence(self, participant: str) -> None:
        """A fault: from now on this participant answers nothing."""
        self._silent.add(participant)

    def disturbance(self, participant: str) -> Disturbance:
        """What is wrong with a participant's messages now."""
        return self._disturbances.get(participant, UNDISTURBED)

    def disturb(self, participant: str, disturbance: Disturbance) -> None:
        """A fault: from now on something is wrong with a participant's messages, or no more."""
        self._disturbances[participant] = disturbance
