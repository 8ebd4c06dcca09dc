"""What the desk does again where the chain or a party refused, and the reasons that it gives."""

import pytest

from ledger.domain.instructions import State
from ledger.domain.reasons import Reason
from ledger.domain.rules import Gridlock, Rules
from nodes.messages import SetProposal
from tests.nodes.test_sets import pay, settled, states
from tests.support.consortia import small_consortium


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
