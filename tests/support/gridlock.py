"""Small queues for gridlock resolution: the model's as columns, and hypothesis' choice of them."""

import numpy as np
from hypothesis import strategies as st

from ledger.model.gridlock import ModelInstruction, ModelQueue
from ledger.settlement.gridlock.queue_columns import NONE, QueueColumns


def columns(queue, keys=None):
    """The queue as columns; keys are numbered in the order given."""
    keys = queue.keys if keys is None else keys
    number = {key: place for place, key in enumerate(keys)} | {None: NONE}
    legs = [
        (row, number[debtor], number[creditor], amount)
        for row, instruction in enumerate(queue.instructions)
        for debtor, creditor, amount in instruction.legs
    ]
    leg_row, leg_debtor, leg_creditor, leg_amount = np.array(legs, dtype=np.int64).reshape(-1, 4).T
    links = [NONE if each.link is None else each.link for each in queue.instructions]
    return QueueColumns(
        leg_row=leg_row,
        leg_debtor=leg_debtor,
        leg_creditor=leg_creditor,
        leg_amount=leg_amount,
        available=np.array([queue.available.get(key, 0) for key in keys], dtype=np.int64),
        link=np.array(links, dtype=np.int64),
        can_settle=np.array([each.can_settle for each in queue.instructions], dtype=np.bool_),
        value=np.array([each.value for each in queue.instructions], dtype=np.int64),
    )


def places(selected):
    return set(np.flatnonzero(selected).tolist())


def flags(queue, chosen):
    selected = np.zeros(queue.rows, dtype=np.bool_)
    selected[list(chosen)] = True
    return selected


@st.composite
def queues(draw, rows_max=8, scale=None):
    """Payments, free deliveries and DvPs between few accounts, with links and barred rows."""
    accounts = "ABCD"[: draw(st.integers(2, 4))]
    assets = "XY"[: draw(st.integers(1, 2))]
    factor = draw(st.sampled_from([1, 1, 10**15, 10**17])) if scale is None else scale
    side = st.sampled_from(accounts)
    amount = st.integers(1, 6).map(lambda units: units * factor)

    def leg(asset, debtor, creditor):
        return (f"{asset}{debtor}", f"{asset}{creditor}", draw(amount))

    instructions = []
    for _ in range(draw(st.integers(0, rows_max))):
        debtor, creditor = draw(side), draw(side)
        kind = draw(st.sampled_from(["payment", "delivery", "dvp", "dvp", "limited", "odd"]))
        delivered, paid = (
            leg(draw(st.sampled_from(assets)), debtor, creditor),
            leg("$", creditor, debtor),
        )
        legs = {
            "payment": (paid,),
            "delivery": (delivered,),
            "dvp": (delivered, paid),
            "limited": (paid, (f"limit {creditor}", f"limit {debtor}", paid[2])),
            "odd": ((paid[0], None, paid[2]), (None, delivered[1], delivered[2]), delivered),
        }[kind]
        instructions.append(
            ModelInstruction(
                legs=legs,
                value=0 if kind == "delivery" else paid[2],
                link=draw(st.sampled_from([None, None, None, None, 0, 1])),
                can_settle=draw(st.sampled_from([True] * 9 + [False])),
            )
        )
    queue = ModelQueue(instructions)
    units = st.sampled_from([0, 0, 0, 1, 2, 3, 5, 8]).map(lambda units: units * factor)
    return ModelQueue(instructions, {key: draw(units) for key in queue.keys})
