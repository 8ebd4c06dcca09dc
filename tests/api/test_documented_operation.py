"""The page on operation does what it says, in both languages the same."""

import re
import shlex

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from api.access.access import DEFAULT_RATES
from api.cli.main import app
from api.cli.serving import application
from api.server import DRAIN_SECONDS_MAX, STOP_SECONDS_MAX, server_of
from nodes.api_keys import seeded_secret
from nodes.folder_meta import FORMAT_VERSION, BooksPlace, Meta
from nodes.sandbox.sandbox import open_sandbox
from nodes.state_folder import StateFolder
from nodes.state_hash import state_hash
from nodes.webhooks.addresses import PUBLIC_ONLY
from tests.support.clients import SEED, headers_in
from tests.support.consortia import DAY, NET, small_network
from tests.support.servers import run

PAGES = ("docs/operation.md", "docs/operation.zh.md")
ADDRESS = "http://127.0.0.1:8000"
TRADE = {
    "number": "T1",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}


@pytest.fixture
def texts(request):
    return [(request.config.rootpath / page).read_text() for page in PAGES]


def commands_of(text):
    """Those that are indented, but for what is in fences."""
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [shlex.split(line) for line in re.findall(r"^    (.+)$", plain, re.MULTILINE)]


def test_both_pages_have_the_same_commands_metrics_and_parts(texts):
    english, chinese = texts

    assert commands_of(english) == commands_of(chinese)
    for pattern in (r"novate_[a-z_]+", r"```yaml.*?```", r"`--?[a-z-]+", r"`/[a-z]+`"):
        found, also = (re.findall(pattern, text, re.DOTALL) for text in (english, chinese))
        assert sorted(found) == sorted(also), pattern
    assert english.count("\n## ") == chinese.count("\n## ")
    for text in texts:
        assert len(text.splitlines()) <= 70
        assert f"{DRAIN_SECONDS_MAX} " in text
        assert f"{STOP_SECONDS_MAX} " in text


def test_commands_of_the_page_do_what_it_says(texts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOVATE_API_KEY")
    live, ready, key, metrics, grep, backup, restore = commands_of(texts[0])
    sandbox = open_sandbox(tmp_path / ".novate", SEED, DAY)
    served = application(tmp_path / ".novate", sandbox, DEFAULT_RATES, PUBLIC_ONLY)

    with run(server_of(served, "127.0.0.1", 0)) as place:
        url = f"http://{place}"
        assert ask(url, live).json() == {"status": "alive"}
        assert ask(url, ready).json()["status"] == "ready"
        assert key[0] == "KEY=$(.venv/bin/novate"
        printed = CliRunner().invoke(app, ["key", "REGULATOR"])
        assert printed.output.strip() == seeded_secret(SEED, "REGULATOR")
        traded = httpx2.post(f"{url}/v1/trades?wait=final", json=TRADE, headers=operator())
        answer = ask(url, metrics)
        kept = CliRunner().invoke(app, [*backup[1:], "--url", url])
        expected = state_hash(sandbox.consortium)
    brought_back = CliRunner().invoke(app, restore[1:])
    again = CliRunner().invoke(app, restore[1:])

    assert traded.json()["state"] == "settled"
    known = {family.name for family in text_string_to_metric_families(answer.text)}
    named = {name.removesuffix("_total") for name in re.findall(r"`(novate_[a-z_]+)", texts[0])}
    assert len(named) > 10
    assert named <= known
    assert grep[1] in traded.json()["id"]
    assert kept.exit_code == 0, kept.output
    assert kept.output.startswith("OK: tonight: block ")
    assert expected in kept.output
    assert list((tmp_path / ".novate/backups").iterdir()) == []
    assert brought_back.exit_code == 0, brought_back.output
    assert f"OK: .novate-restored: block {traded.json()['final_block']}" in brought_back.output
    assert expected in brought_back.output
    assert "1 cycle of 1 trade" in brought_back.output
    assert "vote twice" in brought_back.output
    assert again.exit_code == 1
    assert "nothing is ever written over" in again.output
    offline = CliRunner().invoke(app, ["backup", "later", "--folder", ".novate-restored"])
    assert offline.exit_code == 0, offline.output
    assert expected in offline.output


def test_books_on_a_server_are_not_backed_up_as_if_they_were_files(tmp_path):
    place = BooksPlace("postgresql://novate@127.0.0.1/books", "a1")
    folder = StateFolder(tmp_path / "state")
    folder.write_meta(Meta(FORMAT_VERSION, small_network(), NET, books=place))
    folder.close()

    target = str(tmp_path / "backup")
    asked = CliRunner().invoke(app, ["backup", target, "--folder", str(tmp_path / "state")])

    assert asked.exit_code == 2
    assert "back up that database and the folder together" in asked.output


def test_scrape_configuration_of_the_page_is_yaml(texts):
    for text in texts:
        [block] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        [job] = yaml.safe_load(block)["scrape_configs"]
        assert job["static_configs"] == [{"targets": ["127.0.0.1:8000"]}]


def ask(url, words):
    """Sends what a curl command sends, as the regulator."""
    [path] = [word.removeprefix(ADDRESS) for word in words if word.startswith(ADDRESS)]
    headers = headers_in(words)
    if headers:
        headers["Authorization"] = f"Bearer {seeded_secret(SEED, 'REGULATOR')}"
    return httpx2.get(f"{url}{path}", headers=headers, timeout=60)


def operator():
    return {"Authorization": f"Bearer {seeded_secret(SEED, 'OPERATOR')}"}
