"""A trade that a desk reports late: both sides are asked again, and it settles once."""

from dataclasses import replace

import numpy as np
import pytest

from ledger.clearing.columns import TradeColumns
from nodes.bus import UnreachableError
from nodes.desks import take_in
from nodes.faults.desk_faults import DeskFault, DeskFaults
from nodes.faults.in_process import InProcessFaults
from nodes.faults.node_faults import NodeFault
from nodes.invariants import violations
from nodes.messages import AffirmedLate, ReportedLate
from tests.support.consortia import DAY, GROSS, NET, small_consortium, states, trades_of

MISSING = DeskFault.BLOTTER_MISSING
T1, T2 = ("T1", "A", "B", 10, 1_000), ("T2", "B", "C", 20, 2_000)
UNAFFIRMED = "unaffirmed UNAFFIRMED"


class Market:
    """A small consortium whose desks have faults."""

    def __init__(self, rules=NET, path=None, desks=()):
        self.consortium = small_consortium(rules, path=path)
        self.desks = DeskFaults(self.consortium)
        for desk in desks:
            assert self.desks.inject(MISSING, desk) is None

    def trade(self, *rows, cancels=0):
        trades = trades_of(self.consortium.network, *rows)
        if cancels:
            trades = replace(trades, cancels=np.full(len(trades), cancels))
        self.consortium.exchange.capture(f"{rows} {cancels}", trades)
        self.go_on()

    def go_on(self):
        take_in(self.consortium, self.desks.as_reported)
        self.consortium.catch_up()

    def heal(self, desk):
        assert self.desks.heal(desk)
        self.settle()

    def settle(self):
        self.go_on()
        self.consortium.reconcile()
        self.consortium.affirm_late()
        self.consortium.clearing_house.net.close()
        self.consortium.clearing_house.work()
        self.consortium.reconcile()

    def states(self):
        return states(self.consortium)

    def breaks(self):
        return [each.id for node in self.consortium.nodes.values() for each in node.breaks()]

    def end(self):
        assert self.breaks() == []
        assert violations(self.consortium) == []
        self.consortium.close()


@pytest.mark.parametrize("rules", [NET, GROSS])
def test_it_settles_once_and_everything_agrees(rules):
    market = Market(rules, desks=["A"])
    market.trade(T1, T2)
    market.settle()
    assert market.states() == [UNAFFIRMED, "settled"]
    assert len(market.breaks()) == 1

    market.heal("A")
    market.settle()

    assert market.states() == ["settled", "settled"]
    assert len(market.consortium.clearing_house.desk.instructions()) == (1 if rules is NET else 2)
    market.end()


def test_of_two_desks_that_missed_it_both_must_report_it():
    market = Market(desks=["A", "B"])
    market.trade(T1)

    market.heal("A")
    assert market.states() == [UNAFFIRMED]
    assert len(market.breaks()) == 1
    market.heal("B")

    assert market.states() == ["settled"]
    market.end()


def test_later_trades_are_not_told_before_those_that_were_withheld():
    market = Market(desks=["A"])
    market.trade(T1)
    market.desks.heal("A")
    market.trade(("T3", "A", "C", 1, 10))
    market.settle()

    blotter = market.consortium.trader("A").blotter
    assert blotter.at(np.arange(2)).quantities.tolist() == [10, 1]
    assert market.states() == ["settled", "settled"]
    market.end()


def test_what_was_cancelled_meanwhile_stays_cancelled():
    for rules in (GROSS, NET):
        market = Market(rules, desks=["A"])
        market.trade(T1)
        market.trade(T1, cancels=1)
        market.heal("A")

        assert market.states() == ["cancelled", "cancelled"]
        market.end()


def test_a_cancellation_that_comes_late_undoes_a_trade_that_has_settled():
    market = Market()
    market.trade(T1)
    market.settle()
    market.desks.inject(MISSING, "A")
    market.trade(T1, cancels=1)
    market.settle()
    assert market.states() == ["settled", UNAFFIRMED]

    market.heal("A")

    assert market.states() == ["settled", "settled"]
    market.end()


@pytest.mark.parametrize("away", ["EXCHANGE", "B"])
def test_who_is_away_is_told_when_it_is_back(away):
    market = Market(desks=["A"])
    market.trade(T1)
    faults = InProcessFaults(market.consortium)
    market.desks.heal("A")
    market.go_on()
    faults.inject(NodeFault.KILL, away)
    market.consortium.reconcile()
    market.consortium.affirm_late()
    assert market.states() == [UNAFFIRMED]

    faults.inject(NodeFault.RESTART, away)
    market.consortium.trader("A").notices.is_back("EXCHANGE")
    market.settle()

    assert market.states() == ["settled"]
    market.end()


@pytest.mark.parametrize("moment", ["withheld", "healed", "reported", "noticed", "affirmed"])
def test_it_goes_on_after_a_restart_at_any_step(tmp_path, moment):
    market = Market(path=tmp_path, desks=["A"])
    market.trade(T1)
    steps = {
        "withheld": lambda: None,
        "healed": lambda: market.desks.heal("A"),
        "reported": market.go_on,
        "noticed": market.consortium.reconcile,
        "affirmed": market.consortium.affirm_late,
    }
    for name, step in steps.items():
        step()
        if name == moment:
            break
    market.consortium.close()

    market = Market(path=tmp_path)
    market.go_on()
    if moment == "withheld":
        assert market.states() == [UNAFFIRMED]
        market.desks.heal("A")
    market.settle()

    assert market.states() == ["settled"]
    market.end()


def test_what_the_others_affirmed_is_still_known_after_a_restart(tmp_path):
    market = Market(path=tmp_path, desks=["A"])
    market.trade(T1, T2)
    market.heal("A")
    market.consortium.close()

    market = Market(path=tmp_path)
    for trader in market.consortium.traders():
        trader.close_of_day()

    market.settle()
    market.end()


def test_only_the_exchange_says_what_was_affirmed_and_only_a_side_asks():
    market = Market(desks=["A"])
    market.trade(T1)
    consortium, bus = market.consortium, market.consortium.bus
    trade = trades_of(consortium.network, T1)

    for sender in ("A", "B", "BANK-1", "REGISTRAR"):
        with pytest.raises(PermissionError):
            bus.request(sender, "CLEARING-HOUSE", AffirmedLate(np.array([0])))
    for sender in ("C", "REGISTRAR"):
        with pytest.raises(PermissionError):
            bus.request(sender, "EXCHANGE", ReportedLate(trade))
    # Who has not reported it does not affirm it, whoever asks.
    for sender in ("A", "B"):
        bus.request(sender, "EXCHANGE", ReportedLate(trade))
    assert market.states() == [UNAFFIRMED]


def test_an_exchange_that_lies_moves_nothing_without_the_debtors():
    market = Market(desks=["A"])
    market.trade(T1, T2)
    market.settle()
    market.trade(("T3", "B", "C", 1, 10))
    consortium = market.consortium

    def say(*positions):
        message = AffirmedLate(np.array(positions))
        return consortium.bus.request("EXCHANGE", "CLEARING-HOUSE", message)

    # Settled, and captured: never unaffirmed.
    say(1, 2, 2)
    assert market.states() == [UNAFFIRMED, "settled", "captured"]
    with pytest.raises(PermissionError):
        say(-1)
    assert "not all" in say(3).refusal.detail
    # Unaffirmed, and told twice: one instruction, which A does not sign.
    say(0, 0)
    say(0)
    consortium.clearing_house.work()
    assert len(consortium.clearing_house.desk.instructions()) == 1
    assert market.states()[0] == "queued DISPUTED"
    assert violations(consortium) == []


def test_a_trade_that_nobody_captured_is_no_business_of_the_exchange():
    market = Market()
    unknown = trades_of(market.consortium.network, ("T9", "A", "B", 1, 10))

    market.consortium.bus.request("A", "EXCHANGE", ReportedLate(unknown))
    market.consortium.bus.request("A", "EXCHANGE", ReportedLate(TradeColumns.of_rows([])))
    market.consortium.reconcile()

    market.end()


def test_trades_that_must_be_signed_stay_as_they_were():
    market = Market(replace(NET, signed_trades=True), desks=["A"])
    market.trade(T1)
    market.heal("A")

    assert market.states() == [UNAFFIRMED]


def test_the_exchange_tries_again_where_the_clearing_house_is_silent():
    market = Market(desks=["A"])
    market.trade(T1)
    consortium = market.consortium
    market.desks.heal("A")
    market.go_on()
    consortium.reconcile()
    handler = consortium.clearing_house.handle

    def silent(*_):
        raise UnreachableError("cut off")

    consortium.bus.register("CLEARING-HOUSE", silent)
    assert consortium.affirm_late() == 0
    consortium.bus.register("CLEARING-HOUSE", handler)
    consortium.trader("A").notices.is_back("EXCHANGE")
    consortium.clock.set(DAY, 12 * 3600)
    market.settle()

    assert market.states() == ["settled"]
    market.end()
