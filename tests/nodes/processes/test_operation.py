"""Operation of nodes that are processes: one log of all, a backup of everything."""

import json

from nodes.backup.restoring import restore

NODES = {
    *("BRK-A", "BRK-B", "BRK-C", "BANK-1", "BANK-2"),
    *("EXCHANGE", "CLEARING-HOUSE", "REGISTRAR"),
}


def test_every_process_writes_whole_lines_into_the_one_log(running):
    assert running.trade("OP-1", "BRK-A", "BRK-B") == 201
    assert running.strike() == "settled"
    assert running.wait_until(running.agrees) < 30

    written = running.folder.with_name("log").read_text()
    lines = [json.loads(line) for line in written.splitlines()]

    assert {line["node"] for line in lines if line["event"] == "process.started"} >= NODES
    assert {line["node"] for line in lines if line["event"] == "node.reconciled"} >= NODES
    [trade] = [x for x in lines if x["event"] == "trade.acknowledged" and "OP-1" in x["trade"]]
    assert trade["node"] == "CLEARING-HOUSE"
    assert trade["request_id"]


def test_backup_of_processes_at_work_comes_back_as_one_market(running, tmp_path):
    assert running.trade("OP-2", "BRK-B", "BRK-C") == 201
    assert running.strike() == "settled"
    status, backup = running.ask("POST", "/v1/sandbox/backups", {"name": "of-processes"})
    assert status == 201, backup
    again = running.ask("POST", "/v1/sandbox/backups", {"name": "of-processes"})

    restored = restore(running.folder / "backups" / "of-processes", tmp_path / "restored")

    assert restored.manifest.state_hash == backup["state_hash"]
    assert restored.manifest.block == backup["block"]
    assert restored.verified.books == len(NODES)
    assert (again[0], again[1]["reason"]) == (409, "DUPLICATE")
