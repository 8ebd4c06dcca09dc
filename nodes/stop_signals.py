"""How a process is told to end: the first signal ends it in order, a second one at once."""

import signal
from collections.abc import Callable
from typing import Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def on_stop(end: Callable[[], object]) -> None:
    """Has something called at the first signal to end; after it the system's own way is back.

    To be called by the main thread.
    """

    def handle(*_: object) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        end()

    for each in STOP_SIGNALS:
        signal.signal(each, handle)
