"""New blocks on their way to sockets: from the thread that seals to the loop that sends."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ledger.chain.blocks import Header
from ledger.chain.chain import Chain


class Listener(Protocol):
    """Somebody who is told of new blocks."""

    def tell(self, header: Header) -> None:
        """Takes note of a block, at once, in the event loop."""


class Heads:
    """Tells the listeners of each sealed block, in the event loop it was opened in."""

    def __init__(self, chain: Chain) -> None:
        self.listeners: set[Listener] = set()
        self._loop = asyncio.get_running_loop()
        self._stop: Callable[[], None] = chain.add_listener(self._sealed)

    def close(self) -> None:
        """Hears no more of the chain."""
        self._stop()

    def _sealed(self, header: Header) -> None:
        self._loop.call_soon_threadsafe(self._publish, header)

    def _publish(self, header: Header) -> None:
        for listener in tuple(self.listeners):
            listener.tell(header)
