"""Blocks and transactions over REST, on pages in both languages, and on the command line."""

import json
import re
import threading
import time
import urllib.error
import urllib.request

import pytest
import uvicorn
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from api.web.words import TRADE_STATES
from contracts.clients.settlement import NO_SIGNATURE
from contracts.typed_data import InstructionMessage
from ledger.books import intake
from ledger.domain.instructions import State
from nodes.sandbox.sandbox import open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import key_header
from tests.support.consortia import DAY

TRADE = {
    "number": "SEEN",
    "instrument": "NOVA1",
    "quantity": "100",
    "price": "10.50",
    "seller": "BRK-A",
    "buyer": "BRK-B",
}
NOWHERE = "0x" + "ab" * 32
runner = CliRunner()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def sandbox(state):
    opened = open_sandbox(state, "test", DAY)
    house = opened.consortium.clearing_house
    settlement = opened.consortium.contracts.settlement
    message = InstructionMessage(b"\x07" * 32, 256, 512, 1, 10, 1, 100, 1, 0)
    data = settlement.settle_instruction_data(message, NO_SIGNATURE, NO_SIGNATURE)
    house.outbox.send("late", settlement.address, data)
    return opened


@pytest.fixture(scope="module")
def address(sandbox):
    server = uvicorn.Server(uvicorn.Config(create_app(sandbox), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def trade(address):
    """A trade that is final."""
    body = json.dumps(TRADE).encode()
    request = urllib.request.Request(
        f"{address}/v1/trades", body, {"content-type": "application/json"} | key_header()
    )
    with urllib.request.urlopen(request) as answer:
        id = json.load(answer)["id"]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        trade = read(address, f"/v1/trades/{id}")
        if trade["transaction_hash"]:
            return trade
        time.sleep(0.05)
    raise AssertionError(f"{id} was not final in time")


def get(address, path):
    try:
        request = urllib.request.Request(address + path, headers=key_header())
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def read(address, path):
    return json.loads(get(address, path)[1])


def refused(address):
    blocks = read(address, "/v1/chain/blocks?limit=100")["data"]
    number = next(block["number"] for block in blocks if "refused" in block["content"])
    return read(address, f"/v1/chain/blocks/{number}")["data"][0]


def run(*words):
    return runner.invoke(app, ["chain", *(str(word) for word in words)])


def test_trade_leads_to_its_transaction_and_the_transaction_to_its_block(address, trade):
    found = read(address, f"/v1/chain/transactions/{trade['transaction_hash']}")

    assert found["transaction"]["block"] == trade["final_block"]
    assert found["cycle"] == trade["cycle"]
    assert found["function"] == "settle_cycle"
    assert {(line["kind"], line["account"], line["amount"]) for line in found["data"]} >= {
        ("securities", "BRK-A", "-100"),
        ("cash", "BRK-A", "1050.00"),
    }
    block = read(address, f"/v1/chain/blocks/{found['block_hash']}")
    assert block["block"]["number"] == trade["final_block"]
    finality = block["block"]["finality"]
    assert (finality["state"], finality["quorum"]) == ("final", 3)
    assert {"EXCHANGE", "BANK-1", "BANK-2", "BRK-A"} >= set(finality["signers"])
    assert len(finality["signers"]) >= finality["quorum"]
    assert [t["hash"] for t in block["data"]] == [trade["transaction_hash"]]


def test_lines_and_blocks_are_paged_to_their_end(address, trade):
    lines, cursor = [], "0"
    while cursor:
        path = f"/v1/chain/transactions/{trade['transaction_hash']}?limit=3&cursor={cursor}"
        page = read(address, path)
        lines += page["data"]
        cursor = page["next_cursor"]
    numbers, query = [], ""
    while query is not None:
        page = read(address, f"/v1/chain/blocks?limit=4{query}")
        numbers += [block["number"] for block in page["data"]]
        query = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None

    assert len(lines) == page_total(address, trade)
    assert len({(line["kind"], line["account"], line["asset"]) for line in lines}) == len(lines)
    assert numbers == list(range(numbers[0], -1, -1))


def page_total(address, trade):
    return read(address, f"/v1/chain/transactions/{trade['transaction_hash']}")["lines"]


def test_refused_transaction_says_why_in_both_languages(address):
    found = refused(address)

    assert found["refusal"]["reason"] == "LATE"
    assert found["refusal"]["code"] == 3002
    _, page, _ = get(address, f"/chain/transactions/{found['hash']}?lang=en")
    for words in ("3002 LATE", found["refusal"]["cause"], found["refusal"]["cause_zh"]):
        assert words in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/chain/blocks/999999", 404),
        (f"/v1/chain/blocks/{NOWHERE}", 404),
        ("/v1/chain/blocks/0x12", 422),
        ("/v1/chain/blocks/-1", 422),
        (f"/v1/chain/transactions/{NOWHERE}", 404),
        ("/v1/chain/transactions/zz", 422),
        ("/v1/chain/blocks?limit=101", 422),
        ("/v1/chain/blocks?cursor=x", 422),
    ],
)
def test_what_is_not_there_is_a_problem(address, path, status):
    code, body, headers = get(address, path)

    assert code == status
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["remedy_zh"]


@pytest.mark.parametrize(
    "path",
    [
        f"/chain/transactions/{NOWHERE}",
        "/chain/transactions/zz",
        "/chain/blocks/999999",
        "/chain/search?q=cycle+999",
    ],
)
@pytest.mark.parametrize(
    ("language", "word"), [("en", "Nothing found"), ("zh", "\u672a\u627e\u5230")]
)
def test_unknown_is_a_page_in_both_languages(address, path, language, word):
    joined = "&" if "?" in path else "?"
    code, page, _ = get(address, f"{path}{joined}lang={language}")

    assert code == 404
    assert word in page


def test_what_was_asked_is_escaped(address):
    code, page, headers = get(address, "/chain/search?q=%3Cscript%3Ealert(1)%3C/script%3E&lang=en")

    assert code == 404
    assert "<script>alert" not in page
    assert "default-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_render_and_ask_nobody_else(address, trade, language):
    hash, block = trade["transaction_hash"], trade["final_block"]
    for path in (
        "/chain",
        "/chain?below=3",
        "/parts/chain",
        f"/chain/blocks/{block}",
        "/chain/blocks/0",
        "/chain/blocks/5?first=7",
        f"/chain/transactions/{hash}",
        f"/chain/transactions/{hash}?table=1&line=20&trade=20&event=20",
        f"/chain/trades/{trade['id']}",
        f"/chain/search?q={trade['id']}",
        f"/chain/search?q={hash}",
    ):
        code, page, _ = get(address, f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert code == 200, path
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []


def test_every_state_of_a_trade_has_words():
    assert set(TRADE_STATES) == {
        intake.CAPTURED,
        intake.UNAFFIRMED,
        *(state.value for state in State),
    }


def test_command_reads_the_folder_while_the_sandbox_has_it_open(address, trade, state):
    blocks = run("blocks", "--state", state, "--last", 3, "--json")
    shown = run("tx", trade["transaction_hash"], "--state", state, "--json")
    logs = run("logs", "--state", state, "--event", "CycleSettled", "--json")

    assert [blocks.exit_code, shown.exit_code, logs.exit_code] == [0, 0, 0]
    assert len(blocks.output.splitlines()) == 3
    assert json.loads(shown.output)["cycle"] == trade["cycle"]
    hashes = {json.loads(line)["transaction"] for line in logs.output.splitlines()}
    assert trade["transaction_hash"] in hashes


def test_command_shows_tables_to_people(address, trade, state):
    assert "settles cycle" in run("tx", trade["transaction_hash"], "--state", state).output
    assert "3002 LATE" in run("tx", refused(address)["hash"], "--state", state).output
    assert "what happened" in run("blocks", "--state", state).output
    assert "Admitted" in run("logs", "--state", state, "--to", 12).output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tx", "zz"], "is not a transaction hash"),
        (["tx", NOWHERE], "there is no transaction"),
        (["logs", "--event", "Nothing"], "there is no event Nothing"),
    ],
)
def test_command_refuses_bad_input_with_status_2(address, state, words, message):
    result = run(*words, "--state", state)

    assert result.exit_code == 2
    assert message in result.output


def test_command_makes_no_folder_and_says_what_is_wrong(tmp_path):
    missing, damaged = tmp_path / "missing", tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "meta.json").write_text("{")

    for folder, message in ((missing, "holds no chain"), (damaged, "is damaged")):
        result = run("blocks", "--state", folder)
        assert result.exit_code == 2
        assert message in result.output
    assert not missing.exists()


@needs_chromium
def test_reader_goes_from_the_day_to_the_trade_and_back(address, trade):
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        page.goto(address)
        page.get_by_role("link", name="Chain").click()
        page.get_by_role("searchbox").fill(f"cycle {trade['cycle']}")
        page.get_by_role("button", name="Search").click()
        page.get_by_text(f"settles cycle {trade['cycle']}").first.wait_for()
        page.get_by_role("link", name=trade["id"]).click()
        page.get_by_role("link", name=trade["transaction_hash"][:12]).click()
        page.get_by_role("link", name=str(trade["final_block"]), exact=True).first.click()
        page.get_by_role("heading", name=f"Block {trade['final_block']}").wait_for()
        page.get_by_role("link", name="\u4e2d\u6587").click()
        page.get_by_role("heading", name="\u533a\u5757").wait_for()

    assert errors == []


@needs_chromium
def test_new_block_appears_on_the_open_list(address, trade):
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, _):
        page.goto(f"{address}/chain")
        newest = int(page.locator("table.blocks tbody tr td a").first.inner_text())
        page.request.post(f"{address}/v1/trades", data=TRADE | {"number": "LATER"})
        added = page.locator("table.blocks").get_by_role("link", name=str(newest + 1), exact=True)
        added.wait_for(timeout=20_000)


def test_certificate_is_taken_away_and_checked_off_line(state, address, tmp_path):
    taken = read(address, "/v1/chain/blocks/1/certificate")
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(taken))

    checked = runner.invoke(app, ["chain", "check-certificate", str(file)])
    printed = runner.invoke(app, ["chain", "certificate", "1", "--state", str(state)])
    taken["number"] = 2
    file.write_text(json.dumps(taken))
    lie = runner.invoke(app, ["chain", "check-certificate", str(file)])

    assert checked.exit_code == 0, checked.output
    assert "is final" in checked.output
    assert json.loads(printed.output)["block_hash"] == taken["block_hash"]
    assert lie.exit_code == 1


def test_stored_chain_is_verified_from_the_command_line(state, address):
    whole = runner.invoke(app, ["chain", "verify", "--state", str(state)])
    of_validator = runner.invoke(
        app, ["chain", "verify", "--state", str(state), "--replica", "BANK-1"]
    )
    by_other = runner.invoke(
        app, ["chain", "verify", "--state", str(state), "--executor", "py-evm"]
    )
    nobody = runner.invoke(app, ["chain", "verify", "--state", str(state), "--replica", "NOBODY"])

    for result in (whole, of_validator, by_other):
        assert result.exit_code == 0, result.output
        assert "blocks are right" in result.output
    assert nobody.exit_code == 2
