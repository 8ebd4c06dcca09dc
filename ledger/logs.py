"""Loggers: a line is an event with a name, and its ids as fields.

    log = logger_of(__name__)
    log.info("cycle.settled", node="CLEARING-HOUSE", cycle=7, transaction="0x...")

What becomes of lines is decided by whoever starts the process (nodes/log_output.py). Where nobody
decides, the standard library shows warnings, with their fields in words.
"""

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final, cast

import structlog
from structlog.contextvars import merge_contextvars
from structlog.stdlib import BoundLogger, filter_by_level
from structlog.typing import Processor

FIELDS: Final = "fields"
"""The attribute of a record of the standard library that has the fields."""
_OF_THE_CALL: Final = ("exc_info", "stack_info", "stacklevel")


def logger_of(name: str) -> BoundLogger:
    """The logger of a module."""
    processors: list[Processor] = [filter_by_level, merge_contextvars, _as_record]
    wrapped = structlog.wrap_logger(
        logging.getLogger(name),
        processors=processors,
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    return cast("BoundLogger", wrapped)


def _as_record(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[str, str], dict[str, object]]:
    """The arguments of a call of the standard library's logger."""
    call = {name: event.pop(name) for name in _OF_THE_CALL if name in event}
    return ("%s", " ".join(_words(event))), {"extra": {FIELDS: event}, **call}


def _words(event: Mapping[str, Any]) -> Iterator[str]:
    yield str(event["event"])
    yield from (f"{name}={value}" for name, value in event.items() if name != "event")
