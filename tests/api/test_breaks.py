"""Breaks over REST, by command and on the page: listed, looked up, and worked on to the end."""

import json
import re
import shlex

import numpy as np
import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from ledger.books.postings import Register
from ledger.domain.accounts import holding_key
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.servers import served


@pytest.fixture
def sandbox(tmp_path):
    return open_sandbox(tmp_path, "test", DAY, options=SandboxOptions(cycle_seconds=0))


@pytest.fixture
def client(sandbox):
    with client_of(create_app(sandbox)) as opened:
        yield opened


def spoil(sandbox, amount):
    """Lets the own book of BRK-A say something else of its cash; the amount that it had."""
    with sandbox.lock:
        consortium = sandbox.consortium
        book = consortium.trader("BRK-A").own_book
        key = holding_key(1, consortium.network.account_number("BRK-A"))
        had = book.positions(Register.CASH).get(key)
        spoiled = book.positions(Register.CASH).with_values(np.array([key]), np.array([[amount]]))
        book._positions[Register.CASH] = spoiled
        consortium.reconcile()
    return had


def listed(client, **query):
    answer = client.get("/v1/breaks", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_break_is_listed_worked_on_and_closes_by_itself(sandbox, client):
    assert listed(client) == []
    had = spoil(sandbox, 1)

    [found] = listed(client, owner="BRK-A", state="open", kind="amount", bucket="0", subject="cny")
    assert (found["ours"], found["kind_text_zh"], found["age"]) == ("0.01", "金额不符", 0)
    assert (found["asset"], found["currency"], found["assignee"]) == ("CNY", "CNY", None)
    path = f"/v1/breaks/BRK-A/{found['id']}"
    assert client.post(f"{path}/assign", json={"to": "li", "by": "wang"}).status_code == 200
    assert listed(client, assignee="li") == [{**found, "assignee": "li"}]
    assert listed(client, assignee="") == []
    client.post(f"{path}/comment", json={"text": "asked the bank", "by": "li"})
    resolved = client.post(f"{path}/resolve", json={"reason": "typing error", "by": "li"}).json()
    assert (resolved["state"], resolved["resolution"]) == ("resolved", "typing error")
    assert client.post(f"{path}/reopen", json={"by": "wang"}).json()["state"] == "open"

    spoil(sandbox, had)
    detail = client.get(path).json()
    assert detail["state"] == "closed"
    assert detail["closed_block"] >= detail["first_seen_block"]
    acts = [(event["act"], event["actor"], event["text"]) for event in detail["history"]]
    assert acts == [
        ("opened", None, ""),
        ("assigned", "wang", "li"),
        ("commented", "li", "asked the bank"),
        ("resolved", "li", "typing error"),
        ("reopened", "wang", ""),
        ("closed", None, ""),
    ]
    assert detail["cause"]["name"] == "unbooked"
    assert detail["actions"]
    assert all(action["text"] and action["text_zh"] for action in detail["actions"])
    assert [each["id"] for each in listed(client)] == [found["id"]]
    assert listed(client, state="open") == []
    refused = client.post(f"{path}/resolve", json={"reason": "again", "by": "li"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "FINAL")


def test_age_grows_with_business_days(sandbox, client):
    spoil(sandbox, 1)
    with sandbox.lock:
        clock = sandbox.consortium.clock
        for _ in range(3):
            sandbox.move_clock(clock.next_day)

    [found] = listed(client, bucket="2-5")
    assert found["age"] == 3


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/v1/breaks/BRK-A/0123456789abcdef", 404, "UNKNOWN"),
        ("/v1/breaks/NOBODY/0123456789abcdef", 404, "UNKNOWN"),
        ("/v1/breaks/BRK-A/nonsense", 422, "INVALID"),
        ("/v1/breaks?owner=NOBODY", 404, "UNKNOWN"),
        ("/v1/breaks?kind=other", 422, "INVALID"),
        ("/v1/breaks?unknown=1", 422, "INVALID"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(client, path, status, reason):
    answer = client.get(path)

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_only_the_owners_own_staff_sees_and_works_on_its_breaks(sandbox, client):
    spoil(sandbox, 1)
    [found] = listed(client)
    path = f"/v1/breaks/BRK-A/{found['id']}"

    others = key_header("BRK-B")
    assert client.get("/v1/breaks", headers=others).json()["data"] == []
    assert client.get(path, headers=others).status_code == 403
    assert client.post(f"{path}/reopen", json={"by": "li"}, headers=others).status_code == 403
    own = key_header("BRK-A")
    assert client.get("/v1/breaks", headers=own).json()["data"] == [found]
    assert client.post(f"{path}/reopen", json={"by": "li"}, headers=own).status_code == 200


def test_pages_of_breaks_follow_each_other(sandbox, client):
    spoil(sandbox, 1)
    with sandbox.lock:
        bank = sandbox.consortium.bank_of_account("BRK-A")
        spoiled = bank.keeper.book.positions(Register.CASH)
        first = spoiled.keys.column[:3]
        other = np.full((1, len(first)), 7)
        bank.keeper.book._positions[Register.CASH] = spoiled.with_values(first, other)
        sandbox.consortium.reconcile()
    everything = listed(client)
    assert len(everything) > 2

    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/breaks", params=query).json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == everything


def test_reconciliation_says_how_far_each_node_is_and_who_is_away(sandbox, client):
    answer = client.get("/v1/reconciliation").json()
    assert answer["agrees"]
    assert answer["suspended"] == []
    assert {node["state"] for node in answer["nodes"]} == {"live"}
    assert {node["reconciled_block"] for node in answer["nodes"]} == {answer["as_of_block"]}

    spoil(sandbox, 1)
    answer = client.get("/v1/reconciliation").json()
    assert not answer["agrees"]
    assert [each["subject"] for each in answer["breaks"]] == ["BRK-A CNY"]


@pytest.mark.parametrize(("language", "words"), [("en", "at risk"), ("zh", "存疑金额")])
def test_page_shows_age_assignee_and_what_is_at_risk(sandbox, client, language, words):
    spoil(sandbox, 1)
    [found] = listed(client)
    client.post(f"/v1/breaks/BRK-A/{found['id']}/assign", json={"to": "li.na", "by": "li"})

    page = client.get(f"/reconciliation?lang={language}").text
    assert words in page
    assert "li.na" in page


def test_commands_list_show_and_change(sandbox):
    with served(sandbox) as running:
        spoil(sandbox, 1)

        def run(*arguments):
            result = CliRunner().invoke(
                app, ["breaks", *arguments, "--url", f"http://{running.place}"]
            )
            assert result.exit_code == 0, result.output
            return result.output

        found = json.loads(run("list", "--json"))
        named = ["BRK-A", found["id"]]
        assert found["id"] in run("list")
        assert "cause" in run("show", *named)
        assert json.loads(run("assign", *named, "li", "--json"))["assignee"] == "li"
        assert "asked" in run("comment", *named, "asked")
        assert "resolved" in run("resolve", *named, "typing error", "--by", "li")
        assert json.loads(run("reopen", *named, "--json"))["state"] == "open"


def test_commands_of_the_documentation_work(request, sandbox):
    text = (request.config.rootpath / "docs/reconciliation.md").read_text()
    working_on_breaks = text.partition("on purpose")[0]
    commands = re.findall(r"^ {4}novate (breaks .*)$", working_on_breaks, re.MULTILINE)
    assert len(commands) == 7
    with served(sandbox) as running:
        spoil(sandbox, 1)
        address = ["--url", f"http://{running.place}"]
        found = CliRunner().invoke(app, ["breaks", "list", "--json", *address]).output
        for command in commands:
            words = shlex.split(command.replace("9f2b5c7d81e0a364", json.loads(found)["id"]))
            result = CliRunner().invoke(app, [*words, *address])
            assert result.exit_code == 0, result.output
