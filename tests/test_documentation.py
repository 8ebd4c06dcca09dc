"""Documentation is true: commands exist, links lead somewhere, both languages say the same."""

import re
import subprocess
import zipfile
from datetime import date

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from ledger.domain.identifiers import TradeId, isin_of_symbol
from nodes.scenario.assets import Assets
from nodes.scenario.bundled import pack_files
from nodes.scenario.events import EventReader
from nodes.scenario.faults import FAULTS
from nodes.scenario.rulebook import RULE_NAMES

DOCUMENTS = [
    "README.md",
    "README.zh.md",
    "docs/trade-files.md",
    "docs/capture.md",
    "docs/instructions-api.md",
    "docs/sides-api.md",
    "docs/access.md",
    "docs/rest.md",
    "docs/besu.md",
    "docs/chain.md",
    "docs/scenarios.md",
    "docs/conformance.md",
    "docs/rules.md",
    "docs/instructions.md",
    "docs/reconciliation.md",
    "docs/statements.md",
    "docs/events.md",
    "docs/processes.md",
    "docs/postgresql.md",
    "docs/sandbox.md",
    "docs/testing.md",
    "docs/testing.zh.md",
    "docs/decisions/0023-a-network-a-test.md",
    "docs/operation.md",
    "docs/operation.zh.md",
    "docs/decisions/README.md",
]
FOLDERS = ["api", "contracts", "ledger", "loadtests", "nodes", "tests"]


@pytest.fixture
def root(request):
    return request.config.rootpath


@pytest.mark.parametrize("name", [*DOCUMENTS, *(f"{folder}/README.md" for folder in FOLDERS)])
def test_links_lead_somewhere(root, name):
    document = root / name
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("folder", FOLDERS)
def test_readme_of_a_folder_is_one_screen(root, folder):
    assert len((root / folder / "README.md").read_text().splitlines()) <= 45


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_commands_of_the_readme_exist(root, name):
    text = (root / name).read_text()
    for words in re.findall(r"^    \.venv/bin/novate (.+)$", text, re.MULTILINE):
        command = [word for word in words.split() if re.fullmatch("[a-z-]+", word)][:2]
        command = command if command[0] == "scenario" else command[:1]
        assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0, words
    makefile = (root / "Makefile").read_text()
    for target in re.findall(r"^    make ([a-z-]+)$", text, re.MULTILINE):
        assert f"\n{target}:" in makefile


def test_proof_in_the_readme_is_of_the_first_trade_of_the_bundled_day(root):
    file = next((root / "nodes" / "data").glob("*.zip"))
    with zipfile.ZipFile(file) as archive, archive.open(archive.namelist()[0]) as lines:
        _, first = (next(lines).decode().split(";") for _ in range(2))
    id = TradeId("B3", date.fromisoformat(first[0]), isin_of_symbol(first[1]), first[6])

    assert f"novate proof make {id} --folder .novate-demo" in (root / "README.md").read_text()


def test_both_readmes_show_the_same_commands(root):
    english, chinese = ((root / name).read_text() for name in ("README.md", "README.zh.md"))
    indented = re.compile(r"^    .+$", re.MULTILINE)

    assert indented.findall(english) == indented.findall(chinese)
    assert english.count("\n## ") == chinese.count("\n## ")


def test_gate_calls_the_test_command_of_the_readme(root):
    assert "make test" in (root / ".ci/run").read_text()


def test_own_format_of_the_documentation_is_read(root, tmp_path):
    text = (root / "docs/trade-files.md").read_text()
    lines = re.search(r"( {4}trade_id,.*?)\n\n", text, re.DOTALL)[1]
    trades = tmp_path / "documented.csv"
    trades.write_text("\n".join(line.strip() for line in lines.splitlines()) + "\n")

    result = CliRunner().invoke(
        app, ["day", "--trades", str(trades), "--state", str(tmp_path / "s")]
    )

    assert result.exit_code == 0, result.output


def test_scenario_of_the_documentation_passes(root, tmp_path):
    text = (root / "docs/scenarios.md").read_text()
    story = tmp_path / "documented.yaml"
    story.write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])

    result = CliRunner().invoke(app, ["scenario", "run", str(story)])

    assert result.exit_code == 0, result.output
    assert result.output.startswith("passed")


def test_sides_of_the_documentation_match(root, tmp_path):
    text = (root / "docs/scenarios.md").read_text()
    story = tmp_path / "documented.yaml"
    sides = "\n".join(re.findall(r"^    (- side: .*)$", text, re.MULTILINE))
    story.write_text(
        "scenario: s\nparticipants: [{id: A, role: broker}, {id: B, role: broker}]\n"
        f"instruments: [{{isin: X}}]\nevents:\n{sides}\n"
        "expect: {instructions: {'A:S1+B:P1': queued, S1: queued, P1: queued}}\n"
    )

    result = CliRunner().invoke(app, ["scenario", "run", str(story)])

    assert result.exit_code == 0, result.output


def test_documents_count_the_bundled_scenarios(root):
    for name in ("README.md", "README.zh.md", "docs/scenarios.md", "docs/conformance.md"):
        text = " ".join((root / name).read_text().split())
        assert f" {len(pack_files())} " in text, name


def test_documents_name_every_verb_rule_and_fault(root):
    text = (root / "docs/scenarios.md").read_text()
    verbs = EventReader(Assets({})).verbs

    assert [word for word in (*verbs, *RULE_NAMES, *FAULTS) if f"`{word}`" not in text] == []


def test_nothing_names_a_machine_path_or_a_registry(root):
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False
    ).stdout.split()
    forbidden = re.compile(r"/root/|/work/|pypi\.org|npmjs|debian\.org")
    for name in tracked:
        path = root / name
        is_text = path.suffix in {".py", ".md", ".toml", ".vy", ".vyi", ".html", ".css", ".lock"}
        if is_text and path.name != "test_documentation.py":
            assert not forbidden.search(path.read_text()), name
