"""One load run from start to end: a sandbox of its own, Locust without its page, and the verdict.

python -m loadtests.run --seconds 20 --users 4 --rate 20
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

READY_SECONDS_MAX: Final = 60
SECONDS_MAX: Final = 3_600
USERS_MAX: Final = 200
BATCH_USERS_MAX: Final = 8
STOP_SECONDS_MAX: Final = 60
HERE: Final = Path(__file__).parent


def main() -> int:
    """Runs the load and returns Locust's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help=f"at most {SECONDS_MAX}")
    parser.add_argument("--users", type=int, default=4, help=f"desks, at most {USERS_MAX}")
    parser.add_argument(
        "--batch-users", type=int, default=2, help="desks that post a batch of 200 a second"
    )
    parser.add_argument("--rate", type=float, default=20, help="trades a second and desk")
    parser.add_argument("--html", type=Path, help="write Locust's report to this file")
    options = parser.parse_args()
    if not 0 < options.seconds <= SECONDS_MAX or not 0 < options.users <= USERS_MAX:
        parser.error(f"1 to {SECONDS_MAX} seconds and 1 to {USERS_MAX} users")
    if not 0 <= options.batch_users <= BATCH_USERS_MAX:
        parser.error(f"up to {BATCH_USERS_MAX} batch users")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="novate-load-") as state:
        command = [sys.executable, "-m", "api.cli", "up", "--state", state, "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 # our own command
        try:
            _wait_until_ready(port, server)
            return _locust(port, options, _operator_key(Path(state)))
        finally:
            server.terminate()
            server.wait(timeout=STOP_SECONDS_MAX)


def _locust(port: int, options: argparse.Namespace, key: str) -> int:
    users = options.users + options.batch_users + 1
    command = [
        *(sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless"),
        *("--host", f"http://127.0.0.1:{port}", "--users", str(users)),
        *("--spawn-rate", str(users), "--run-time", f"{options.seconds}s"),
        *("--only-summary", "--stop-timeout", "5"),
    ]
    if options.html:
        command += ["--html", str(options.html)]
    environment = os.environ | {
        "NOVATE_API_KEY": key,
        "NOVATE_LOAD_RATE": str(options.rate),
        "NOVATE_LOAD_BATCH_USERS": str(options.batch_users),
    }
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 # our own command


def _operator_key(state: Path) -> str:
    """The key of the sandbox's operator, from the file that the sandbox has written."""
    return str(json.loads((state / "api-keys.json").read_text())["OPERATOR"])


def _free_port() -> int:
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


if __name__ == "__main__":
    sys.exit(main())
