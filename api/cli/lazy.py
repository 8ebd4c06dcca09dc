"""Commands whose modules are imported when they are asked for: a short one need not wait for all.

``novate key`` would else import web servers and virtual machines of which it uses nothing.
"""

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from api.cli.key_choice import with_keys
from api.recursion import RECURSION_MAX


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, MODULE:ATTRIBUTE, and under which heading the help lists it."""

    place: str
    panel: str


def lazy_group(entries: Mapping[str, Entry]) -> type[TyperGroup]:
    """The class of a group that has these commands, by name, in this order."""

    class LazyGroup(TyperGroup):
        def __init__(self, **given: Any) -> None:  # noqa: ANN401 # whatever typer gives a group
            super().__init__(**given)
            self.commands = _Commands(entries)

        def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override] # typer's own context
            """Their names; nothing is imported."""
            del ctx
            return list(self.commands)

    return LazyGroup


class _Commands(MutableMapping[str, Any]):
    """Commands by name. One that is looked up is imported."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 # typer does not export its commands
        if name not in self._loaded:
            self._loaded[name] = _command(name, self._entries[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 # the same
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _command(name: str, entry: Entry) -> Any:  # noqa: ANN401 # the same
    """The command itself, as typer makes it of a function or of an application."""
    module, attribute = entry.place.split(":")
    found = getattr(import_module(module), attribute)
    sys.setrecursionlimit(RECURSION_MAX)
    around = typer.Typer()
    # Without a callback an application with one command would be that command.
    around.callback()(_nothing)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name, rich_help_panel=entry.panel)
    else:
        around.command(name, rich_help_panel=entry.panel)(found)
    with_keys(around)
    group = typer.main.get_command(around)
    assert isinstance(group, TyperGroup)
    return group.commands[name]


def _nothing() -> None:
    """What is around a command does nothing."""
