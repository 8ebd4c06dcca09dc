"""Two sides of one sale, entered through the nodes of A and B of a small consortium."""

from dataclasses import replace

from ledger.settlement.matching import Side
from tests.support.consortia import DAY, GROSS, small_consortium

AMOUNT = 1_000


def sale_of(consortium, **changes):
    """What A enters: 10 of X for 10.00 to B."""
    isin = consortium.network.instruments[0].isin
    side = Side(
        is_deliverer=True,
        deliverer="A",
        receiver="B",
        settlement_date=DAY,
        isin=isin,
        quantity=10,
        currency="CNY",
        amount=AMOUNT,
        deliverer_account="A",
    )
    return replace(side, **changes)


def purchase_of(consortium, **changes):
    """What B enters of the same."""
    own = {"is_deliverer": False, "deliverer_account": "", "receiver_account": "B"}
    return sale_of(consortium, **(own | changes))


def enter(consortium, trader, reference, side, wishes=None):
    return consortium.trader(trader).sides.enter(reference, side, wishes)


def match(consortium, wishes_of_a=None, wishes_of_b=None):
    """Both sides entered; the label of the instruction."""
    assert enter(consortium, "A", "S1", sale_of(consortium), wishes_of_a) is None
    assert enter(consortium, "B", "P1", purchase_of(consortium), wishes_of_b) is None
    return "A:S1+B:P1"


def settle(consortium):
    consortium.clearing_house.work()
    consortium.catch_up()


def held_by(consortium, trader, register):
    return sum(
        available
        for key, available, _ in consortium.trader(trader).projection.holdings(register)
        if consortium.network.account_id(key % 2**32) == trader
    )


def standing(consortium, label):
    instruction = consortium.clearing_house.desk.get(label)
    return (instruction.state, instruction.reason)


def reopened(consortium, tmp_path):
    consortium.close()
    return small_consortium(GROSS, path=tmp_path / "state")
