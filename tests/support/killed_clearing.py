"""A small clearing that may be killed at a point and run on: rounds of capture, cycle and queue.

What it comes to is everything that must not depend on having been killed.
"""

import os
from dataclasses import dataclass

import pytest

from contracts import lines
from ledger.books import payload_file
from ledger.books.cycles import ABANDONED, SETTLED
from ledger.books.segments import SegmentStore
from nodes.clock import SimulatedClock
from nodes.day_verification import verify_day
from nodes.desks import take_in
from nodes.explorer.cycle_roots import settled_cycles
from nodes.founding import open_consortium
from nodes.invariants import violations
from nodes.sandbox.capture_queue import CaptureQueue
from nodes.state_folder import segments_folder
from nodes.state_hash import state_hash
from tests.support.consortia import DAY, NET, consortium_of, small_network, trades_of
from tests.support.kill_points import Mode, arm
from tests.support.postgres import are_files

ROUNDS = (
    # C cannot pay for T4: it waits as an instruction.
    (
        ("T1", "A", "B", 10, 100),
        ("T2", "B", "C", 20, 300),
        ("T3", "C", "A", 30, 700),
        ("T4", "A", "C", 7, 12_000),
    ),
    # Now it can. T2 comes once more, and T1 with other terms.
    (
        ("T5", "C", "B", 8, 6_000),
        ("T6", "A", "B", 5, 900),
        ("T7", "B", "C", 9, 200),
        ("T8", "C", "A", 4, 100),
        ("T2", "B", "C", 20, 300),
        ("T1", "B", "A", 10, 100),
    ),
)
SETTLED_BEFORE = 1
"""How many rounds have been settled when the process begins that will be killed."""
IN_FILE = {Mode.ONE_CALL: payload_file.IN_FILE, Mode.STAGED: 1}
"""From how many bytes on batches are in files: in one of the modes all are."""
LINES_PER_CALL_MAX = {Mode.ONE_CALL: lines.LINES_PER_CALL_MAX, Mode.STAGED: 2}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a clearing has come to.

    Attributes:
        cycles: of those that settled: root, window and number of trades.
        on_chain: the same cycles as the chain has them: id, root and number of trades.
        captured: every trade of the capture, in order, with all its terms.
        answers: what each batch was answered.
        transactions: the hashes of all that is on the chain, in order.
    """

    state_hash: str
    cycles: list[tuple[bytes, int, int, int]]
    on_chain: list[tuple[bytes, bytes, int]]
    captured: list[tuple[int, ...]]
    answers: list[object]
    transactions: list[bytes]


def found(folder):
    """Makes a folder in which the first rounds have been settled."""
    consortium_of(small_network(), NET, None, path=folder).close()
    clear(folder, Mode.ONE_CALL, ROUNDS[:SETTLED_BEFORE])


def clear(folder, mode, rounds=ROUNDS, points=()):
    """Clears what is left to be cleared; dies at the first of the points, if there are any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LINES_PER_CALL_MAX", LINES_PER_CALL_MAX[mode])
        patch.setattr(payload_file, "IN_FILE", IN_FILE[mode])
        return _clear(folder, rounds, points)


def _clear(folder, rounds, points):
    consortium = open_consortium(small_network(), NET, SimulatedClock.at(DAY), folder)
    _check_nothing_is_lost(consortium, folder)
    for point in points:
        arm(point)
    queue, house = CaptureQueue(consortium.exchange), consortium.clearing_house
    house.desk.work()
    consortium.reconcile()
    answers = []
    for rows in rounds:
        answer = queue.submit_batch(trades_of(consortium.network, *rows))
        queue.take_turn(1)
        answers.append((answer.result().batch_id, answer.result().submission))
        _acknowledge(folder, rows)
        take_in(consortium)
        while house.net.waiting():
            house.net.close()
        house.desk.work()
        consortium.reconcile()
    outcome = _outcome(consortium, answers)
    consortium.close()
    _check_kept(folder, outcome)
    return outcome


def die(folder, mode, points):
    """Clears until it is killed: to be run in a process of its own."""
    clear(folder, mode, points=points)


def _check_nothing_is_lost(consortium, folder):
    """What was acknowledged is there, and everything that is there is there once."""
    said = folder / "acknowledged"
    names = said.read_text().split() if said.exists() else []
    sought = [row for rows in ROUNDS for row in rows if row[0] in names]
    acknowledged = set(trades_of(consortium.network, *sought).numbers.tolist())
    numbers = [trade[2] for trade in _captured(consortium)]
    assert acknowledged <= set(numbers)
    assert len(set(numbers)) == len(numbers)


def _acknowledge(folder, rows):
    """What a submitter was told outlives the process that told it."""
    with (folder / "acknowledged").open("a") as file:
        print(*(number for number, *_ in rows), file=file, flush=True)
        os.fsync(file.fileno())


def _outcome(consortium, answers):
    assert consortium.reconcile() == 0
    assert violations(consortium) == []
    every = consortium.clearing_house.cycles.all()
    cycles = [row for row in every if row.state != ABANDONED]
    assert all(row.state == SETTLED for row in cycles)
    addresses, w3 = consortium.contracts.addresses, consortium.engine.w3
    store = consortium.chain.store
    return Outcome(
        state_hash=state_hash(consortium),
        cycles=[
            (row.root, row.first_position, row.end_position, row.trade_count) for row in cycles
        ],
        on_chain=[(each.id, each.root, each.count) for each in settled_cycles(w3, addresses)],
        captured=_captured(consortium),
        answers=answers,
        transactions=[
            included.transaction.hash
            for height in range(1, consortium.chain.head.number + 1)
            for included in store.transactions_of(height)
        ],
    )


def _captured(consortium):
    captured = consortium.exchange.captured
    trades = captured.trades(0, captured.end_position)
    return list(zip(*(column.tolist() for column in trades.columns().values()), strict=True))


def _check_kept(folder, outcome):
    roots = {root for root, *_ in outcome.cycles}
    assert SegmentStore(segments_folder(folder)).roots() == roots
    if are_files():
        *_, verified = verify_day(folder)
        assert verified.cycles == len(roots)
