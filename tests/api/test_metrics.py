"""What Prometheus reads is well-formed, true, and tells no stranger anything."""

import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.access.route_table import RouteTable
from api.app import create_app
from nodes.faults.node_faults import NodeFault
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY

BROKERS = ["BRK-A", "BRK-B", "BRK-C"]


def trade(number, seller="BRK-A", buyer="BRK-B"):
    return {
        "number": number,
        "instrument": "NOVA1",
        "quantity": "100",
        "price": "10.50",
        "seller": seller,
        "buyer": buyer,
    }


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    path = tmp_path_factory.mktemp("state")
    sandbox = open_sandbox(path, "test", DAY, options=SandboxOptions(cycle_seconds=0))
    with client_of(create_app(sandbox)) as opened:
        yield opened


def families(client):
    text = client.get("/metrics").text
    return {each.name: each for each in text_string_to_metric_families(text)}


def values(client):
    """Every sample: its name with its labels, sorted."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families(client).values()
        for sample in family.samples
    }


def test_metrics_follow_a_trade_from_capture_to_finality(client):
    before = values(client)
    assert client.post("/v1/trades", json=trade("M1")).status_code == 201
    captured = values(client)
    assert client.post("/v1/trades", json=trade("M1", "BRK-C")).status_code == 409
    assert client.post("/v1/cycles").status_code == 201
    after = values(client)

    def grown(name, *labels, since=before, until=after):
        return until[name, *labels] - since.get((name, *labels), 0)

    assert grown("novate_trades_captured_total", until=captured) == 1
    assert grown("novate_trades_captured_total") == 1
    assert grown("novate_trades_settled_total", "cycle") == 1
    assert grown("novate_trades_refused_total", "DUPLICATE") == 1
    assert grown("novate_cycles_total", "settled") == 1
    assert grown("novate_cycles_gross_value_minor_units_total", "CNY") == 105_000
    assert grown("novate_net_lines_total", "cash") == 2
    assert grown("novate_cycle_strike_to_final_seconds_count") == 1
    assert grown("novate_blocks_sealed_total") == 1
    assert grown("novate_block_seal_to_final_seconds_count") == 1
    assert after["novate_blocks_final_total",] == after["novate_blocks_sealed_total",]
    assert after["novate_node_lag_blocks", "BRK-A"] == 0
    assert after["novate_ready",] == 1
    assert after["novate_storage_bytes", "BRK-A", "log"] > 0
    assert after["process_resident_memory_bytes",] > 0


def test_breaks_and_nodes_that_are_away_are_counted(client):
    sandbox = client.app.state.sandbox
    faults = {"fault": "blotter-missing", "participant": "BRK-A"}
    assert client.post("/v1/sandbox/faults", json=faults).status_code == 200
    client.post("/v1/trades", json=trade("M2"))
    client.post("/v1/cycles")
    broken = values(client)
    client.delete("/v1/sandbox/faults/BRK-A")
    client.post("/v1/cycles")
    assert sandbox.inject(NodeFault.KILL, "BRK-C") is None
    away = values(client)
    assert sandbox.inject(NodeFault.HEAL, "BRK-C") is None
    healed = values(client)

    open_breaks = {
        key[1:]: value for key, value in broken.items() if key[0] == "novate_breaks_open"
    }
    assert sum(value for labels, value in open_breaks.items() if "BRK-A" in labels) > 0
    assert [away["novate_node_away", each] for each in BROKERS] == [0, 0, 1]
    assert [healed["novate_node_away", each] for each in BROKERS] == [0, 0, 0]


def test_series_are_named_by_route_whatever_path_is_asked_for(client):
    known = {each.path for each in RouteTable(client.app.routes).served} | {"none"}
    for number in range(30):
        client.get(f"/v1/trades/B3.2026-02-10.ZZ00{number}.1")
        client.get(f"/nothing/{number}")
        client.request(f"MADE{number}", "/v1/trades")

    seen = families(client)["novate_http_requests"].samples
    assert {each.labels["route"] for each in seen} <= known
    assert {each.labels["method"] for each in seen} <= {"GET", "POST", "PUT", "DELETE", "none"}


def test_counters_do_not_count_again_what_was_there_at_the_last_look(client):
    first = values(client)
    second = values(client)

    settled = [name for name in first if name[0].startswith(("novate_trades", "novate_cycle"))]
    assert settled
    assert {name: second[name] for name in settled} == {name: first[name] for name in settled}


def test_only_operator_clearing_house_and_regulator_read_them(client):
    statuses = {
        name: client.get("/metrics", headers=key_header(name)).status_code
        for name in ("OPERATOR", "CLEARING-HOUSE", "REGULATOR", "BRK-A", "BANK-1", "EXCHANGE")
    }

    assert statuses == {
        **dict.fromkeys(("OPERATOR", "CLEARING-HOUSE", "REGULATOR"), 200),
        **dict.fromkeys(("BRK-A", "BANK-1", "EXCHANGE"), 403),
    }
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401


def test_names_follow_the_conventions_of_prometheus(client):
    for family in families(client).values():
        assert re.fullmatch("(novate|process)_[a-z_]+", family.name)
        assert family.documentation
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_every_metric_of_the_dashboard_exists(client, request):
    file = request.config.rootpath / "docs/operation/grafana-dashboard.json"
    dashboard = json.loads(file.read_text())
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:novate|process)_[a-z_]+\b", target["expr"])
    }
    found = families(client)
    known = {s.name for family in found.values() for s in family.samples}
    # Of what has not happened yet there is a family and no sample.
    known |= {f"{n}_total" if family.type == "counter" else n for n, family in found.items()}

    assert len(dashboard["panels"]) > 10
    assert shown
    assert shown <= known
    assert {name for name in known if name.startswith("novate_http_requests_total")}


def test_refusals_by_rate_are_counted(client):
    limits = client.app.state.access.by_address
    before = values(client)["novate_rate_limited_requests_total", "address"]
    taken = [limits.take("192.0.2.1") for _ in range(limits.burst + 1_000)]
    refused = sum(not each.is_allowed for each in taken)

    assert refused > 0
    assert values(client)["novate_rate_limited_requests_total", "address"] == before + refused
