"""A sandbox of one's own: a folder, a port and a process that ends with the run."""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtests.profile import Server

READY_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 70
"""It gives up by itself after 60 (docs/operation.md)."""
SAID_CHARACTERS_MAX: Final = 4_000
ANY_RATE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers."""

    host: str
    keys_file: Path
    process: "subprocess.Popen[bytes]"

    def get(self, path: str) -> dict[str, Any]:
        """What it answers to its operator."""
        key = json.loads(self.keys_file.read_text(encoding="utf-8"))["OPERATOR"]
        asked = urllib.request.Request(  # noqa: S310 # loopback
            self.host + path, headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(asked, timeout=READY_SECONDS_MAX) as answer:  # noqa: S310 # loopback
            parsed: dict[str, Any] = json.load(answer)
            return parsed


@contextmanager
def sandbox(server: Server) -> Iterator[Running]:
    """A new sandbox; it and its folder are gone afterwards."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="novate-load-") as state:
        command = [
            *(sys.executable, "-m", "api.cli", "up", "--state", state, "--port", str(port)),
            *("--validators", str(server.validators)),
            *("--cycle-seconds", str(server.cycle_seconds)),
            *("--rate", str(server.rate or ANY_RATE)),
        ]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)  # noqa: S603 # our own command
            try:
                _wait_until_ready(port, process)
                yield Running(f"http://127.0.0.1:{port}", Path(state) / "api-keys.json", process)
            except BaseException:
                said.seek(0)
                sys.stderr.write(said.read().decode(errors="replace")[-SAID_CHARACTERS_MAX:])
                raise
            finally:
                process.terminate()
                try:
                    process.wait(timeout=STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"the sandbox ended with status {server.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:  # loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit(f"the sandbox was not ready within {READY_SECONDS_MAX} s")
