"""Instructions on disk."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.books.database import open_database
from ledger.books.instructions import InstructionStore
from ledger.domain.instructions import LIVE, Instruction, Priority, State
from ledger.domain.reasons import Reason

AMOUNTS = st.integers(0, 10**15)
PARTICIPANTS = st.frozensets(st.integers(1, 1_023), max_size=2)


@st.composite
def instructions(draw):
    """Every attribute as far as it goes, whether it makes sense or not."""
    count = draw(st.integers(1, 3))
    return [
        Instruction(
            id=arrival.to_bytes(32, "big"),
            label=f"I{arrival}",
            arrival=arrival,
            deliverer=draw(st.integers(256, 2**32 - 1)),
            receiver=512,
            instrument=1,
            quantity=draw(AMOUNTS),
            currency=1,
            amount=draw(AMOUNTS),
            settled_quantity=draw(AMOUNTS),
            settled_amount=draw(AMOUNTS),
            parts=draw(st.integers(0, 9)),
            priority=draw(st.sampled_from(Priority)),
            held_by=draw(PARTICIPANTS),
            cancelled_by=draw(PARTICIPANTS),
            may_be_partial=draw(st.booleans()),
            expires_at=draw(st.none() | st.integers(0, 2**40)),
            linked_to=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
            state=draw(st.sampled_from(State)),
            reason=draw(st.none() | st.sampled_from(Reason)),
            rule_version=draw(st.integers(1, 9)),
            position=draw(st.none() | st.integers(0, 2**40)),
            block=draw(st.none() | st.integers(0, 2**31)),
        )
        for arrival in range(count)
    ]


@given(instructions())
def test_instruction_is_read_as_it_was_kept(kept):
    database = open_database(None)
    store = InstructionStore(database)
    with database.transaction() as session:
        store.put(session, kept)

    again = InstructionStore(database)
    assert again.all() == kept
    assert again.next_arrival == store.next_arrival == len(kept)
    assert again.live() == [each for each in kept if each.state in LIVE]
    assert again.get("I0") == again.by_id(bytes(32)) == kept[0]
    database.close()


def test_later_version_of_an_instruction_takes_the_place_of_the_earlier_one():
    database = open_database(None)
    store = InstructionStore(database)
    first = Instruction(
        id=bytes(32),
        label="I0",
        arrival=0,
        deliverer=256,
        receiver=512,
        instrument=1,
        quantity=1,
        currency=1,
        amount=1,
    )
    for state in (State.QUEUED, State.SETTLED):
        with database.transaction() as session:
            store.put(session, [Instruction(**{**_fields(first), "state": state})])

    assert [each.state for each in store.all()] == [State.SETTLED]
    assert store.next_arrival == 1


def _fields(instruction):
    return {name: getattr(instruction, name) for name in Instruction.__slots__}
