"""A served sandbox, and the clients that speak to it."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.artifacts import ARTIFACTS_FOLDER
from nodes.sandbox.sandbox import open_sandbox
from nodes.validators import DEVELOPER
from tests.support.consortia import DAY
from tests.support.servers import served

SEED = "novate"  # as `novate up` has it, and the README
SECONDS_MAX = 60
FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
CAST = MODULES / "@foundry-rs/cast-linux-amd64/bin/cast"


@dataclass(frozen=True)
class Tools:
    """How a client reaches the sandbox, and with which key."""

    place: str
    key: str

    @property
    def http(self) -> str:
        return f"http://{self.place}/rpc"

    @property
    def ws(self) -> str:
        return f"ws://{self.place}/rpc"

    def cast(self, *words: str) -> subprocess.CompletedProcess:
        """What cast does with some words."""
        return run([str(CAST), *words], {"ETH_RPC_URL": self.http})

    def script(self, name: str) -> dict:
        """What a script in this folder has printed: a JSON object."""
        node = shutil.which("node")
        done = run(
            [node, str(FOLDER / name)],
            {
                "HTTP_URL": self.http,
                "WS_URL": self.ws,
                "PRIVATE_KEY": self.key,
                "ARTIFACT": str(ARTIFACTS_FOLDER / "Participants.json"),
            },
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def run(words: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess:
    """A program that has ended."""
    return subprocess.run(
        words,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.fixture(scope="package")
def tools(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY)
    key = "0x" + hashlib.sha256(f"novate key|{SEED}|{DEVELOPER}".encode()).hexdigest()
    with served(sandbox) as server:
        yield Tools(server.place, key)


def need(path: Path, name: str) -> None:
    """Skips, with the reason, where a client is not installed."""
    if shutil.which("node") is None:
        pytest.skip(f"{name} needs node, which is not installed")
    if not path.exists():
        pytest.skip(f"{name} is not installed: run tests/conformance/install.sh")


@pytest.fixture(scope="package")
def cast(tools):
    need(CAST, "cast")
    return tools.cast


@pytest.fixture(scope="package")
def ethers(tools):
    need(MODULES / "ethers", "ethers")
    return tools.script("ethers.mjs")


@pytest.fixture(scope="package")
def viem(tools):
    need(MODULES / "viem", "viem")
    return tools.script("viem.mjs")
