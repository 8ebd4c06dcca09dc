"""One time for everything on this machine: seconds since 1970 that never go back."""

import time
from datetime import datetime
from typing import Final

_AHEAD: Final = time.time() - time.perf_counter()


def now() -> float:
    """Now, as generators and server both understand it."""
    return time.perf_counter() + _AHEAD


def moment_of(text: str) -> float:
    """The moment that a server has written down."""
    return datetime.fromisoformat(text).timestamp()
