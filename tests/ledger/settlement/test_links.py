"""Who a link binds: both, where they name each other or share a side; else only who names."""

import pytest

from ledger.domain.accounts import account_number
from ledger.domain.instructions import Instruction, State
from ledger.domain.reasons import Reason
from ledger.domain.rules import QueueOrder, Rules
from ledger.settlement import lifecycle
from ledger.settlement.legs import Pot, PotKind
from tests.support.queue_driver import QueueDriver

A, B, C, D = (account_number(number) for number in range(1, 5))


class Desk(QueueDriver):
    """Everybody has cash."""

    def __init__(self):
        super().__init__(QueueOrder.FIFO, Rules(), {})
        for account in (A, B, C, D):
            self.balances[Pot(PotKind.CASH, 1, account)] = 100

    def pay(self, label, payer, payee, *linked_to, amount=1):
        self.put(
            Instruction(
                id=label.encode(),
                label=label,
                arrival=len(self.known),
                deliverer=payee,
                receiver=payer,
                instrument=0,
                quantity=0,
                currency=1,
                amount=amount,
                linked_to=linked_to,
            )
        )


def test_link_of_strangers_stops_nobody_but_themselves():
    desk = Desk()
    desk.pay("OTHERS", A, B, amount=101)
    desk.pay("MINE", C, D, "OTHERS")

    assert desk.work() == []
    assert desk.reason("MINE") is Reason.LINK
    assert desk.queue.awaited_by([desk.known["MINE"]]) == ["OTHERS"]
    assert [each.label for each in desk.queue.group_of("OTHERS")] == ["OTHERS"]
    assert desk.reason("OTHERS") is Reason.MONY

    desk.change(Pot(PotKind.CASH, 1, A), 1)
    assert desk.work() == [("OTHERS",), ("MINE",)]


@pytest.mark.parametrize("mine_is_first", [False, True])
def test_stranger_that_is_cancelled_leaves_whom_it_named_as_he_was(mine_is_first):
    desk = Desk()
    if mine_is_first:
        desk.pay("MINE", C, D, "OTHERS", "NEVER")
    desk.pay("OTHERS", A, B)
    if not mine_is_first:
        desk.pay("MINE", C, D, "OTHERS", "NEVER")
    desk.put(lifecycle.ended(desk.known["MINE"], State.CANCELLED))

    assert desk.work() == [("OTHERS",)]


def test_strangers_that_name_each_other_settle_together():
    desk = Desk()
    desk.pay("ONE", A, B, "TWO")
    assert desk.work() == []
    desk.pay("TWO", C, D, "ONE")

    assert desk.work() == [("ONE", "TWO")]


def test_who_shares_a_side_is_bound_by_being_named():
    desk = Desk()
    desk.pay("ONE", A, B)
    desk.pay("TWO", B, C, "ONE", amount=102)

    assert desk.work() == []
    assert desk.reason("ONE") is Reason.MONY

    desk.put(lifecycle.ended(desk.known["TWO"], State.CANCELLED))
    assert desk.work() == []
    assert desk.reason("ONE") is Reason.LINK
