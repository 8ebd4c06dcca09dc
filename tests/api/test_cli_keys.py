"""As whom commands speak: --key, --as, the variable, the state folder; and ``novate key``."""

import pytest
import typer
from typer.testing import CliRunner

from api.cli.main import app
from nodes.api_keys import seeded_secret, write_key_file
from nodes.sandbox.network import sandbox_network
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import SEED
from tests.support.consortia import DAY
from tests.support.servers import served

KEY_OPTIONS = {"--key", "--as", "--folder"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    state = tmp_path_factory.mktemp("keys")
    write_key_file(state, sandbox_network(SEED, DAY))
    return state


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    opened = open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY, options=options)
    with served(opened) as server:
        yield f"http://{server.place}"


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv("NOVATE_API_KEY")


def run(*words, **variables):
    return CliRunner().invoke(app, [str(word) for word in words], env=variables)


def test_key_is_printed_alone_for_scripts(folder):
    operator, broker = run("key", "--folder", folder), run("key", "BRK-A", "--folder", folder)

    assert operator.output == seeded_secret(SEED, "OPERATOR") + "\n"
    assert broker.output == seeded_secret(SEED, "BRK-A") + "\n"


def test_lack_of_keys_is_said_with_what_to_do(tmp_path, folder, url):
    nowhere = run("key", "--folder", tmp_path)
    nobody = run("key", "NOBODY", "--folder", folder)
    silent = run("clock", "show", "--url", url, "--folder", tmp_path)

    assert (nowhere.exit_code, nobody.exit_code, silent.exit_code) == (2, 2, 2)
    assert "Start novate up" in nowhere.output
    assert "has no key of NOBODY" in nobody.output
    assert "NOVATE_API_KEY" in silent.output


def test_command_speaks_as_the_operator_or_as_who_is_named(folder, url):
    words = ("clock", "freeze", "--url", url, "--folder", folder)

    assert run(*words).exit_code == 0
    refused = run(*words, "--as", "BRK-A")
    assert refused.exit_code == 1
    assert "found one of BRK-A (broker)" in " ".join(refused.output.split())


def test_key_goes_before_the_variable_and_both_before_the_folder(folder, url):
    words = ("clock", "freeze", "--url", url, "--folder", folder)
    operator, broker = (seeded_secret(SEED, name) for name in ("OPERATOR", "BRK-A"))

    assert run(*words, NOVATE_API_KEY=broker).exit_code == 1
    assert run(*words, "--key", operator, NOVATE_API_KEY=broker).exit_code == 0
    assert run(*words, "--as", "OPERATOR", NOVATE_API_KEY=broker).exit_code == 0
    assert run(*words, "--as", "BRK-A", "--key", operator).exit_code == 2
    wrong = run(*words, "--key", "wrong")
    assert (wrong.exit_code, "UNIDENTIFIED" in wrong.output) == (1, True)


def test_every_command_that_takes_an_address_takes_a_key_and_no_option_stands_for_two():
    def commands(group):
        for each in group.commands.values():
            yield from commands(each) if hasattr(each, "commands") else [each]

    with_address = 0
    for command in commands(typer.main.get_command(app)):
        options = [name for each in command.params for name in getattr(each, "opts", ())]
        assert len(options) == len(set(options)), command.name
        if "--url" in options:
            with_address += 1
            assert set(options) >= KEY_OPTIONS, command.name
    assert with_address > 20
