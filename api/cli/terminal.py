"""What the commands share: consoles, and how they end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
PIPE_WIDTH = 10_000


def output() -> Console:
    """Results, on standard output; in a pipe or a file no line is ever broken."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def messages() -> Console:
    """Progress and errors, on standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(words: str) -> None:
    """Says something on standard error."""
    messages().print(words, markup=False)


@contextmanager
def waiting(what: str, *, shown: bool = True) -> Iterator[None]:
    """Shows on standard error that something takes its time; nothing in a pipe or a file."""
    console = messages()
    if shown and console.is_terminal:
        with console.status(what):
            yield
    else:
        yield


def progress_bar() -> Progress:
    """A progress bar on standard error; its tasks name the ``unit`` they count."""
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        console=messages(),
    )


def counted(count: int, noun: str) -> str:
    """A number of things: ``1 trade``, ``2,000 trades``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def file_trouble(error: OSError) -> NoReturn:
    """Ends with status 2 for a file or folder that cannot be read or written."""
    bad_input(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def bad_input(message: str, remedy: str = "") -> NoReturn:
    """Says what is wrong with the input and what to do, and ends with status 2."""
    console = messages()
    console.print("error:", message, style=None, markup=False)
    if remedy:
        console.print(remedy, markup=False)
    sys.stderr.flush()
    raise typer.Exit(EXIT_BAD_INPUT)
