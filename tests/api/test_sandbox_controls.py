"""The controls of a sandbox: begin anew, keep and restore, made trades, stand-ins, scenarios."""

import asyncio
import errno
import gc
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from time import monotonic, sleep

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.hosting import Hosting, _until_closed
from api.routers import sandbox_controls as controls
from nodes.sandbox import home as home_module
from nodes.sandbox.home import Replacement, SandboxHome
from nodes.sandbox.sandbox import DEFAULT_SEED, Sandbox, SandboxOptions, open_sandbox
from nodes.scenario.bundled import pack_file
from nodes.state_folder import MARKET_ENTRIES
from tests.support.clients import client_of, key_header
from tests.support.consortia import small_consortium

DAY = date(2026, 2, 10)
SECONDS_MAX = 30


def home_of(path) -> SandboxHome:
    return SandboxHome(path, lambda seed: open_sandbox(path, seed, DAY))


def hosted(path) -> TestClient:
    return TestClient(Hosting(home_of(path), create_app), headers=key_header(seed=DEFAULT_SEED))


@pytest.fixture
def client(tmp_path):
    with hosted(tmp_path) as opened:
        yield opened


def post(client, path, body=None, status=200):
    answer = client.post(f"/v1/{path}", json=body or {})
    assert answer.status_code == status, answer.text
    return answer.json()


def until_settled(client, count):
    deadline = monotonic() + SECONDS_MAX
    while True:
        trades = client.get("/v1/trades", params={"limit": 500}).json()["data"]
        if len(trades) == count and all(each["state"] == "settled" for each in trades):
            return
        assert monotonic() < deadline, trades
        sleep(0.05)


def test_a_reset_market_is_as_at_the_very_first(client):
    first = client.get("/v1/sandbox").json()
    post(client, "sandbox/trades", {"count": 50, "seed": 7}, 201)
    until_settled(client, 50)
    assert client.get("/v1/sandbox").json()["state_hash"] != first["state_hash"]

    again = post(client, "sandbox/reset")

    assert again["state_hash"] == first["state_hash"]
    assert again["block"] == first["block"]
    assert client.get("/v1/trades").json()["data"] == []
    assert client.get("/readyz").status_code == 200


def test_the_seed_of_all_keys_is_shown_to_the_operator_alone(client):
    assert client.get("/v1/sandbox").json()["seed"] == DEFAULT_SEED
    for name in ("BRK-A", "CLEARING-HOUSE", "REGULATOR"):
        headers = key_header(name, DEFAULT_SEED)
        assert client.get("/v1/sandbox", headers=headers).json()["seed"] is None


def test_another_seed_gives_other_keys(client):
    before = client.get("/v1/participants").json()["data"][0]["address"]
    assert post(client, "sandbox/reset", {"seed": "another"})["seed"] == "another"
    assert client.get("/v1/participants").status_code == 401
    client.headers = key_header(seed="another")
    assert client.get("/v1/participants").json()["data"][0]["address"] != before


def test_a_snapshot_brings_back_what_was_and_can_be_used_again(client):
    post(client, "sandbox/trades", {"count": 20, "seed": 1}, 201)
    until_settled(client, 20)
    kept = post(client, "sandbox/snapshots", {"name": "after-20"}, 201)
    assert kept["size_bytes"] > 0
    for seed in (2, 3):
        post(client, "sandbox/trades", {"count": 30, "seed": seed}, 201)
        until_settled(client, 50)
        assert client.get("/v1/sandbox").json()["state_hash"] != kept["state_hash"]
        restored = post(client, "sandbox/snapshots/after-20/restore")
        assert restored["state_hash"] == kept["state_hash"]
        until_settled(client, 20)
    assert client.get("/v1/reconciliation").json()["agrees"]
    assert [each["name"] for each in client.get("/v1/sandbox/snapshots").json()["data"]] == [
        "after-20"
    ]
    post(client, "sandbox/snapshots", {"name": "after-20"}, 409)
    assert client.delete("/v1/sandbox/snapshots/after-20").status_code == 204
    post(client, "sandbox/snapshots/after-20/restore", status=404)


def test_a_desk_that_is_broken_is_of_the_market_and_goes_with_it(client):
    def standing():
        found = client.get("/v1/sandbox/faults").json()["standing"]
        return [(each["participant"], each["fault"]) for each in found]

    broken = {"fault": "blotter-missing", "participant": "BRK-A"}
    post(client, "sandbox/faults", broken)
    post(client, "sandbox/snapshots", {"name": "broken"}, 201)
    post(client, "sandbox/reset")
    assert standing() == []
    post(client, "sandbox/snapshots/broken/restore")
    assert standing() == [("BRK-A", "blotter-missing")]


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "-a", "a" * 41, "é"])
def test_a_name_that_is_no_name_of_a_folder_is_refused(client, name):
    post(client, "sandbox/snapshots", {"name": name}, 422)


def test_a_market_that_is_in_no_folder_cannot_be_reset():
    with client_of(create_app(Sandbox(small_consortium()))) as client:
        post(client, "sandbox/reset", status=403)
        post(client, "sandbox/snapshots", {"name": "a"}, 403)


def test_everything_of_the_market_is_replaced_and_nothing_else(client, tmp_path):
    beside = {"lock", "interface"}
    assert {file.name for file in tmp_path.iterdir()} <= {*MARKET_ENTRIES, *beside}


REPLACED_IN_A_PROCESS = """
import sys
from datetime import date
from pathlib import Path
from nodes.sandbox import home
from nodes.sandbox.sandbox import open_sandbox

path, name = Path(sys.argv[1]), sys.argv[2]
place = home.SandboxHome(path, lambda seed: open_sandbox(path, seed, date(2026, 2, 10)))
copy = home.shutil.copytree
def copy_and_stop(*given, **options):
    copy(*given, **options)
    print("copied", flush=True)
    sys.stdin.read()
home.shutil.copytree = copy_and_stop
place.replace(home.Replacement(snapshot=name))
place.open()
"""


def test_a_replacement_that_was_killed_is_finished_at_the_next_start(tmp_path):
    with hosted(tmp_path) as client:
        post(client, "sandbox/trades", {"count": 10}, 201)
        until_settled(client, 10)
        kept = post(client, "sandbox/snapshots", {"name": "ten"}, 201)
        post(client, "sandbox/trades", {"count": 10, "seed": 9}, 201)
        until_settled(client, 20)
    killed = subprocess.Popen(
        [sys.executable, "-c", REPLACED_IN_A_PROCESS, str(tmp_path), "ten"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert killed.stdout.readline() == b"copied\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()

    with hosted(tmp_path) as client:
        assert client.get("/v1/sandbox").json()["state_hash"] == kept["state_hash"]
    assert not (tmp_path / "replacement.json").exists()


def answered(client, key, path, body):
    answer = client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": key})
    return answer.status_code, answer.headers.get("Idempotent-Replayed")


def test_answers_outlive_a_snapshot_and_not_the_market_they_were_given_in(client):
    asked = ("T", "sandbox/trades", {"count": 1})
    assert answered(client, *asked) == (201, None)
    post(client, "sandbox/snapshots", {"name": "one"}, 201)
    assert answered(client, *asked) == (201, "true")
    assert answered(client, "R", "sandbox/reset", {}) == (200, None)
    assert answered(client, "R", "sandbox/reset", {}) == (200, "true")
    assert answered(client, *asked) == (201, None)


def test_what_is_done_again_after_a_crash_is_told_once_and_its_answers_are_gone(
    tmp_path, monkeypatch
):
    home = home_of(tmp_path)
    with hosted(tmp_path) as client:
        asked = ("T", "sandbox/trades", {"count": 1})
        assert answered(client, *asked) == (201, None)
    home.replace(Replacement(seed="novate"))
    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", lambda *_, **__: sys.exit("killed"))
        with pytest.raises(SystemExit):
            home.open()
    gc.collect()
    with hosted(tmp_path) as client:
        assert answered(client, *asked) == (201, None)
        told = client.get("/v1/events", params={"type": "sandbox.reset"}).json()["data"]
        assert len(told) == 1


def test_whoever_waits_for_finality_does_not_hold_up_a_reset(tmp_path):
    by_hand = SandboxOptions(cycle_seconds=0)
    home = SandboxHome(tmp_path, lambda seed: open_sandbox(tmp_path, seed, DAY, options=by_hand))
    trade = {
        "number": "T1",
        "instrument": "NOVA1",
        "quantity": "100",
        "price": "10.50",
        "seller": "BRK-A",
        "buyer": "BRK-B",
    }
    with (
        TestClient(Hosting(home, create_app), headers=key_header(seed=DEFAULT_SEED)) as client,
        ThreadPoolExecutor() as threads,
    ):
        waiting = {"wait": "final", "timeout": 30}
        waits = threads.submit(client.post, "/v1/trades", json=trade, params=waiting)
        while not client.get("/v1/trades").json()["data"]:
            sleep(0.05)
        begun = monotonic()
        post(client, "sandbox/reset")
        assert monotonic() - begun < 20
        assert waits.result().json()["state"] == "captured"


def test_a_snapshot_that_the_disk_does_not_take_is_refused_and_leaves_nothing(
    client, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(home_module, "_copy_file", full)
        post(client, "sandbox/snapshots", {"name": "big"}, 507)
    assert list((tmp_path / "snapshots").iterdir()) == []
    assert client.get("/v1/sandbox").status_code == 200


def test_a_snapshot_that_is_dropped_meanwhile_is_not_there(client, monkeypatch):
    monkeypatch.setattr(controls, "_require_known", lambda *_: None)
    post(client, "sandbox/snapshots/gone/restore", status=404)
    assert client.delete("/v1/sandbox/snapshots/gone").status_code == 404
    assert client.get("/v1/sandbox").status_code == 200


def test_requests_that_look_for_the_end_leave_nothing_behind():
    async def app(scope, receive, send):
        assert (await receive())["type"] == "http.request"
        with suppress(TimeoutError):
            await asyncio.wait_for(receive(), 0.01)

    async def serve():
        messages = [{"type": "http.request"}]

        async def receive():
            return messages.pop() if messages else await asyncio.Event().wait()

        closing = asyncio.Event()
        await _until_closed(app, closing, {"type": "http"}, receive, receive)
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(serve()) == 1


def test_a_snapshot_that_was_cut_off_is_none(tmp_path):
    (tmp_path / "snapshots" / "half.unfinished").mkdir(parents=True)
    home = home_of(tmp_path)
    assert home.snapshots() == []
    with pytest.raises(KeyError):
        home.replace(Replacement(snapshot="half"))


def test_made_trades_are_the_same_for_the_same_seed(client):
    asked = {"count": 5, "seed": 4}
    assert post(client, "sandbox/trades", asked, 201) == {"captured": 5, "repeated": 0}
    assert post(client, "sandbox/trades", asked, 201)["captured"] in {0, 5}
    trades = client.get("/v1/trades").json()["data"]
    assert [each["number"] for each in trades] == [f"M4-{row}" for row in range(1, 6)]
    assert all(each["seller"] != each["buyer"] for each in trades)
    for wrong in ({"count": 0}, {"count": 100_000}, {"count": 1, "seed": 10_000}, {"count": "5"}):
        post(client, "sandbox/trades", wrong, 422)


def a_side(reference="S1", **other):
    return {
        "kind": "dvp",
        "side": "seller",
        "reference": reference,
        "account": "BRK-A",
        "counterparty": "BRK-B",
        "instrument": "NOVA1",
        "quantity": "100",
        "amount": "1050.00",
        "settlement_date": "2026-02-10",
        **other,
    }


def until_state(client, reference, state):
    deadline = monotonic() + SECONDS_MAX
    while True:
        side = client.get(f"/v1/sides/BRK-A/{reference}").json()
        if side["state"] == state:
            return side
        assert monotonic() < deadline, side
        sleep(0.05)


def test_a_stand_in_enters_the_other_side(client):
    today = client.get("/v1/clock").json()["business_date"]
    put = client.put("/v1/sandbox/stubs/BRK-B", json={"behaviour": "match"})
    assert put.status_code == 200, put.text
    post(client, "sides", a_side(settlement_date=today), 201)
    until_state(client, "S1", "settled")


def test_a_stand_in_can_differ_and_can_be_taken_away(client):
    today = client.get("/v1/clock").json()["business_date"]
    client.put("/v1/sandbox/stubs/BRK-B", json={"behaviour": "differ"})
    post(client, "sides", a_side(settlement_date=today), 201)
    deadline = monotonic() + SECONDS_MAX
    while not client.get("/v1/sides", params={"participant": "BRK-B"}).json()["data"]:
        assert monotonic() < deadline
        sleep(0.05)
    side = client.get("/v1/sides/BRK-A/S1").json()
    assert side["state"] == "unmatched"
    assert "quantity" in str(side)
    assert client.get("/v1/sandbox/stubs").json()["data"][0]["participant"] == "BRK-B"
    assert client.delete("/v1/sandbox/stubs/BRK-B").status_code == 204
    assert client.get("/v1/sandbox/stubs").json()["data"] == []


def test_a_stand_in_waits_for_business_time(client):
    clock = post(client, "clock", {"frozen": True})
    client.put("/v1/sandbox/stubs/BRK-B", json={"behaviour": "match", "after_seconds": 600})
    post(client, "sides", a_side(settlement_date=clock["business_date"]), 201)
    sleep(0.3)
    assert client.get("/v1/sides/BRK-A/S1").json()["state"] == "unmatched"
    post(client, "clock", {"advance": 601})
    until_state(client, "S1", "settled")


def test_a_scenario_of_ones_own_is_played_apart(client):
    before = client.get("/v1/sandbox").json()
    content = pack_file("net-six-trades").read_bytes()
    answer = client.post("/v1/sandbox/scenarios", content=content)
    assert answer.status_code == 200, answer.text
    assert answer.json()["passed"]
    bundled = post(client, "sandbox/scenarios/net-six-trades/run")
    assert bundled["state_hash"] == answer.json()["state_hash"]
    assert client.get("/v1/sandbox").json()["state_hash"] == before["state_hash"]
    wrong = client.post("/v1/sandbox/scenarios", content=b"scenario: x\nrules: {nothing: 1}\n")
    assert wrong.status_code == 422
    assert "scenario:2" in wrong.json()["detail"]
    assert client.post("/v1/sandbox/scenarios", content=b"\xff").status_code == 422
    post(client, "sandbox/scenarios/none/run", status=404)
    assert len(client.get("/v1/sandbox/scenarios").json()["data"]) > 200
