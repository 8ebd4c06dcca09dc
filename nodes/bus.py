"""The message bus: the only way in which nodes talk to each other.

A node registers a handler under its participant id. ``request`` delivers one message and brings the
answer back. A node that cannot be reached is an outage, not a refusal.
"""

from collections.abc import Callable
from typing import Any, Protocol

from nodes.messages import Message

Handler = Callable[[str, Message], Any]


class UnreachableError(Exception):
    """The recipient did not answer."""


class Bus(Protocol):
    """Carries messages between participants."""

    def register(self, participant: str, handler: Handler) -> None:
        """Takes messages for a participant."""

    def request(self, sender: str, recipient: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Delivers a message; returns the answer. Raises UnreachableError."""


class InProcessBus:
    """Delivers by a function call in the same process."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._silent: set[str] = set()

    def register(self, participant: str, handler: Handler) -> None:
        """Takes messages for a participant."""
        self._handlers[participant] = handler

    def request(self, sender: str, recipient: str, message: Message) -> Any:  # noqa: ANN401 # each message fixes its answer
        """Delivers a message; returns the answer. Raises UnreachableError."""
        if recipient in self._silent or recipient not in self._handlers:
            raise UnreachableError(f"{recipient} does not answer")
        return self._handlers[recipient](sender, message)

    def silence(self, participant: str) -> None:
        """A fault: from now on this participant answers nothing."""
        self._silent.add(participant)
