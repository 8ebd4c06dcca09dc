"""Options of a command that writes a log."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.terminal import file_trouble
from nodes.clock import WallClock
from nodes.log_output import LogForm, LogLevel, LogOptions, begin_log

LogFileOption = Annotated[
    Path | None, typer.Option("--log", help="File that the log is appended to; standard error.")
]
LogLevelOption = Annotated[
    LogLevel | None, typer.Option("--log-level", help="Info in a file, else warning, if not given.")
]
LogFormOption = Annotated[
    LogForm | None, typer.Option("--log-format", help="Text on a terminal, else JSON.")
]


def logged(
    file: Path | None, level: LogLevel | None, form: LogForm | None, node: str = ""
) -> LogOptions:
    """Begins the log as the options say; ends with status 2 when its file cannot be written."""
    options = LogOptions(file, level, form)
    try:
        begin_log(options, WallClock(), node)
    except OSError as error:
        file_trouble(error)
    return options
