"""The README's snippets for Ethereum tools do what they say."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conformance.conftest import CAST, FOLDER, MODULES, need, run

PLACE = "127.0.0.1:8000"


@pytest.fixture(params=["README.md", "README.zh.md"])
def snippet(request, tools):
    text = (request.config.rootpath / request.param).read_text()

    def of(language):
        snippets = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
        code = next(each for each in snippets if f"{PLACE}/rpc" in each)
        return code.replace(PLACE, tools.place)

    return of


def test_cast_reads_and_sends(snippet):
    need(CAST, "cast")
    path = f"{CAST.parent}{os.pathsep}{os.environ['PATH']}"

    done = run(["bash", "-euc", snippet("sh")], {"PATH": path})

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("668283\n")
    assert re.search(r"^8$", done.stdout, re.MULTILINE), "a new sandbox has eight participants"
    assert re.search(r"^status +1", done.stdout, re.MULTILINE)


def test_web3_reads(snippet):
    done = run([sys.executable, "-c", snippet("python")], {})

    assert re.fullmatch(r"668283 \d+\n", done.stdout), done.stderr


def test_ethers_reads(snippet):
    need(MODULES / "ethers", "ethers")
    node = shutil.which("node")

    done = subprocess.run(
        [node, "--input-type=module", "-e", snippet("js")],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert re.fullmatch(r"\d+\n", done.stdout), done.stderr
