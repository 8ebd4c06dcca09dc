"""``novate up --processes``: real processes settle as one does, and survive each other."""

import os
import signal
import socket
from contextlib import suppress
from datetime import date

import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from nodes.processes.supervisor import ProcessError
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.state_hash import state_hash
from tests.support.clients import SEED, client_of
from tests.support.processes import new_trade, processes

TRADES = [("1", "BRK-A", "BRK-B"), ("2", "BRK-B/client", "BRK-C"), ("3", "BRK-C", "BRK-A/client")]


def hash_of(folder):
    """The state hash of a folder that nobody has open."""
    sandbox = open_sandbox(folder, SEED, date.today())  # noqa: DTZ011 # of a folder that is there
    try:
        return state_hash(sandbox.consortium)
    finally:
        sandbox.stop()


def test_every_node_is_a_process_of_its_own_with_key_database_and_port(running):
    places = running.control.states()

    assert len({place.pid for place in places.values()}) == len(places) == 8
    assert len({place.port for place in places.values()}) == 8
    for id in places:
        folder = running.folder / "nodes" / id
        assert (folder / "books.sqlite").exists()
        assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert (running.folder / "control.sock").stat().st_mode & 0o777 == 0o600


def test_trades_settle_end_to_end_and_everybody_agrees(running):
    assert [running.trade(*trade) for trade in TRADES] == [201, 201, 201]
    assert [running.trade(*trade) for trade in TRADES] == [200, 200, 200]
    assert running.strike() == "settled"

    _, trades = running.ask("GET", "/v1/trades")
    assert [trade["state"] for trade in trades["data"][:3]] == ["settled"] * 3
    assert running.wait_until(running.agrees) < 30


def test_money_and_instructions_go_through_the_nodes_concerned(running):
    money = {"kind": "cash", "account": "BRK-A", "amount": "100.00"}
    funded = {**money, "reference": "F1", "direction": "in"}
    assert running.ask("POST", "/v1/sandbox/fund", funded)[0] == 200
    taken = {**money, "reference": "F2", "direction": "out"}
    assert running.ask("POST", "/v1/sandbox/fund", taken)[0] == 200
    aside = {**money, "reference": "R1", "act": "reserve"}
    status, balance = running.ask("POST", "/v1/reservations", aside)
    assert (status, balance["held"]) == (200, "100.00")
    terms = {"seller": "BRK-A", "buyer": "BRK-B", "instrument": "NOVA2", "quantity": "7"}
    entered = {"kind": "dvp", "label": "D1", "amount": "70.00", **terms}
    assert running.ask("POST", "/v1/instructions", entered)[0] == 201
    running.wait_until(lambda: running.ask("GET", "/v1/instructions/D1")[1]["state"] == "settled")
    assert running.wait_until(running.agrees) < 30


@pytest.mark.parametrize("id", ["BRK-C", "BANK-2", "EXCHANGE", "CLEARING-HOUSE"])
def test_garbage_at_a_port_changes_nothing(running, id):
    port = running.control.states()[id].port
    for raw in (b"\0" * 10_000, b"POST /messages HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc"):
        with socket.create_connection(("127.0.0.1", port), 0.5) as connection:
            connection.sendall(raw)
            with suppress(OSError):
                connection.recv(100)

    assert running.wait_until(running.agrees) < 30


def test_a_desk_reports_late_and_both_sides_affirm_over_the_wire(running):
    fault = {"fault": "blotter-missing", "participant": "BRK-A"}
    assert running.ask("POST", "/v1/sandbox/faults", fault)[0] == 200
    _, late = running.ask("POST", "/v1/trades", new_trade("LATE1", "BRK-A", "BRK-B"))

    def is_now(state):
        return running.ask("GET", f"/v1/trades/{late['id']}")[1]["state"] == state

    running.wait_until(lambda: is_now("unaffirmed"))
    assert running.ask("DELETE", "/v1/sandbox/faults/BRK-A")[0] == 204
    assert running.wait_until(lambda: is_now("settled")) < 30
    _, breaks = running.ask("GET", "/v1/breaks?state=open&owner=BRK-A")
    assert breaks["data"] == []
    assert running.wait_until(running.agrees) < 30


def test_broker_that_was_killed_catches_up_and_the_others_go_on_meanwhile(running):
    running.control.kill("BRK-C")

    assert running.trade("10", "BRK-A", "BRK-B") == 201
    assert running.strike() == "settled"
    _, found = running.ask("GET", "/v1/participants")
    assert [each["id"] for each in found["data"] if each["is_away"]] == ["BRK-C"]
    need = {"kind": "cash", "account": "BRK-C", "amount": "1.00", "reference": "F9"}
    status, problem = running.ask("POST", "/v1/sandbox/fund", {**need, "direction": "in"})
    assert (status, problem["reason"]) == (409, "SILENT")

    running.control.start("BRK-C")
    assert running.wait_until(running.agrees) < 30
    assert running.ask("POST", "/v1/sandbox/fund", {**need, "direction": "in"})[0] == 200


def test_what_was_captured_while_a_broker_was_away_reaches_it_when_it_is_back(running):
    running.control.kill("BRK-B")
    assert running.trade("15", "BRK-A", "BRK-B") == 201
    assert running.strike() is not None
    running.control.start("BRK-B")

    def has_settled():
        running.strike()
        trades = running.ask("GET", "/v1/trades")[1]["data"]
        return all(trade["state"] == "settled" for trade in trades)

    running.wait_until(has_settled)
    assert running.wait_until(running.agrees) < 30


def test_node_that_stands_still_is_away_until_it_goes_on(running):
    running.control.pause("BRK-C")
    assert running.trade("20", "BRK-A", "BRK-B") == 201
    assert running.strike() == "settled"
    assert not running.agrees()

    running.control.resume("BRK-C")
    assert running.wait_until(running.agrees) < 30


def test_one_that_dies_by_itself_is_started_again_on_the_same_port(running):
    before = running.control.states()["BANK-1"]
    os.kill(before.pid, signal.SIGKILL)

    running.wait_until(lambda: running.pids().get("BANK-1", before.pid) != before.pid)
    running.wait_until(lambda: running.control.states()["BANK-1"].state == "running")
    assert running.control.states()["BANK-1"].port == before.port
    assert running.wait_until(running.agrees) < 30


def test_clearing_house_that_was_killed_goes_on_where_it_was(running):
    others = {id: pid for id, pid in running.pids().items() if id != "CLEARING-HOUSE"}
    assert running.trade("30", "BRK-A", "BRK-B") == 201
    running.control.kill("CLEARING-HOUSE")
    with pytest.raises(OSError, match="refused"):
        running.ask("GET", "/readyz")
    # Its supervisor still knows, and says what comes first.
    state = ["--supervisor", "--folder", str(running.folder)]
    assert "CLEARING-HOUSE  kill" in CliRunner().invoke(app, ["fault", "standing", *state]).output
    refused = CliRunner().invoke(app, ["fault", "inject", "restart", "BRK-A", *state])
    assert (refused.exit_code, "start it first" in refused.output) == (2, True)
    asked = CliRunner().invoke(app, ["fault", "standing", "--url", running.url])
    assert (asked.exit_code, "--supervisor" in asked.output) == (2, True)

    assert CliRunner().invoke(app, ["fault", "heal", "CLEARING-HOUSE", *state]).exit_code == 0
    running.wait_until(lambda: running.ask("GET", "/readyz")[0] == 200)
    assert running.strike() in {"settled", None}
    assert running.wait_until(running.agrees) < 30
    assert others.items() <= running.pids().items()


def test_clearing_house_answers_before_it_ends_by_its_own_fault(running):
    before = running.pids()["CLEARING-HOUSE"]
    body = {"fault": "restart", "participant": "CLEARING-HOUSE"}
    assert running.ask("POST", "/v1/sandbox/faults", body)[0] == 200

    running.wait_until(lambda: running.pids().get("CLEARING-HOUSE", before) != before)
    running.wait_until(lambda: running.ask("GET", "/readyz")[0] == 200)
    assert running.wait_until(running.agrees) < 30


def test_what_cannot_be_done_to_a_process_is_said(running):
    for act, id in (("kill", "NOBODY"), ("start", "BRK-A"), ("resume", "BRK-A")):
        with pytest.raises(ProcessError, match=id):
            getattr(running.control, act)(id)


def test_nothing_is_left_of_them_when_the_supervisor_is_killed_but_the_state_of_one_process(
    tmp_path,
):
    with processes(tmp_path / "many") as running:
        for number, seller, buyer in TRADES:
            assert running.trade(number, seller, buyer) == 201
        assert running.strike() == "settled"
        assert running.wait_until(running.agrees) < 30
        [first, *_] = running.ask("GET", "/v1/trades")[1]["data"]
        places = running.control.states().values()
        running.control.pause("BRK-A")
        running.process.kill()
        running.wait_until(lambda: not any(is_alive(place.pid) for place in places), 40)
        for port in (running.port, *(place.port for place in places)):
            socket.create_server(("127.0.0.1", port)).close()
    today = date.fromisoformat(first["trade_date"])
    one = open_sandbox(tmp_path / "one", SEED, today, options=SandboxOptions(cycle_seconds=0))
    with client_of(create_app(one)) as client:
        for number, seller, buyer in TRADES:
            answer = client.post("/v1/trades", json=new_trade(number, seller, buyer))
            assert answer.status_code == 201
        assert client.post("/v1/cycles").json()["state"] == "settled"

    assert hash_of(tmp_path / "many") == hash_of(tmp_path / "one")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
