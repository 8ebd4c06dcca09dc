"""House rules of the Vyper sources, and their revert texts."""

import re

import pytest

from contracts.artifacts import CONTRACTS_FOLDER
from ledger.domain.reasons import revert_texts

SOURCES = sorted([*CONTRACTS_FOLDER.glob("*.vy"), *CONTRACTS_FOLDER.glob("modules/*.vy")])
BANNED = ("raw_call", "raw_log", "raw_create", "create_", "delegatecall", "selfdestruct", "unsafe_")


def code_of(source):
    return re.sub(r"#.*", "", re.sub(r'""".*?"""', "", source.read_text(), flags=re.DOTALL))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_compiler_is_pinned_and_reentrancy_is_locked(source):
    assert source.read_text().startswith("# pragma version 0.4.3\n# pragma nonreentrancy on\n")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_nothing_dangerous_is_used(source):
    assert [word for word in BANNED if word in code_of(source)] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_function_has_natspec(source):
    functions = re.findall(
        r"^def (\w+)\(.*?\n    (\S*)", source.read_text(), re.DOTALL | re.MULTILINE
    )
    documented = re.findall(
        r'^def (\w+)\([^"]*?:\n    """\n    @notice', source.read_text(), re.MULTILINE
    )

    assert documented == [name for name, _ in functions]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_assertion_says_why(source):
    assert code_of(source).count("assert ") == len(re.findall(r'"[a-z]+: [^"]+"', code_of(source)))


def test_every_revert_text_has_a_reason_and_every_reason_text_is_used():
    texts = {
        text for source in SOURCES for text in re.findall(r'"([a-z]+: [^"]+)"', code_of(source))
    }

    assert texts == revert_texts()
