"""DvP model 2 between real nodes: securities trade by trade, cash net, in one cycle."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.lines import LINES_PER_CALL_MAX
from contracts.moves import MOVES_PER_CALL_MAX, Moves
from contracts.typed_data import InstructionMessage, SetMessage
from ledger.books.cycles import SETTLED
from ledger.books.postings import Register
from ledger.clearing.columns import TradeColumns
from ledger.domain.accounts import holding_key
from nodes.clearing_house.cycle import rows_that_fit
from nodes.clearing_house.signed_cycle import unpack_signed
from nodes.day_verification import verify_day
from nodes.invariants import violations
from nodes.messages import CycleProposal, Disagreement
from tests.support.consortia import NET, capture, small_consortium, states, trades_of
from tests.support.postgres import are_files
from tests.support.trades import trade_row

MODEL_2 = replace(NET, dvp_model=2)
STORY = (
    ("T1", "A", "B", 10, 10_000),
    ("T2", "A", "B", 20, 20_000),
    ("T3", "B", "A", 5, 5_000),
    ("T4", "A", "B", 1, 1_000),
)


def consortium_with(rules, **changes):
    opening = {"shares": {"A": 100, "B": 100}, "cash": {"A": 500_000, "B": 500_000}}
    return small_consortium(rules, **(opening | changes))


def closed(consortium, *trades):
    capture(consortium, trades_of(consortium.network, *trades))
    row = consortium.clearing_house.net.close()
    assert consortium.reconcile() >= 0
    assert violations(consortium) == []
    assert all(node.breaks() == [] for node in consortium.nodes.values())
    return row


def holdings(consortium):
    projection = consortium.clearing_house.projection
    keys = [holding_key(1, consortium.network.account_number(owner)) for owner in "ABC"]
    return [sum(projection.holding(register, key)) for register in Register for key in keys]


@pytest.fixture
def consortium():
    built = consortium_with(MODEL_2)
    yield built
    built.close()


def test_four_trades_are_four_movements_of_securities_and_two_of_cash(consortium):
    row = closed(consortium, *STORY)

    assert (row.state, row.trade_count) == (SETTLED, 4)
    assert (row.securities_lines, row.cash_lines) == (4, 2)
    assert holdings(consortium) == [74, 126, 0, 526_000, 474_000, 0]
    assert states(consortium) == ["settled"] * 4


def test_end_positions_are_those_of_model_3(consortium):
    closed(consortium, *STORY)
    net = consortium_with(NET)
    closed(net, *STORY)

    assert holdings(consortium) == holdings(net)
    net.close()


def test_trades_cover_each_other_and_what_is_not_covered_leaves():
    consortium = consortium_with(MODEL_2, shares={"A": 10}, cash={"A": 10, "B": 0, "C": 100})
    ring = (("T1", "B", "C", 10, 100), ("T2", "A", "B", 10, 100), ("T3", "B", "A", 1, 10))

    row = closed(consortium, *ring)

    assert (row.trade_count, row.securities_lines) == (2, 2)
    assert states(consortium) == ["settled", "settled", "queued LACK"]
    consortium.close()


def test_cycle_that_was_written_down_settles_after_a_crash(tmp_path):
    consortium = consortium_with(MODEL_2, path=tmp_path)
    capture(consortium, trades_of(consortium.network, *STORY))
    net = consortium.clearing_house.net
    net.settle = lambda _: None
    row = net.close()
    del net.settle

    assert unpack_signed(net._cycles.signed(row.number)).cycle.is_gross
    consortium.clearing_house.resume()

    assert holdings(consortium)[:2] == [74, 126]
    consortium.close()


def altered(moves, **columns):
    changed = {name: getattr(moves, name).copy() for name in columns}
    for name, (row, value) in columns.items():
        changed[name][row] = value
    return replace(moves, **changed)


def shifted(moves, house):
    """The same net, by other moves."""
    more = Moves(*(np.array([each]) for each in (1, house, house, 3)))
    return Moves(
        *(
            np.concatenate([getattr(moves, name), getattr(more, name)])
            for name in ("assets", "debtors", "creditors", "amounts")
        )
    )


@pytest.mark.parametrize("lie", ["one move more", "two in one", "other instrument", "backwards"])
def test_party_signs_no_moves_that_are_not_its_trades(consortium, monkeypatch, lie):
    a = consortium.network.account_number("A")
    lies = {
        "one move more": lambda moves: shifted(moves, a),
        "two in one": lambda moves: altered(moves.take(np.array([0, 2, 3])), amounts=(0, 30)),
        "other instrument": lambda moves: altered(moves, assets=(0, 2)),
        "backwards": lambda moves: replace(moves, debtors=moves.creditors, creditors=moves.debtors),
    }
    answers = told(consortium, lies[lie])

    assert holdings(consortium)[:2] == [100, 100]
    refused = [each for each in answers if isinstance(each, Disagreement)]
    assert refused
    assert all("moves that touch it" in each.refusal.detail for each in refused)


def told(consortium, change):
    """What parties answer when they are shown other moves than the clearing house has."""
    capture(consortium, trades_of(consortium.network, *STORY))
    bus, answers = consortium.bus, []
    request = bus.request

    def changed(sender, to, message):
        if isinstance(message, CycleProposal):
            moves = change(message.cycle.moves()).pack()
            cycle = replace(message.cycle, securities_lines=moves)
            answers.append(request(sender, to, CycleProposal(cycle, message.chunks)))
            return answers[-1]
        return request(sender, to, message)

    bus.request = changed
    consortium.clearing_house.net.close()
    return answers


def test_party_signs_the_same_moves_in_any_order(consortium):
    answers = told(consortium, lambda moves: moves.take(np.array([3, 1, 0, 2])))

    assert answers
    assert not any(isinstance(each, Disagreement) for each in answers)


def test_cycle_has_no_more_trades_than_one_call_moves():
    rows = [trade_row(i, 256, 512, 1, 1) for i in range(MOVES_PER_CALL_MAX + 5)]
    trades = TradeColumns.of_rows(rows)

    assert rows_that_fit(trades, 4_096, is_gross=True) == MOVES_PER_CALL_MAX
    assert rows_that_fit(trades, 4_096, is_gross=False) == len(trades)


def test_cycle_has_no_more_cash_lines_than_one_call_takes():
    rows = [trade_row(i, 256, (i + 2) << 8, 1, 1) for i in range(2 * LINES_PER_CALL_MAX)]
    trades = TradeColumns.of_rows(rows)

    assert rows_that_fit(trades, 4_096, is_gross=True) == LINES_PER_CALL_MAX - 1
    assert rows_that_fit(trades, 4_096, is_gross=False) == len(trades)


def test_folder_with_gross_cycles_and_a_set_is_verified_from_the_chain(tmp_path):
    path = tmp_path / "state"
    consortium = consortium_with(MODEL_2, path=path)
    if consortium.own_chain is None:
        pytest.skip("the chain is not in the folder")
    closed(consortium, *STORY)
    house, a, b = consortium.clearing_house, *map(consortium.network.account_number, "AB")
    terms = (b"\x05" * 32, a, b, 1, 70, 1, 7, 1, 0)
    back = (b"\x06" * 32, b, a, 1, 1, 1, 7, 1, 0)
    together = SetMessage(
        b"\x07" * 32,
        (InstructionMessage(*terms), InstructionMessage(*back)),
        tuple(consortium.network.participant_number(each) for each in "AB"),
        (),
        1,
        house.around.engine.chain_time() + 60,
    )
    digest = house.settlement_domain().digest(together.struct_hash())
    signatures = [consortium.nodes[each].key.sign(digest) for each in "AB"]
    settlement = house.around.contracts.settlement
    data = settlement.settle_set_data(together, signatures)

    assert house.outbox.send("set", settlement.address, data).succeeded
    house.catch_up()

    assert holdings(consortium) == [5, 195, 0, 526_000, 474_000, 0]
    consortium.close()
    if are_files():
        *_, found = verify_day(path)
        assert (found.cycles, found.trades) == (1, 4)
