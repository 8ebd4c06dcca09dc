"""The pages of trades: what they tell is what the interface tells, and only to whom it tells it."""

import re
from dataclasses import replace
from html import unescape
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from api.app import create_app
from api.chain_words import sentence
from api.trade_filters import Asked, filter_of, find_last_trades, find_trades
from api.web.chain.glance import glance_of
from api.web.trades.page import proven
from api.web.trades.story import Status, story_of
from api.web.trades.words import TRADES_WORDS
from ledger.domain.reasons import Reason
from nodes.api_keys import OPERATOR, holders
from nodes.explorer.live import explorer_of
from nodes.journal.moments import Moments
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.browser import needs_chromium, opened_page
from tests.support.clients import client_of, key_header
from tests.support.consortia import DAY
from tests.support.pages import serious_violations

SIGNED = SandboxOptions(rules=("signed_trades=true",))
HISTORY = ["queued"]
"""Of a trade that leaves its cycle for want of shares."""


@pytest.fixture(scope="module")
def settled(market):
    return market.json("/v1/trades?limit=100")["data"][42]


@pytest.fixture(scope="module")
def busy(market):
    return market.json("/v1/trades?number=BUSY1")["data"][0]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waiting") / "state"
    app = create_app(open_sandbox(folder, "test", DAY, options=SIGNED))
    with client_of(app) as opened:
        yield opened


@pytest.fixture(scope="module")
def waiting(client):
    """A trade that left its cycle: nobody has so many shares."""
    terms = {"instrument": "NOVA1", "price": "10.50", "seller": "BRK-A", "buyer": "BRK-B"}
    large = client.post("/v1/trades", json=terms | {"number": "LARGE", "quantity": "9000000000"})
    client.post("/v1/cycles", headers={"Idempotency-Key": "strike"})
    asked = {"subject": large.json()["id"], "type": "trade.queued"}
    deadline = monotonic() + 20
    while not client.get("/v1/events", params=asked).json()["data"]:
        assert monotonic() < deadline
        sleep(0.05)
    return large.json()["id"]


def said(word, **facts):
    return TRADES_WORDS[word][0].format(**facts)


def status_of(market, path, name):
    try:
        with urlopen(Request(f"{market.url}{path}", headers=key_header(name))) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


def test_settled_trade_shows_every_hash_proof_and_signature(market, settled):
    page = unescape(market.get(f"/trades/{settled['id']}?lang=en"))
    consortium = market.sandbox.consortium
    cycle = market.json(f"/v1/cycles/{settled['cycle']}")
    certificate = market.json(f"/v1/chain/blocks/{settled['final_block']}/certificate")
    signed = consortium.clearing_house.cycles.signed(settled["cycle"])

    assert {cycle["root"], cycle["id"], settled["transaction_hash"]} <= set(
        re.findall(r"0x[0-9a-f]{64}", page)
    )
    assert certificate["block_hash"] in page
    assert all(vote["signature"] in page for vote in certificate["votes"])
    shown = [bytes.fromhex(each) for each in re.findall(r"0x([0-9a-f]{130}|[0-9a-f]{128})\b", page)]
    parties = {settled["seller"].split("/")[0], settled["buyer"].split("/")[0]}
    assert sum(each in signed for each in shown) == len(parties)
    assert page.count('class="stage is-done"') == 7


def test_stages_of_a_settled_trade_are_over(market, settled):
    sandbox = market.sandbox
    found = story_of(sandbox, explorer_of(sandbox.consortium), OPERATOR, settled["position"])

    assert list(found.statuses) == [
        "captured",
        "affirmed",
        "netted",
        "attested",
        "settled",
        "final",
        "reconciled",
    ]
    assert found.is_over
    assert found.captured.time <= found.settled.time
    assert found.batch.first_position <= settled["position"]


def test_lines_that_the_cycle_moved_are_those_of_the_chain(market, settled):
    page = market.get(f"/trades/{settled['id']}?lang=en")
    carried = market.json(f"/v1/chain/transactions/{settled['transaction_hash']}?limit=500")["data"]
    [amount] = [
        each["amount"]
        for each in carried
        if each["account"] == settled["seller"] and each["asset"] == settled["symbol"]
    ]

    signed = f"{int(amount):+,}"
    assert f"{signed} {settled['symbol']}" in page


@pytest.mark.parametrize("path", ["/trades/{}", "/parts/trades/{}", "/v1/trades/{}"])
def test_third_party_is_refused_as_by_the_interface(market, busy, path):
    asked = path.format(busy["id"])

    assert [status_of(market, asked, name) for name in ("BRK-A", "BRK-B", "BRK-C")] == [
        200,
        200,
        404,
    ]


def test_party_is_not_shown_the_batch_of_everybody(market, settled):
    sandbox, party = market.sandbox, settled["seller"].split("/")[0]
    holder = holders(sandbox.consortium.network)[party]
    found = story_of(sandbox, explorer_of(sandbox.consortium), holder, settled["position"])

    assert found.batch is None
    assert {each.participant.id for each in found.nodes if each.reconciled_block is not None} == {
        party
    }


def test_trade_that_is_not_affirmed_says_why_and_goes_no_further(market, busy):
    page = unescape(market.get(f"/trades/{busy['id']}?lang=en"))

    assert Reason.UNAFFIRMED.explanation.cause in page
    assert Reason.UNAFFIRMED.explanation.remedy in page
    assert re.findall(r'class="stage is-(\w+)"', page) == ["done", "stopped"]


def test_waiting_trade_says_what_it_waits_for_and_what_it_went_through(client, waiting):
    page = unescape(client.get(f"/trades/{waiting}?lang=en").text)
    sandbox = client.app.state.sandbox
    found = story_of(sandbox, client.app.state.explorer, OPERATOR, 0)

    assert Reason.LACK.explanation.cause in page
    assert Reason.LACK.explanation.remedy in page
    assert found.statuses["instructed"] is Status.NOW
    assert [each.act for each in found.history] == HISTORY
    assert f"/parts/trades/{waiting}" in page


def test_trade_that_settles_on_its_own_shows_both_brokers_signatures(client, waiting):
    shares = {"kind": "securities", "account": "BRK-A", "instrument": "NOVA1"}
    cash = {"kind": "cash", "account": "BRK-B", "amount": "94500000000.00", "reference": "F2"}
    for each in (shares | {"quantity": "9000000000", "reference": "F1"}, cash):
        answer = client.post("/v1/sandbox/fund", json=each | {"direction": "in"})
        assert answer.status_code in {200, 201}, answer.text
    client.get(f"/v1/trades/{waiting}?wait=final")
    page = unescape(client.get(f"/trades/{waiting}?lang=en").text)
    signatures = client.get(f"/v1/trades/{waiting}/signatures").json()
    found = story_of(client.app.state.sandbox, client.app.state.explorer, OPERATOR, 0)

    assert {signatures[side]["signature"] in page for side in ("seller", "buyer")} == {True}
    assert list(found.statuses)[2:4] == ["signed", "instructed"]
    assert found.statuses["final"] is Status.DONE
    assert found.netted is None
    assert sentence(found.transaction.summary.act, "en") in page


def test_proof_is_checked_on_the_page_and_a_forged_one_is_not_believed(market, settled):
    page = market.get(f"/trades/{settled['id']}?lang=en&proof=check")
    consortium = market.sandbox.consortium
    proof = consortium.proofs.proof(settled["position"])
    good = proven(consortium, proof)

    assert said("proof_good") in page
    assert "0x" + good.steps[-1].node.hex() in page
    assert (good.wrong, good.wrong_on_chain) == ("", "")
    assert proven(consortium, replace(proof, salt=bytes(32))).wrong
    assert proven(consortium, replace(proof, root=bytes(32))).wrong_on_chain


def test_newest_first_is_the_same_list_backwards(market):
    consortium = market.sandbox.consortium
    wanted = filter_of(consortium, Asked(participant="BRK-C", state="settled"))
    forwards = [row[2] for row in find_trades(consortium, OPERATOR, wanted, 0, 500).rows]

    backwards, before = [], None
    while True:
        page = find_last_trades(consortium, OPERATOR, wanted, before, 7)
        backwards += [row[2] for row in page.rows]
        before = page.next_position
        if before is None:
            break

    assert forwards
    assert backwards == forwards[::-1]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("q=BUSY1", "BUSY1"),
        ("state=unaffirmed", "BUSY1"),
        (f"trade_date={DAY}&participant=BRK-A&instrument=NOVA1", "BUSY1"),
        ("state=failed", said("none")),
        ("instrument=NOPE", "1002 UNKNOWN"),
        ("q=***", "1001 INVALID"),
        ("trade_date=2026-02-30", "1001 INVALID"),
    ],
)
def test_list_shows_what_is_asked_for_or_why_not(market, query, word):
    assert word in market.get(f"/trades?lang=en&{query}")


def test_whole_id_leads_to_its_trade(market, busy):
    page = market.get(f"/trades?lang=en&q={quote(busy['id'])}")

    assert TRADES_WORDS["timeline"][0] in page


def test_list_of_a_broker_has_its_own_trades_only(market):
    page = market.get("/trades?lang=en", "BRK-C")
    own = {each["number"] for each in market.json("/v1/trades?participant=BRK-C&limit=500")["data"]}

    shown = set(re.findall(r'title="XNOV[^"]*">([^<]+)<', page))
    assert shown
    assert shown <= own


def test_old_address_of_a_trade_leads_to_its_page(market, settled):
    page = market.get(f"/chain/trades/{settled['id']}?lang=zh")

    assert TRADES_WORDS["timeline"][1] in page


def test_capture_of_many_trades_has_its_moment(market, settled, busy):
    moments = Moments(market.sandbox.journal.events)

    alone = moments.captured(busy["id"], busy["position"])
    together = moments.captured(settled["id"], settled["position"])
    assert alone.data["position"] == busy["position"]
    assert together.data["first_position"] <= settled["position"]
    assert moments.captured("never", 10**6) is None
    assert together.seconds_until(alone) != 0


def test_chain_at_a_glance_counts_the_signatures_of_the_blocks(market):
    consortium = market.sandbox.consortium
    blocks = explorer_of(consortium).blocks(None, 25)
    glance = glance_of(consortium, blocks)

    assert not glance.is_halted
    assert sum(each.signed for each in glance.validators) == sum(
        len(block.finality.signers) for block in blocks
    )
    assert glance.quorum <= len(glance.validators)
    assert all(each.name in market.get("/chain") for each in glance.validators)


@needs_chromium
def test_pages_of_one_thing_are_without_errors_and_open_to_everybody(market, settled, busy):
    paths = (
        f"/trades/{settled['id']}?proof=check",
        f"/trades/{busy['id']}",
        "/participants/BRK-A",
        f"/chain/transactions/{settled['transaction_hash']}",
    )
    found = []
    with opened_page(extra_http_headers=key_header(), locale="en-GB") as (page, errors):
        for path in paths:
            page.goto(f"{market.url}{path}")
            page.evaluate(
                "document.querySelectorAll('details').forEach((each) => each.open = true)"
            )
            found += [f"{path} {each}" for each in serious_violations(page)]

    assert found == []
    assert errors == []
