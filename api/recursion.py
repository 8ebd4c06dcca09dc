"""How deep calls may nest in a process that takes requests."""

from typing import Final

RECURSION_MAX: Final = 1_000
"""A library raises the limit so far that deep nesting would end in a crash: it is set back."""
