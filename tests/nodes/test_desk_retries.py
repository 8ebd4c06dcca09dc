"""What the desk does again where the chain or a party refused, and the reasons that it gives."""

import pytest

from ledger.books.postings import Register
from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.domain.rules import Gridlock, Rules
from nodes.bus import UnreachableError
from nodes.messages import SetProposal
from tests.nodes.test_sets import pay, settled, states
from tests.support.consortia import answering, small_consortium
from tests.support.orders import give, take


@pytest.mark.parametrize("by_hand", [False, True])
def test_set_that_the_chain_refuses_is_selected_anew_by_what_the_chain_has(by_hand):
    consortium = small_consortium(
        Rules(gridlock=Gridlock.FIFO, auto_settle=not by_hand), cash={"A": 100, "B": 0, "C": 0}
    )
    desk, honest = consortium.clearing_house.desk, consortium.nodes["C"].handle
    cash, account = consortium.contracts.cash, consortium.network.account_number("A")

    def signing(sender, message):
        """Cash of A goes on hold while the set is being signed."""
        if isinstance(message, SetProposal):
            consortium.bus.register("C", honest)
            outbox = consortium.trader("A").outbox
            assert outbox.send("hold", cash.address, cash.hold_data(1, account, 100)).succeeded
        return honest(sender, message)

    consortium.bus.register("C", signing)
    pay(consortium, "P1", "B", "C", 700)
    pay(consortium, "P2", "C", "B", 700)
    pay(consortium, "P3", "A", "B", 150)
    pay(consortium, "P4", "B", "A", 50)

    if by_hand:
        assert desk.resolve(Gridlock.FIFO).settled == ("P1", "P2")
    else:
        assert desk.work() == 2
    waiting = dict.fromkeys(["P3", "P4"], State.QUEUED)
    assert states(consortium) == settled("P1", "P2") | waiting
    assert [desk.get(label).reason for label in waiting] == [Reason.MONY, Reason.MONY]


def away(_):
    raise UnreachableError("nobody answers")


def test_who_answers_again_but_lacks_cash_waits_for_the_cash():
    consortium = small_consortium(Rules(), cash={"A": 1_000, "B": 0, "C": 0})
    desk, honest = consortium.clearing_house.desk, consortium.nodes["A"].handle
    pay(consortium, "P", "A", "B", 900)
    answering(consortium, "A", SetProposal, away)
    desk.work()
    assert desk.get("P").reason is Reason.SILENT

    consortium.bus.register("A", honest)
    assert take(consortium, "A", Register.CASH, 500, "out") is None
    desk.work()
    assert desk.get("P").reason is Reason.MONY

    give(consortium, "A", Register.CASH, 500, "in")
    desk.work()
    assert desk.get("P").state is State.SETTLED


def test_what_the_chain_refused_for_lack_of_cash_waits_for_the_cash_alone():
    consortium = small_consortium(Rules(), cash={"A": 1_000, "B": 0, "C": 0})
    house, outbox = consortium.clearing_house, consortium.trader("A").outbox
    honest, cash = consortium.nodes["A"].handle, consortium.contracts.cash
    account = consortium.network.account_number("A")
    asked = []

    def signing(sender, message):
        if isinstance(message, SetProposal):
            asked.append(message)
            if len(asked) == 1:
                hold = cash.hold_data(1, account, 1_000)
                assert outbox.send("hold", cash.address, hold).succeeded
        return honest(sender, message)

    consortium.bus.register("A", signing)
    pay(consortium, "P", "A", "B", 900)
    house.work()
    house.work()

    assert house.desk.book.queue.noted == {}
    assert house.desk.get("P").reason is Reason.MONY
    assert len(asked) == 1

    assert outbox.send("release", cash.address, cash.release_data(1, account, 1_000)).succeeded
    consortium.catch_up()
    house.work()
    assert house.desk.get("P").state is State.SETTLED
