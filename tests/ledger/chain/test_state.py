"""State changes: their encoding, and the state that they fold into."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.state import NO_CHANGES, Account, StateChanges, fold

ADDRESSES = st.sampled_from([bytes([i]) * 20 for i in (0, 1, 255)])
WORDS = st.sampled_from([0, 1, 255, 256, 2**255, 2**256 - 1])
CHANGES = st.builds(
    StateChanges,
    st.dictionaries(ADDRESSES, st.builds(Account, st.integers(0, 9), st.binary(max_size=3))),
    st.dictionaries(st.tuples(ADDRESSES, WORDS), WORDS),
)


@given(CHANGES)
def test_encoding_is_canonical_and_keeps_everything(changes):
    shuffled = StateChanges(
        dict(reversed(changes.accounts.items())), dict(reversed(changes.storage.items()))
    )

    assert changes.encode() == shuffled.encode()
    assert changes.encode().decode() == changes


@given(CHANGES, st.integers(1, 5))
def test_parts_add_up(changes, size):
    accounts, storage = {}, {}
    for part in changes.encode().in_parts(size):
        assert len(part.storage) <= size
        accounts |= part.accounts
        storage |= part.storage

    assert StateChanges(accounts, storage) == changes


@given(st.lists(CHANGES, max_size=6))
def test_fold_is_what_a_dictionary_would_hold(history):
    accounts, storage = {}, {}
    for changes in history:
        accounts |= changes.accounts
        storage |= changes.storage
    present = {slot: value for slot, value in storage.items() if value}

    folded = fold(changes.encode() for changes in history)

    assert folded == StateChanges(accounts, present).encode()


@given(st.lists(CHANGES, max_size=6), st.integers(0, 6))
def test_fold_may_begin_at_any_checkpoint(history, at):
    encoded = [changes.encode() for changes in history]

    assert fold([fold(encoded[:at]), *encoded[at:]]) == fold(encoded)


def test_nothing_folds_into_nothing():
    assert fold([]) == NO_CHANGES
