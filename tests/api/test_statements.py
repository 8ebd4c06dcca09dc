"""Statements over REST and from the command line: out, in again, corrected, refused."""

import json
from http import HTTPStatus

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.statements.reading import FILE_BYTES_MAX
from tests.support.clients import client_of
from tests.support.consortia import DAY
from tests.support.servers import served

CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    return open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)


@pytest.fixture(scope="module")
def server(sandbox):
    with served(sandbox) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(server):
    # The server runs the sandbox; this client asks the same application.
    return client_of(server.app)


@pytest.fixture
def run(server):
    return lambda *words: CliRunner().invoke(
        app, ["statement", *words, "--url", f"http://{server.place}"]
    )


def broker_of(client):
    nodes = client.app.state.sandbox.consortium.network.participants
    return next(each.id for each in nodes if each.role.value == "broker")


@pytest.mark.parametrize("kind", ["positions", "movements", "cash"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_statement_goes_out_and_agrees_when_it_comes_in(client, kind, language):
    broker = broker_of(client)
    answer = client.get(
        f"/v1/statements/{broker}/{kind}.csv", params={"language": language, "bom": True}
    )

    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert ("账户" in answer.text) is (language == "zh")
    compared = client.post(
        f"/v1/statements/{broker}", params={"name": "own"}, content=answer.content, headers=CSV
    ).json()
    assert compared["agrees"] is True
    assert compared["kind"] == kind
    assert compared["lines"] > 0


def test_what_differs_is_a_break_until_a_corrected_file_comes(client):
    broker = broker_of(client)
    whole = client.get(f"/v1/statements/{broker}/positions.csv").text
    header, first, *_ = whole.split("\r\n")
    cells = first.split(",")
    right = f"{header}\r\n{first}\r\n"
    wrong = f"{header}\r\n{','.join([*cells[:-1], str(int(cells[-1]) + 5)])}\r\n"
    assert cells[1] == "securities"

    def compare(content):
        params = {"name": "custodian"}
        answer = client.post(
            f"/v1/statements/{broker}", params=params, content=content, headers=CSV
        )
        return answer.json()

    def breaks():
        return [
            each
            for each in client.get("/v1/reconciliation").json()["breaks"]
            if "custodian" in each["theirs"]
        ]

    missing = len([line for line in whole.split("\r\n") if ",securities," in line]) - 1
    compared = compare(wrong)
    assert compared["differences_total"] == 1 + missing
    (found,) = [each for each in compared["differences"] if each["kind"] == "quantity"]
    assert "custodian line 2" in found["theirs"]
    assert found["id"] in {each["id"] for each in breaks()}
    assert compare(right)["differences_total"] == missing
    compare(whole)
    assert breaks() == []


def test_the_same_statement_is_not_sent_twice(client):
    path = f"/v1/statements/{broker_of(client)}/cash.csv"
    tag = client.get(path).headers["etag"]

    assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status", "detail"),
    [
        (b"account,asset\nX,CNY\n", CSV, 422, "statement:1: header: expected the columns"),
        (b"\xff", CSV, 422, "statement:1: text: expected UTF-8"),
        (b"account,asset,total\n", {"content-type": "text/plain"}, 422, "content-type"),
        (b"x" * (FILE_BYTES_MAX + 1), CSV, 413, "the body has more than"),
    ],
)
def test_a_bad_file_is_refused(client, content, headers, status, detail):
    path = f"/v1/statements/{broker_of(client)}"
    answer = client.post(path, content=content, headers=headers)

    assert answer.status_code == status
    assert detail in answer.json()["detail"]


def test_who_or_what_is_not_there_is_said(client):
    broker = broker_of(client)
    for path, status in (
        ("NOBODY/cash.csv", 404),
        (f"{broker}/shoes.csv", 422),
        (f"{broker}/cash.csv?last_block=999999", 422),
        (f"{broker}/cash.csv?date=yesterday", 422),
        (f"{broker}/cash.csv?date=2026-11-23&last_block=1", 422),
    ):
        assert client.get(f"/v1/statements/{path}").status_code == status
    name = {"name": "a b"}
    answer = client.post(f"/v1/statements/{broker}", params=name, content=b"x", headers=CSV)
    assert answer.status_code == 422


def test_the_command_line_exports_and_imports(client, run, tmp_path):
    broker, file = broker_of(client), tmp_path / "cash.csv"

    exported = run("export", broker, "cash", "--out", str(file), "--language", "zh", "--bom")
    assert exported.exit_code == 0, exported.output
    assert file.read_text("utf-8-sig").startswith("账户,资产,行别")
    imported = run("import", str(file), "--participant", broker)
    assert imported.exit_code == 0, imported.output
    assert "0 differences" in imported.output

    own = "account,asset,total\n"
    file.write_text(f"{own}{broker},CNY,0.01\n")
    differing = run("import", str(file), "--participant", broker, "--json")
    assert differing.exit_code == 1
    kinds = [each["kind"] for each in json.loads(differing.output)["differences"]]
    assert kinds.count("amount") == 1
    assert set(kinds) == {"amount", "missing_theirs"}
    file.write_text(f"{own}{broker},CNY\n")
    refused = run("import", str(file), "--participant", broker)
    assert refused.exit_code == 2
    assert "cash.csv:2: line: expected 3 columns" in refused.output
    assert run("import", str(tmp_path / "none.csv"), "--participant", broker).exit_code == 2
