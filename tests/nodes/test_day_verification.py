"""Verification: a settled folder is right, and whatever is changed in it is found and named."""

import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from contracts import lines
from ledger.books.cycles import ABANDONED, SETTLED
from ledger.books.segments import SegmentStore
from ledger.clearing.commitment import Commitment
from ledger.clearing.proof import verify
from ledger.domain.identifiers import TradeId
from nodes.day_verification import verify_day
from nodes.derived_cycles import DifferenceError
from nodes.explorer.folder import open_explorer
from nodes.folder_meta import StateFolderError, read_meta
from nodes.proofs import proof_from_folder
from tests.support.consortia import NET, capture, small_consortium, trades_of
from tests.support.postgres import only_files

pytestmark = only_files


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """A folder with three settled cycles and an instruction that waits for shares."""
    path = tmp_path_factory.mktemp("day") / "state"
    consortium = small_consortium(NET, path=path)
    if consortium.own_chain is None:
        pytest.skip("the chain is not in the folder")
    network = consortium.network
    for name in ("P", "Q", "R"):
        capture(
            consortium,
            trades_of(
                network,
                (f"{name}1", "A", "B", 5, 500),
                (f"{name}2", "B", "A", 2, 300),
                (f"{name}3", "A", "C", 3, 300),
                (f"{name}4", "C", "B", 900 if name == "Q" else 4, 400),
            ),
        )
        consortium.clearing_house.net.close()
        consortium.reconcile()
    consortium.close()
    return path


@pytest.fixture
def day(settled, tmp_path):
    return shutil.copytree(settled, tmp_path / "state")


def roots_of(path):
    store = SegmentStore(path / "segments")
    return [segment.root for segment in sorted(map(store.read, store.roots()), key=number_of)]


def number_of(segment):
    return segment.number


def verified(path):
    *_, last = verify_day(path)
    return last


def difference(path):
    with pytest.raises(DifferenceError) as raised:
        verified(path)
    return raised.value


def rewrite(path, root, change):
    """Writes a segment again with its trades or metadata changed."""
    store = SegmentStore(path / "segments")
    segment, file = store.read(root), store.path(root)
    file.unlink()
    store.add(change(segment))


def test_settled_folder_is_right(day):
    found = verified(day)

    assert (found.cycles, found.cycles_in_all, found.trades) == (3, 3, 11)
    assert found.books == len(read_meta(day).network.participants)
    assert found.net_lines > 0
    assert found.balances > 0


def test_folder_that_is_no_day_is_refused(tmp_path):
    with pytest.raises(StateFolderError):
        verified(tmp_path)


@pytest.mark.parametrize("column", ["sellers", "quantities", "prices", "numbers", "times"])
def test_changed_trade_is_found_by_its_root(day, column):
    root = roots_of(day)[1]

    def change(segment):
        values = getattr(segment.trades, column).copy()
        values[1] += 1
        return replace(segment, trades=replace(segment.trades, **{column: values}))

    rewrite(day, root, change)

    found = difference(day)
    assert (found.where, found.what) == ("cycle 2", "root")
    assert found.expected == "0x" + root.hex()


def test_trade_that_was_left_out_is_found_by_the_number(day):
    rewrite(
        day,
        roots_of(day)[0],
        lambda s: replace(s, trades=s.trades.take(slice(1, None)), positions=s.positions[1:]),
    )

    found = difference(day)
    assert (found.where, found.what, found.expected, found.found) == (
        "cycle 1",
        "number of trades",
        "4",
        "3",
    )


def test_missing_segment_is_named(day):
    root = roots_of(day)[2]
    SegmentStore(day / "segments").path(root).unlink()

    found = difference(day)
    assert found.what == "segment"
    assert found.expected == "0x" + root.hex()
    assert "is missing" in found.found


def test_swapped_segments_are_found(day):
    first, second, _ = (SegmentStore(day / "segments").path(root) for root in roots_of(day))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)

    assert difference(day).what == "cycle id"


def test_damaged_segment_is_named(day):
    path = SegmentStore(day / "segments").path(roots_of(day)[0])
    path.write_bytes(path.read_bytes()[:-20])

    assert "is damaged" in difference(day).found


def test_other_salts_or_positions_are_found(day):
    root = roots_of(day)[0]
    rewrite(day, root, lambda s: replace(s, salt_key=bytes(32)))
    assert difference(day).what == "root"


def test_positions_out_of_the_window_are_found(day):
    rewrite(day, roots_of(day)[1], lambda s: replace(s, positions=s.positions - 3))

    assert difference(day).what == "positions"


def test_segment_of_no_cycle_is_found(day):
    file = SegmentStore(day / "segments").path(roots_of(day)[0])
    file.with_name(f"{'ab' * 32}.parquet").write_bytes(file.read_bytes())

    found = difference(day)
    assert (found.where, found.found) == ("the segments", "none")


def test_lost_index_is_found(day):
    for path in (day / "segments" / "index").iterdir():
        path.unlink()

    assert difference(day).what == "index"


def test_changed_balance_in_any_books_is_found(day):
    for node in ("B", "CLEARING-HOUSE", "BANK-1"):
        file = day / "nodes" / node / "books.sqlite"
        with sqlite3.connect(file) as connection:
            honest = connection.execute("SELECT payload, rowid FROM holdings").fetchall()
            connection.execute("UPDATE holdings SET payload = zeroblob(length(payload))")
        connection.close()
        assert f"the books of {node}" in difference(day).where
        with sqlite3.connect(file) as connection:
            connection.executemany("UPDATE holdings SET payload = ? WHERE rowid = ?", honest)
        connection.close()
    assert verified(day).cycles == 3


def test_proof_from_the_folder_is_under_the_root_of_the_chain(day):
    network = read_meta(day).network
    isin = network.instruments[0].isin

    def proof(number):
        return proof_from_folder(day, network, TradeId("XNOV", network.business_date, isin, number))

    roots = roots_of(day)
    for number, root in (("P1", roots[0]), ("Q3", roots[1]), ("R4", roots[2])):
        assert verify(proof(number)) == ""
        assert proof(number).root == root
    assert proof("Q4") is None
    assert proof("NONE") is None
    with open_explorer(day) as explorer:
        assert explorer.height() > 3


def test_cycles_that_settled_in_parts_are_right_and_so_is_one_that_was_dropped(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(lines, "LINES_PER_CALL_MAX", 2)
    consortium = small_consortium(NET, path=tmp_path)
    house, date = consortium.clearing_house, consortium.network.business_date
    ring = (("T1", "A", "B", 10, 100), ("T2", "B", "C", 20, 300), ("T3", "C", "A", 30, 700))
    capture(consortium, trades_of(consortium.network, *ring))
    announce = house.outbox.announce
    consortium.clock.set(date, 12 * 3600)

    def too_late(intents):
        announce(intents[:3])
        consortium.clock.set(date, 13 * 3600)
        announce(intents[3:])

    house.outbox.announce = too_late
    assert house.net.close().state == ABANDONED
    house.outbox.announce = announce
    assert house.net.close().state == SETTLED
    consortium.reconcile()
    consortium.close()

    found = verified(tmp_path)
    assert (found.cycles, found.trades, found.net_lines) == (1, 3, 6)
    assert found.books == len(read_meta(tmp_path).network.participants)


def test_segments_that_are_missing_are_written_when_the_folder_is_opened(day):
    contents = {path.name: pq.read_table(path) for path in (day / "segments").glob("*.parquet")}
    shutil.rmtree(day / "segments")

    consortium = small_consortium(NET, path=day)
    for position in (0, 5, 10):
        proof = consortium.proofs.proof(position)
        assert verify(proof) == ""
    assert consortium.proofs.proof(7) is None
    consortium.close()

    assert verified(day).cycles == 3
    for name, table in contents.items():
        assert pq.read_table(day / "segments" / name).equals(table)


def test_segment_holds_what_its_root_follows_from(day):
    store = SegmentStore(day / "segments")
    for root in store.roots():
        segment = store.read(root)
        assert Commitment(segment.trades, segment.salt_key, segment.cycle_id).root == root
        assert (np.diff(segment.positions) > 0).all()
