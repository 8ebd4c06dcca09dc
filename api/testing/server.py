"""``python -m api.testing.server FOLDER``: gives each test a network of its own, in milliseconds.

It has imported everything once. Asked by the socket in the place of its standard input, it forks a
child that founds a market under some rules, and then stands still: no thread, no open file. Asked
in turn, that child forks another for every network: it enters a copy of the market's folder, whose
files it opens there, and serves it. So a network begins as the market was founded, and what is done
to it goes with its process. Each ends when whoever asked for it is gone.

A request is one line of JSON, with descriptors beside it; docs/decisions/0023-a-network-a-test.md.
"""

import gc
import json
import os
import shutil
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final, NoReturn

import uvicorn
from fastapi import FastAPI

from api.access.access import RateOptions
from api.access.rate_limits import RATE_MAX
from api.app import create_app
from api.hosting import Hosting
from api.server import server_of
from ledger.domain.errors import MalformedError
from nodes.api_keys import OPERATOR, key_in_file, write_key_file
from nodes.clock import WallClock
from nodes.process_memory import spare_what_stands
from nodes.sandbox.home import SandboxHome
from nodes.sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox
from nodes.webhooks.addresses import AddressRules

LINE_BYTES_MAX: Final = 64 * 1024
DESCRIPTORS_MAX: Final = 2
MARKET: Final = Path("/proc/self/cwd/market")
"""Where a market lies: in the folder that the process is in, whichever asks."""

Asked = dict[str, Any]


def main() -> None:
    """Serves its socket. The folder of the session, its argument, goes with it."""
    gc.freeze()
    try:
        _fork_for_each(socket.socket(fileno=os.dup(0)), _found)
    finally:
        shutil.rmtree(sys.argv[1], ignore_errors=True)


def _fork_for_each(line: socket.socket, act: Callable[[Asked, Sequence[int]], NoReturn]) -> None:
    """Does something in a child for each request, until the socket ends and all children have."""
    while True:
        content, descriptors, _, _ = socket.recv_fds(line, LINE_BYTES_MAX, DESCRIPTORS_MAX)
        if not content:
            break
        if not os.fork():
            try:
                line.close()
                act(json.loads(content), descriptors)
            except BaseException:  # noqa: BLE001 # what its parents do at their end is not for it
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(1)
        for each in descriptors:
            os.close(each)
        _reap(os.WNOHANG)
    _reap(0)


def _reap(how: int) -> None:
    """Takes note of children that have ended; waits for all of them unless it is not to."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def _found(asked: Asked, descriptors: Sequence[int]) -> NoReturn:
    """Founds a market in a folder, says so on its own socket, and has it served from there."""
    line = socket.socket(fileno=descriptors[0])
    os.chdir(asked["folder"])
    try:
        server = _server(tuple(asked["rules"]), asked["cycle_seconds"])
    except MalformedError as error:
        line.sendall(_line({"error": str(error)}))
        os._exit(1)
    except Exception:  # noqa: BLE001 # whatever it was, whoever asked has to be told
        line.sendall(_line({"error": traceback.format_exc()}))
        os._exit(1)
    spare_what_stands()
    line.sendall(_line({"key": key_in_file(MARKET, OPERATOR.name)}))
    _fork_for_each(line, lambda asked, given: _serve(server, asked, given))
    os._exit(0)


def _server(rules: tuple[str, ...], cycle_seconds: float) -> uvicorn.Server:
    """A new market and all that serves it, ready to be forked."""
    options = SandboxOptions(cycle_seconds=cycle_seconds, rules=rules)
    today = WallClock().business_time().date()
    home = SandboxHome(MARKET, lambda seed: open_sandbox(MARKET, seed, today, options=options))
    webhooks = AddressRules(to_loopback=True)

    def application(sandbox: Sandbox) -> Any:  # noqa: ANN401
        write_key_file(MARKET, sandbox.consortium.network)
        return create_app(sandbox, RateOptions(RATE_MAX), webhooks)

    hosting = Hosting(home, application)
    # Done once here, each network does it in half the time.
    hosting.sandbox.consortium.reconcile()
    _know_routes(hosting.application)
    server = server_of(hosting, "127.0.0.1", 0)
    server.config.load()
    hosting.sandbox.consortium.let_go()
    hosting.sandbox.interface.let_go()
    return server


def _know_routes(app: FastAPI) -> None:
    """Makes ready what the first request would wait for: the framework does it when it is asked."""
    path = "/livez"
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    for route in app.router.routes:
        route.matches({**asked, "app": app, "query_string": b""})


def _serve(server: uvicorn.Server, asked: Asked, descriptors: Sequence[int]) -> NoReturn:
    """Serves a copy of the market in a folder, on a listening socket, while a line is open."""
    listener, lifeline = descriptors
    folder = Path(asked["folder"])
    shutil.copytree(MARKET, folder / MARKET.name)
    os.chdir(folder)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    Thread(target=_end_with, args=(lifeline, folder), name="lifeline", daemon=True).start()
    with socket.socket(fileno=listener) as listening:
        server.run(sockets=[listening])
    os._exit(0)


def _end_with(lifeline: int, folder: Path) -> NoReturn:
    """Nobody wants the network any more: it is gone at once, whatever it was doing."""
    while os.read(lifeline, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _line(said: dict[str, str]) -> bytes:
    return json.dumps(said).encode() + b"\n"


if __name__ == "__main__":
    main()
