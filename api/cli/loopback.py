"""Whether webhooks may be sent to this machine: an option of whoever serves the interface."""

from typing import Annotated, Final

import typer

_YES: Final = "--webhooks-to-loopback"
_NO: Final = "--no-webhooks-to-loopback"

LoopbackOption = Annotated[
    bool | None,
    typer.Option(
        f"{_YES}/{_NO}",
        help="Send webhooks to this machine too; by default when it alone is listened to.",
    ),
]


def loopback_flag(*, to_loopback: bool) -> str:
    """The option as it is written in a command."""
    return _YES if to_loopback else _NO
