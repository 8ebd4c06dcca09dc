"""As whom a command speaks to ``novate up``: options that every command with --url has.

The first of these that is given: --key, --as (a holder whose key is in the state folder), the
variable NOVATE_API_KEY; else the operator's key in the state folder.
"""

import inspect
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, Self

import typer

from api.cli.chain_options import DEFAULT_STATE, FOLDER
from api.cli.terminal import bad_input
from nodes.api_keys import OPERATOR, KeyFileError, key_in_file

VARIABLE: Final = "NOVATE_API_KEY"
_URL: Final = "url"
_ANNOTATION_BY_NAME: Final[dict[str, Any]] = {
    "speaks_key": Annotated[
        str | None, typer.Option("--key", help=f"The API key; else that in {VARIABLE}.")
    ],
    "speaks_as": Annotated[
        str | None, typer.Option("--as", help="With whose key of the state folder, such as BRK-A.")
    ],
    "speaks_from": Annotated[
        Path,
        typer.Option(FOLDER, help="State folder of novate up, where the keys are."),
    ],
}
_DEFAULT_BY_NAME: Final = {"speaks_from": DEFAULT_STATE}


class Address(str):
    """Where novate up is served, with how its key is chosen.

    Attributes:
        folder: its state folder, if it is on this machine.
    """

    folder: Path
    _key: str | None
    _holder: str | None
    __slots__ = ("_holder", "_key", "folder")

    def __new__(cls, url: str, key: str | None, holder: str | None, folder: Path) -> Self:
        """The address; no key is looked up yet."""
        address = super().__new__(cls, url)
        address._key, address._holder, address.folder = key, holder, folder
        return address

    @property
    def key(self) -> str:
        """The key to speak with. Ends with status 2 when there is none."""
        return chosen_key(self._key, self._holder, self.folder)


def with_keys(app: typer.Typer) -> None:
    """Gives every command of an application that takes --url the options for a key, once."""
    for group in app.registered_groups:
        if group.typer_instance is not None:
            with_keys(group.typer_instance)
    for command in app.registered_commands:
        callback = command.callback
        if callback is None:
            continue
        parameters = inspect.signature(callback).parameters
        if _URL in parameters and parameters.keys().isdisjoint(_ANNOTATION_BY_NAME):
            command.callback = _keyed(callback)


def chosen_key(
    key: str | None = None, holder: str | None = None, state: Path = DEFAULT_STATE
) -> str:
    """The key to speak with. Ends with status 2 when there is none."""
    if key is not None and holder is not None:
        bad_input("give --key or --as, not both")
    key = key or (None if holder else os.environ.get(VARIABLE))
    if key:
        return key
    try:
        return key_in_file(state, holder or OPERATOR.name)
    except KeyFileError as error:
        bad_input(
            f"no key to speak with: {error}",
            f"Name the folder of novate up with {FOLDER}, or give --key or {VARIABLE}.",
        )


def folder_of(url: str) -> Path:
    """The state folder that was named with an address."""
    return url.folder if isinstance(url, Address) else DEFAULT_STATE


def _keyed(callback: Callable[..., None]) -> Callable[..., None]:
    """The same command with the options for a key; its url then carries the key."""

    @wraps(callback)
    def keyed(**options: Any) -> None:  # noqa: ANN401 # whatever the command takes
        key, holder, folder = (options.pop(name) for name in _ANNOTATION_BY_NAME)
        options[_URL] = Address(options[_URL], key, holder, folder)
        callback(**options)

    signature = inspect.signature(callback)
    own = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_DEFAULT_BY_NAME.get(name),
            annotation=annotation,
        )
        for name, annotation in _ANNOTATION_BY_NAME.items()
    ]
    parameters = [*signature.parameters.values(), *own]
    keyed.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # where inspect looks
    keyed.__annotations__ = {**callback.__annotations__, **_ANNOTATION_BY_NAME}
    return keyed
