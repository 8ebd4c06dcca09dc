"""The socket that is served; taken before anything is opened or said."""

import socket
from typing import Final

from api.cli.terminal import bad_input

BACKLOG: Final = 2_048


def listen(host: str, port: int) -> socket.socket:
    """The socket of an address and port; ends with status 2 when they cannot be had."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        bad_input(
            f"cannot listen on {host} port {port}: {error.strerror}",
            "Name another --port or --host, or stop the program that has it.",
        )
