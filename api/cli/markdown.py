"""Tables in Markdown, for the pages of the documentation that are written by commands."""

from collections.abc import Iterable, Sequence


def table_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, with the line that ends it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
