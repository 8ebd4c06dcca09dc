"""Where a process writes its log, and in which form: JSON lines, or text for people.

A line has its time (of the machine, in UTC), level, event and ids. Nothing of it is a secret: what
looks like a key of the interface, a ticket or a webhook's secret is masked wherever it comes from.
"""

import io
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

import msgspec
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from ledger.logs import FIELDS
from nodes.clock import Clock

OWN: Final = ("api", "contracts", "ledger", "loadtests", "nodes")
"""Whose lines the level is for; of what others say, warnings are shown."""
FIRST: Final = ("time", "level", "event", "node")
MASKED: Final = "***"
_SECRET: Final = re.compile(
    r"(\bnvk_[A-Za-z0-9-]+_|\bwhsec_|\bticket=|novate_session_[0-9]+=)[^\s\"'&;,\\]+"
)

Event: TypeAlias = MutableMapping[str, Any]


class LogLevel(StrEnum):
    """From which level on lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogForm(StrEnum):
    """How a line is written."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How much is written, where and how.

    Attributes:
        file: it is appended to; None: standard error.
        level: None: from "info" on in a file, from "warning" on on standard error.
        form: None: text on a terminal, else JSON.
    """

    file: Path | None = None
    level: LogLevel | None = None
    form: LogForm | None = None

    def words(self) -> list[str]:
        """As they are given to another process."""
        given = {"--log": self.file and self.file.absolute(), "--log-level": self.level}
        return [
            word
            for name, value in {**given, "--log-format": self.form}.items()
            if value is not None
            for word in (name, str(value))
        ]


def begin_log(options: LogOptions, clock: Clock, node: str = "") -> None:
    """Has this process write its log so; ``node``: whose process it is. Raises OSError."""
    stream = sys.stderr if options.file is None else _appended(options.file)
    handler = log_handler(options, clock, node, stream)
    root = logging.getLogger()
    for each in [*root.handlers]:
        if isinstance(each.formatter, _MaskingFormatter):
            # Of an earlier beginning; what others have put there is theirs.
            root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    level = options.level or (LogLevel.INFO if options.file else LogLevel.WARNING)
    for name in OWN:
        logging.getLogger(name).setLevel(level.upper())


def log_handler(
    options: LogOptions, clock: Clock, node: str, stream: TextIO
) -> logging.StreamHandler[TextIO]:
    """What writes lines into a stream."""
    form = options.form or (LogForm.TEXT if stream.isatty() else LogForm.JSON)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_MaskingFormatter(_formatter(form, clock, node, stream)))
    return handler


class _MaskingFormatter(logging.Formatter):
    """Masks what another formatter has written."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """A line."""
        return _SECRET.sub(rf"\g<1>{MASKED}", self._formatter.format(record))


def _appended(file: Path) -> TextIO:
    """A file in which lines stay whole, although several processes write there."""
    raw = file.open("ab", buffering=0)
    return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)


def _formatter(form: LogForm, clock: Clock, node: str, stream: TextIO) -> logging.Formatter:
    def complete(_logger: object, _method: str, event: Event) -> Event:
        time = clock.business_time().isoformat(timespec="milliseconds")
        own = {"node": node} if node else {}
        return {"time": time, **own, **event}

    fields: list[Processor] = [_own_fields, structlog.stdlib.add_log_level, complete]
    if form is LogForm.TEXT:
        shown = structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), timestamp_key="time", sort_keys=False
        )
        last: list[Processor] = [ProcessorFormatter.remove_processors_meta, _printable, shown]
    else:
        shown_whole = structlog.processors.JSONRenderer(serializer=_json)
        last = [
            structlog.processors.format_exc_info,
            ProcessorFormatter.remove_processors_meta,
            _ids_last,
            shown_whole,
        ]
    return ProcessorFormatter(processors=last, foreign_pre_chain=fields)


def _own_fields(_logger: object, _method: str, event: Event) -> Event:
    """The fields that our loggers have given to a record; others' have a text only."""
    fields = getattr(event["_record"], FIELDS, None)
    return {**event, **fields} if isinstance(fields, Mapping) else event


def _printable(_logger: object, _method: str, event: Event) -> Event:
    """What somebody has sent neither commands a terminal nor begins a line of its own."""
    return {name: _escaped(each) if isinstance(each, str) else each for name, each in event.items()}


def _escaped(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _ids_last(_logger: object, _method: str, event: Event) -> Event:
    """What every line has comes first, its ids after it."""
    first = {name: event[name] for name in FIRST if name in event}
    return first | {name: value for name, value in event.items() if name not in FIRST}


def _json(event: Mapping[str, Any], **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
