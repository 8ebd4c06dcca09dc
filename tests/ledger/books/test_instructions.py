"""The clearing house's instructions on disk."""

from dataclasses import replace

import pytest

from ledger.books.database import open_database
from ledger.books.instructions import InstructionStore
from ledger.domain.instructions import Instruction, Priority, State
from ledger.domain.reasons import Reason


def instruction(number, **more):
    return Instruction(
        id=number.to_bytes(32, "big"),
        label=f"I{number}",
        arrival=number,
        deliverer=256,
        receiver=512,
        instrument=1,
        quantity=5,
        currency=1,
        amount=7,
        **more,
    )


@pytest.fixture
def database():
    return open_database(None)


def put(database, *instructions):
    store = InstructionStore(database)
    with database.transaction() as session:
        store.put(session, instructions)
    return store


def test_instruction_is_read_as_it_was_put(database):
    full = instruction(
        0,
        settled_quantity=2,
        settled_amount=3,
        parts=1,
        priority=Priority.HIGH,
        held_by=frozenset({1, 2}),
        cancelled_by=frozenset({2}),
        may_be_partial=True,
        expires_at=9,
        linked_to=("I1", "I7"),
        state=State.HELD,
        reason=Reason.SILENT,
        rule_version=4,
        position=8,
        block=3,
    )
    store = put(database, full, instruction(1))

    assert store.all() == [full, instruction(1)]
    assert store.get("I0") == store.by_id(full.id) == full
    assert store.get("I9") is None
    assert store.all_linked() == [full]


def test_arrivals_go_on_after_the_last_one_in_a_new_process(database):
    assert put(database, instruction(0), instruction(1)).next_arrival == 2
    assert InstructionStore(database).next_arrival == 2


def test_ended_instructions_are_not_live_and_keep_their_label_and_id(database):
    store = put(database, *map(instruction, range(4)))
    ended = [
        replace(instruction(number), state=state)
        for number, state in enumerate((State.SETTLED, State.CANCELLED, State.FAILED))
    ]
    with database.transaction() as session:
        store.put(session, ended)

    assert store.live() == [instruction(3)]
    assert store.named("I0", instruction(1).id) == ended[:2]
