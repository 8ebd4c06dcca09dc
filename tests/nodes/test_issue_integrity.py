"""What was issued or redeemed without its keeper's records is undue: seen, suspended, solved."""

import numpy as np
import pytest

from contracts.lines import Lines
from contracts.typed_data import RedemptionMessage
from ledger.books.postings import Register
from ledger.domain.accounts import holding_key
from ledger.domain.breaks import BreakKind, BreakState
from ledger.domain.reasons import Reason
from nodes.business_clock import BusinessClock
from nodes.clock import SimulatedClock
from nodes.consortium import Consortium
from nodes.founding import open_consortium
from nodes.market_day.opening import Opening
from nodes.opening_positions import issue_opening
from nodes.sandbox.market_time import MarketTime
from tests.support.consortia import DAY, GROSS, NET, capture, small_network, states, trades_of
from tests.support.engines import engine_under_test
from tests.support.instructions import entry_of


def opened(path, rules) -> Consortium:
    network = small_network()
    clock = BusinessClock(machine=SimulatedClock.at(DAY))
    return open_consortium(network, rules, clock, path, engine_under_test())


def founded(path, rules) -> Consortium:
    built = opened(path, rules)
    isin = built.network.instruments[0].isin
    shares = {(owner, isin): 100 for owner in "ABC"}
    cash = {(owner, "CNY"): 10_000 for owner in "ABC"}
    issue_opening(built, Opening(securities=shares, cash=cash, is_derived=False))
    built.reconcile()
    return built


@pytest.fixture
def market(request):
    built = founded(None, getattr(request, "param", NET))
    yield built
    built.close()


def unduly_issue(consortium, keeper, register, owner, amount, reference=b"\x07" * 32):
    """The issuing key issues; the books of its own node know nothing of it."""
    node = consortium.nodes[keeper]
    key = holding_key(1, consortium.network.account_number(owner))
    lines = Lines(np.array([key]), np.array([amount]))
    contract = node.register_contract(register)
    outcome = node.outbox.send(
        f"undue:{reference.hex()}", contract.address, contract.issue_data(reference, lines)
    )
    assert outcome.succeeded
    consortium.reconcile()


def redeem_on_the_chain(consortium, keeper, register, owner, amount, reference=b"\x08" * 32):
    """The issuing key redeems with the owner's signature, past the books of its own node."""
    node, holder = consortium.nodes[keeper], consortium.trader(owner)
    redemption = RedemptionMessage(
        reference=reference,
        asset=1,
        account=consortium.network.account_number(owner),
        amount=amount,
    )
    contract = node.register_contract(register)
    digest = node.domain(contract.address).digest(redemption.struct_hash())
    data = contract.redeem_data(redemption, holder.key.sign(digest))
    assert node.outbox.send(f"back:{reference.hex()}", contract.address, data).succeeded
    consortium.reconcile()


def undue(consortium, keeper):
    return [each for each in consortium.nodes[keeper].breaks() if "undue" in each.kind.value]


def end_of_day(consortium):
    time_of = MarketTime(consortium)
    assert time_of.end_day() is None
    tomorrow = consortium.clock.next_day(consortium.clock.business_time())
    time_of.move(lambda _: tomorrow)


def test_undue_issue_is_a_break_of_the_registrar_at_once(market):
    unduly_issue(market, "REGISTRAR", Register.SECURITIES, "A", 500)

    [found] = undue(market, "REGISTRAR")
    assert (found.kind, found.subject.startswith("A "), found.ours) == (
        BreakKind.UNDUE_ISSUE,
        True,
        "-",
    )
    assert found.theirs.startswith("500 issued in block ")
    assert market.clearing_house.suspended_assets() == []


def test_undue_issue_suspends_the_instrument_after_the_next_business_day_until_it_is_solved(market):
    house, isin = market.clearing_house, market.network.instruments[0].isin
    unduly_issue(market, "REGISTRAR", Register.SECURITIES, "A", 500)

    end_of_day(market)
    assert house.suspended_assets() == []
    end_of_day(market)
    assert house.suspended_assets() == [isin]
    [found] = undue(market, "REGISTRAR")
    assert (found.age, found.bucket.value) == (2, "2-5")

    capture(market, trades_of(market.network, ("T1", "A", "B", 10, 100)))
    house.net.close()
    house.work()
    market.reconcile()
    assert states(market) == ["queued INTEGRITY"]
    refused = house.desk.enter(entry_of(market, "NEW", "A", "B", 10, 100))
    assert refused.reason is Reason.INTEGRITY

    redeem_on_the_chain(market, "REGISTRAR", Register.SECURITIES, "A", 500)
    assert house.suspended_assets() == []
    assert undue(market, "REGISTRAR") == []
    house.work()
    market.reconcile()
    assert states(market) == ["settled"]


@pytest.mark.parametrize("market", [GROSS], indirect=True)
def test_resolving_the_break_does_not_lift_the_suspension(market):
    unduly_issue(market, "REGISTRAR", Register.SECURITIES, "A", 500)
    [found] = undue(market, "REGISTRAR")
    market.registrar.resolve_break(found.key, "under inquiry", "li")
    for _ in range(2):
        end_of_day(market)

    assert market.clearing_house.suspended_assets() == [market.network.instruments[0].isin]
    [kept] = [
        each for each in market.registrar.break_book.standing().values() if each.id == found.id
    ]
    assert kept.state is BreakState.RESOLVED


def test_undue_cash_suspends_that_money_of_that_bank_and_no_other(market):
    unduly_issue(market, "BANK-1", Register.CASH, "A", 700)
    [found] = undue(market, "BANK-1")
    assert (found.version.at_risk, found.version.currency) == (700, "CNY")
    for _ in range(2):
        end_of_day(market)
    assert market.clearing_house.suspended_assets() == ["CNY of BANK-1"]

    capture(
        market,
        trades_of(market.network, ("T1", "B", "A", 10, 100), ("T2", "A", "C", 10, 100)),
    )
    market.clearing_house.net.close()
    assert states(market) == ["queued INTEGRITY", "queued INTEGRITY"]


def test_undue_redemption_is_one_too(market):
    redeem_on_the_chain(market, "REGISTRAR", Register.SECURITIES, "A", 40)

    [found] = undue(market, "REGISTRAR")
    assert found.kind is BreakKind.UNDUE_REDEMPTION


def test_own_records_that_come_late_make_an_issue_due(market):
    unduly_issue(market, "REGISTRAR", Register.SECURITIES, "A", 500)
    registrar = market.registrar
    key = holding_key(1, market.network.account_number("A"))
    lines = Lines(np.array([key]), np.array([500]))
    market.trader("A").expect_deposit(b"\x07" * 32, Register.SECURITIES, lines)
    assert registrar.acknowledge_issue(b"\x07" * 32) is None

    assert market.reconcile() == 0


def test_suspension_outlives_a_restart_and_is_lifted_after_it(tmp_path):
    market = founded(tmp_path, NET)
    unduly_issue(market, "REGISTRAR", Register.SECURITIES, "A", 500)
    for _ in range(2):
        end_of_day(market)
    moment = market.clock.business_time()
    market.close()

    clock = BusinessClock(machine=SimulatedClock(now=moment))
    again = open_consortium(small_network(), NET, clock, tmp_path, engine_under_test())
    try:
        assert again.clearing_house.suspended_assets() == [again.network.instruments[0].isin]
        again.reconcile()
        assert again.clearing_house.suspended_assets() == [again.network.instruments[0].isin]
        redeem_on_the_chain(again, "REGISTRAR", Register.SECURITIES, "A", 500)
        assert again.clearing_house.suspended_assets() == []
    finally:
        again.close()
