"""What the clearing house keeps of its cycles: which of them cover some places in the capture."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.books.cycles import ABANDONED, SETTLED, CycleRecords
from ledger.books.database import open_database
from ledger.books.tables import CycleRow

WINDOWS = st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=12)
PLACES = st.integers(0, 40)


def kept(windows):
    """Cycles of so many trades each; those that are abandoned begin where the next one does."""
    records, end = CycleRecords(open_database(None)), 0
    for number, (length, is_settled) in enumerate(windows, start=1):
        row = CycleRow(
            number=number,
            id=number.to_bytes(32),
            first_position=end,
            end_position=end + length,
            state=SETTLED if is_settled else ABANDONED,
        )
        records._rows.append(row)
        end += length if is_settled else 0
    return records


@given(WINDOWS, PLACES, st.integers(1, 40))
def test_cycles_in_force_are_those_that_cover_one_of_the_places(windows, first, count):
    records, places = kept(windows), range(first, first + count)

    found = records.in_force(first, first + count)

    covering = (records.covering(place) for place in places)
    assert [row.number for row in found] == list(
        dict.fromkeys(row.number for row in covering if row)
    )
