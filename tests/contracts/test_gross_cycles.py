"""Cycles under DvP model 2: securities trade by trade, cash net, all of it or nothing."""

import pytest

from ledger.model.settlement import ModelCycle
from tests.support.twins import START, Twins, ref

SELLER, BUYER, THIRD = 5, 6, 7


@pytest.fixture
def twins():
    built = Twins()
    built.issue(built.registrar, ref("shares"), [(1, SELLER << 8, 100)], is_cash=False)
    built.issue(built.actor(4), ref("cash"), [(1, BUYER << 8, 1_000)], is_cash=True)
    return built


def move(debtor, creditor, amount, asset=1):
    return (asset, debtor << 8, creditor << 8, amount)


TRADES = [move(SELLER, BUYER, 80), move(BUYER, THIRD, 80), move(SELLER, BUYER, 20)]


def cycle(**changes):
    terms = {
        "id": ref("c"),
        "root": ref("root"),
        "count": 3,
        "rule_version": 1,
        "deadline": START + 10,
        "parties": [SELLER, BUYER, THIRD],
        "securities_lines": [],
        "cash_lines": [(1, SELLER << 8, 100), (1, BUYER << 8, -100)],
        "signers": [SELLER, BUYER, THIRD],
        "moves": TRADES,
    }
    return ModelCycle(**(terms | changes))


def settle(twins, each, sender=None):
    answer = twins.settle_cycle(sender or twins.house, each)
    twins.check_balances()
    return answer


def test_securities_move_trade_by_trade_and_cash_by_its_net(twins):
    assert settle(twins, cycle()) == ""

    assert twins.securities.available(1, BUYER << 8) == 20
    assert twins.securities.available(1, THIRD << 8) == 80
    assert twins.cash.available(1, SELLER << 8) == 100
    assert twins.contracts.settlement.cycle_of(ref("c")) == (ref("root"), 3)


def test_cover_is_that_of_the_cycle_as_a_whole_whatever_the_order_of_trades(twins):
    backwards = [move(BUYER, THIRD, 80), move(THIRD, BUYER, 500), move(BUYER, THIRD, 500)]

    assert settle(twins, cycle(moves=[*backwards, move(SELLER, BUYER, 80)])) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"moves": [move(SELLER, BUYER, 101)]}, "holdings: short"),
        ({"moves": [move(SELLER, BUYER, 0)]}, "holdings: no amount"),
        ({"moves": [move(SELLER, BUYER, 1, asset=9)]}, "holdings: unknown asset"),
        ({"moves": [move(SELLER, 8, 1)]}, "settlement: line of a stranger"),
        ({"moves": [move(8, SELLER, 1)]}, "settlement: line of a stranger"),
        ({"moves": [move(SELLER, 2**20, 1)]}, "settlement: line of a stranger"),
        ({"cash_lines": [(1, SELLER << 8, 100)]}, "holdings: not zero-sum"),
        ({"cash_lines": [(1, 6 << 8, -9), (1, 8 << 8, 9)]}, "settlement: line of a stranger"),
        ({"signers": [SELLER, BUYER, BUYER]}, "settlement: not signed by the party"),
        ({"signers": [SELLER, BUYER]}, "settlement: signatures missing"),
        ({"deadline": START - 1}, "settlement: late"),
        ({"rule_version": 2}, "settlement: other rule version"),
        ({"count": 0}, "settlement: empty cycle"),
        ({"parties": [], "signers": [], "moves": []}, "settlement: no parties"),
    ],
)
def test_cycle_is_refused_whole(twins, changes, text):
    assert settle(twins, cycle(**changes)) == text


def test_cycle_settles_once_under_whichever_model(twins):
    net = cycle(moves=None, securities_lines=[(1, SELLER << 8, -1), (1, BUYER << 8, 1)])
    assert settle(twins, net) == ""

    assert settle(twins, cycle()) == "settlement: cycle id in use"


def test_signature_for_one_model_is_none_for_the_other(twins):
    gross, settlement = cycle(moves=[], cash_lines=[]), twins.contracts.settlement
    message = twins.message_of(cycle(moves=None, cash_lines=[]))
    signed_net = twins.signatures(cycle(moves=None, cash_lines=[]), message)
    data = settlement.settle_cycle_data(twins.message_of(gross), signed_net)

    receipt = twins.sender(twins.house).send(settlement.address, data)

    assert b"settlement: not signed by the party" in receipt.output


def test_only_the_clearing_house_submits(twins):
    assert settle(twins, cycle(), twins.actor(5)) == "settlement: not the clearing house"
