"""Proofs over HTTP and from the command line: made, verified off line and against the chain."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from ledger.domain.reasons import Reason
from nodes.sandbox.sandbox import open_sandbox
from tests.api.test_rest import TRADE, wait_until_final
from tests.support.clients import client_of
from tests.support.consortia import DAY
from tests.support.proofs import SCRIPT
from tests.support.servers import served

runner = CliRunner()


def run(*words):
    return runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("proofs") / "state"


@pytest.fixture(scope="module")
def answers(folder):
    """What the interface answered for a settled trade, while it ran; it has been stopped since."""
    sandbox = open_sandbox(folder, "test", DAY)
    with client_of(create_app(sandbox)) as client:
        if sandbox.consortium.own_chain is None:
            pytest.skip("the chain is not in the folder")
        for number in ("P1", "P2", "P3"):
            trade = client.post("/v1/trades", json=TRADE | {"number": number}).json()
        settled = wait_until_final(client, trade["id"])
        large = {"number": "LARGE", "quantity": "9000000000"}
        waiting = client.post("/v1/trades", json=TRADE | large).json()
        return {
            "id": settled["id"],
            "cycle": client.get(f"/v1/cycles/{settled['cycle']}").json(),
            "proof": client.get(f"/v1/trades/{settled['id']}/proof"),
            "waiting": client.get(f"/v1/trades/{waiting['id']}/proof"),
            "unknown": client.get(f"/v1/trades/{settled['id'][:-2]}NONE/proof"),
            "malformed": client.get("/v1/trades/nonsense/proof"),
            "page": client.get(f"/chain/trades/{settled['id']}").text,
            "description": client.get("/openapi.json").json(),
        }


@pytest.fixture
def file(answers, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(answers["proof"].text)
    return path


def test_proof_is_of_the_trade_and_under_the_root_of_its_cycle(answers):
    proof = answers["proof"].json()

    assert answers["proof"].status_code == 200
    assert proof["cycle"]["id"] == answers["cycle"]["id"]
    assert proof["cycle"]["root"] == answers["cycle"]["root"]
    assert proof["cycle"]["trades"] == answers["cycle"]["trades"]
    assert proof["trade"]["record"] == proof["chunk"]["records"][proof["trade"]["place"]]


def test_trade_without_a_proof_is_refused_with_a_reason(answers):
    statuses = {name: answers[name].status_code for name in ("waiting", "unknown", "malformed")}

    assert statuses == {"waiting": 409, "unknown": 404, "malformed": 422}
    assert answers["waiting"].headers["content-type"] == "application/problem+json"
    assert answers["waiting"].json()["code"] == Reason.UNPROVEN.value


def test_proof_is_described_with_examples_and_linked_on_the_page_of_its_trade(answers):
    described = answers["description"]["paths"]["/v1/trades/{trade_id}/proof"]["get"]

    assert {"200", "404", "409", "422"} <= described["responses"].keys()
    assert "examples" in json.dumps(answers["description"]["components"]["schemas"]["ProofChunk"])
    assert f'/v1/trades/{answers["id"]}/proof"' in answers["page"]


def test_script_accepts_what_the_interface_answered(answers, file):
    root = answers["cycle"]["root"]
    for arguments, status in (([], 0), ([root], 0), (["0x" + "00" * 32], 1)):
        command = [sys.executable, "-I", SCRIPT, file, *arguments]
        assert subprocess.run(command, check=False, capture_output=True).returncode == status


def test_command_makes_the_same_proof_and_verifies_it_against_the_folder(
    answers, file, folder, tmp_path
):
    made = tmp_path / "made.json"
    assert run("proof", "make", answers["id"], "--state", folder, "--out", made).exit_code == 0

    assert json.loads(made.read_text()) == answers["proof"].json()
    for proof in (made, file):
        assert run("proof", "verify", proof).exit_code == 0
        result = run("proof", "verify", proof, "--state", folder)
        assert result.exit_code == 0, result.output
        assert answers["id"] in result.output


def test_proof_of_another_chain_or_a_changed_one_ends_with_status_1(answers, file, folder):
    document = answers["proof"].json()
    lie = json.loads(file.read_text())
    lie["chunk"]["index"] += 1
    file.write_text(json.dumps(lie))
    assert run("proof", "verify", file).exit_code == 1
    other = dict(document, cycle=dict(document["cycle"], id="0x" + "ab" * 32))
    file.write_text(json.dumps(other))
    assert run("proof", "verify", file, "--state", folder).exit_code == 1


def test_bad_file_folder_or_trade_ends_with_status_2_or_1(answers, file, folder, tmp_path):
    out = tmp_path / "out.json"
    unknown = answers["id"][:-2] + "NONE"
    for words, status in (
        (["verify", tmp_path / "none"], 2),
        (["verify", SCRIPT], 2),
        (["verify", file, "--state", tmp_path], 2),
        (["verify", file, "--rpc", "http://127.0.0.1:9"], 2),
        (["make", "nonsense", "--state", folder, "--out", out], 2),
        (["make", answers["id"], "--state", tmp_path, "--out", out], 2),
        (["make", unknown, "--state", folder, "--out", out], 1),
    ):
        assert run("proof", *words).exit_code == status, words
    assert not out.exists()


def test_day_of_the_folder_is_verified_and_a_missing_segment_is_named(answers, folder):
    result = run("day", "verify", "--state", folder)
    assert result.exit_code == 0, result.output
    assert "OK: 1 cycle of 3 trades" in result.output

    segment = next((folder / "segments").glob("*.parquet"))
    hidden = segment.rename(segment.with_suffix(".hidden"))
    result = run("day", "verify", "--state", folder)
    hidden.rename(segment)
    assert result.exit_code == 1
    assert run("day", "verify", "--state", folder / "nowhere").exit_code == 2


def test_option_before_the_verification_of_a_day_is_refused(folder):
    result = run("day", "--state", folder, "verify")

    assert result.exit_code == 2
    assert "--state settles a day" in result.output
    assert run("day").exit_code == 2


def test_proof_is_verified_against_a_node(answers, file, folder):
    with served(open_sandbox(folder, "test", DAY)) as server:
        result = run("proof", "verify", file, "--rpc", f"http://{server.place}/rpc")

    assert result.exit_code == 0, result.output
    assert "the chain has this root" in result.output
