"""The explorer over a real chain: names, sentences' facts, refusals, searches, other engines."""

import numpy as np
import pytest
from web3 import Web3

from api.chain_words import BRIEFS, SENTENCES, brief, sentence
from contracts.clients.settlement import NO_SIGNATURE
from contracts.typed_data import InstructionMessage
from ledger.chain.rpc.provider import InProcessProvider
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason, reason_of_revert, revert_texts
from ledger.domain.rules import Gridlock, Rules
from nodes.explorer import Explorer
from nodes.explorer.acts import KINDS
from nodes.explorer.explorer import _reason
from nodes.explorer.folder import created_contracts
from tests.support.consortia import capture, small_consortium, trades_of
from tests.support.orders import enter


class Plain(InProcessProvider):
    """An engine whose receipts do not say why, as most engines' do not."""

    def make_request(self, method, params):
        if method == "eth_call":
            params = [params[0], "latest"]  # such engines keep old states, this one does not
        response = super().make_request(method, params)
        if method == "eth_getTransactionReceipt" and response["result"]:
            response["result"] = {
                k: v for k, v in response["result"].items() if k != "revertReason"
            }
        return response


@pytest.fixture(scope="module")
def consortium():
    built = small_consortium()
    capture(built, trades_of(built.network, ("T1", "A", "B", 10, 1_000), ("T2", "B", "C", 4, 400)))
    built.clearing_house.net.close()
    house, settlement = built.clearing_house, built.contracts.settlement
    a, b = built.network.account_number("A"), built.network.account_number("B")
    message = InstructionMessage(b"\x07" * 32, a, b, 1, 10, 1, 1_000, 1, 0)
    data = settlement.settle_instruction_data(message, NO_SIGNATURE, NO_SIGNATURE)
    house.outbox.send("late", settlement.address, data)
    house.outbox.send("stranger", b"\x99" * 20, b"\x01\x02")
    yield built
    built.close()


@pytest.fixture(scope="module")
def explorer(consortium):
    return Explorer(consortium.network, consortium.engine.w3, consortium.contracts.addresses)


def acts(explorer):
    return [t for block in explorer.blocks(None, 100) for t in block.transactions]


def test_every_block_says_what_is_in_it(explorer):
    sentences = [sentence(each.act, "en") for each in acts(explorer)]

    assert "CLEARING-HOUSE settles cycle 1: 3 parties, 6 net lines, 2 trades" in sentences
    assert "REGISTRAR registers 1 instrument" in sentences
    assert "deployer creates the contract Cash" in sentences
    assert "BANK-1 issues CNY 200.00 to 2 participants" in sentences
    assert f"CLEARING-HOUSE sends something that is not ours to 0x{'99' * 20}" in sentences
    assert all(sentence(each.act, "zh") and brief(each, "zh") for each in acts(explorer))


def test_every_kind_of_act_has_words_in_both_languages():
    for table in (SENTENCES, BRIEFS):
        assert set(table) == set(KINDS)
        assert all(english and chinese for english, chinese in table.values())


def test_lines_are_shown_by_account_asset_and_decimal_amount(explorer):
    settled = explorer.transaction(explorer.find("cycle 1").transaction)
    securities, cash = settled.lines

    assert [(r.account, r.asset, r.amount) for r in cash.rows(0, 10)] == [
        ("A", "CNY", "10.00"),
        ("B", "CNY", "-6.00"),
        ("C", "CNY", "-4.00"),
    ]
    assert [r.account for r in securities.rows(1, 1)] == ["B"]
    assert settled.signatures == 3
    assert [event.name for event in settled.events] == ["Booked", "Booked", "CycleSettled"]


def test_refusal_has_its_number_and_changes_nothing(explorer):
    refused = next(each for each in acts(explorer) if each.revert)

    assert (refused.succeeded, refused.revert) == (False, "settlement: late")
    assert refused.reason is Reason.LATE
    assert explorer.transaction(refused.hash).events == ()
    assert brief(refused, "en").startswith("refused: CLEARING-HOUSE settles an instruction: A ")


def test_every_revert_text_has_its_numbered_reason():
    assert all(_reason(text) is reason_of_revert(text) for text in revert_texts())
    assert _reason("not ours") is None


def test_reason_is_found_on_an_engine_whose_receipts_do_not_say_it(consortium):
    w3 = Web3(Plain(consortium.chain))
    elsewhere = Explorer(consortium.network, w3, consortium.contracts.addresses)

    assert {each.reason for each in acts(elsewhere) if not each.succeeded} == {Reason.LATE}


def test_searches_lead_to_blocks_and_transactions(explorer, consortium):
    cycle = explorer.find("cycle 1").transaction
    view = explorer.transaction(cycle)

    assert explorer.find("3").block == 3
    assert explorer.find("批次 1").transaction == cycle
    assert explorer.find("0x" + cycle.hex()).transaction == cycle
    assert explorer.find("0x" + view.reference.hex()).transaction == cycle
    assert explorer.find("0x" + view.block_hash.hex()).block == view.summary.block
    for nothing in ("", "999", "cycle 9", "0x" + "ab" * 32, "<script>", "0x12", "9" * 40):
        assert explorer.find(nothing) is None


def test_what_settled_alone_or_in_a_set_leads_to_its_transaction():
    nothing = {"A": 0, "B": 0, "C": 0}
    consortium = small_consortium(
        Rules(gridlock=Gridlock.OPTIMUM), shares=nothing | {"A": 10}, cash=nothing
    )
    desk = consortium.clearing_house.desk
    assert enter(consortium, "ALONE", "A", "B", 5, 0) is None
    desk.work()
    assert enter(consortium, "P1", "A", "B", 0, 700) is None
    assert enter(consortium, "P2", "B", "A", 0, 700) is None
    desk.work()
    explorer = Explorer(consortium.network, consortium.engine.w3, consortium.contracts.addresses)

    found = {}
    for label in ("ALONE", "P1", "P2"):
        row = desk.get(label)
        assert row.state is State.SETTLED
        found[label] = explorer.settling(row.id, row.block)
        assert explorer.find("0x" + row.id.hex()).transaction == found[label]
        assert explorer.transaction(found[label]).summary.block == row.block

    assert found["P1"] == found["P2"] != found["ALONE"]
    assert explorer.transaction(found["P1"]).function == "settle_set"
    assert explorer.settling(desk.get("P1").id, desk.get("ALONE").block) is None
    consortium.close()


def test_blocks_are_paged_newest_first_without_gap(explorer):
    seen, below = [], None
    while below != 0:
        page = explorer.blocks(below, 4)
        seen += [block.number for block in page]
        below = page[-1].number

    assert seen == list(range(explorer.height(), -1, -1))


def test_logs_are_chosen_by_name_and_block(explorer):
    head = explorer.height()
    (settled,) = explorer.logs("CycleSettled", 0, head)

    assert {each.name for each in explorer.logs(None, 0, head)} >= {"Admitted", "Booked", "Issued"}
    assert list(explorer.logs("CycleSettled", settled.block + 1, head)) == []


def test_contracts_are_found_on_the_chain_itself(consortium):
    assert created_contracts(consortium.engine.w3) == consortium.contracts.addresses


def test_strangers_have_names_too(explorer):
    names = explorer.names

    assert names.participant(999) == "participant 999"
    assert names.account(999 << 8 | 3) == "participant 999/3"
    assert names.asset("Cash", -1) == "currency -1"
    assert names.asset("Securities", 10**9) == "instrument 1000000000"
    assert names.time(2**255) == str(2**255)
    assert names.cycle(b"\x01" * 32) is None
    assert names.amount("Cash", 1, int(np.int64(-50))) == "-0.50"
