"""A backup is whole or none, and comes back to the market that it was taken from."""

import shutil
import signal
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread

import pytest

from ledger.books.cycles import SETTLED
from ledger.domain.reasons import Rejected
from nodes.backup import writing
from nodes.backup.manifest import BackupError, read_manifest
from nodes.backup.pinning import Pinned
from nodes.backup.restoring import copy_backup, copy_files, restore, words_on_votes
from nodes.backup.writing import write_backup
from nodes.faults.desk_faults import DeskFault
from nodes.sandbox.made_trades import made_trades
from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from nodes.state_hash import state_hash
from tests.support.consortia import DAY
from tests.support.forked import run_forked
from tests.support.killed_backup import back_up

BY_HAND = SandboxOptions(cycle_seconds=0)


def trade_in(sandbox, count, seed):
    trades = made_trades(sandbox.consortium.network, count, seed)
    assert not isinstance(sandbox.submit_batch(trades).result(timeout=60), Rejected)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A backup that was taken of a market at work, and what it was then."""
    path = tmp_path_factory.mktemp("market")
    sandbox = open_sandbox(path / "state", "test", DAY, options=BY_HAND)
    sandbox.start()
    try:
        trade_in(sandbox, 200, 1)
        sandbox.strike()
        assert sandbox.inject(DeskFault.BLOTTER_MISSING, "BRK-A") is None
        trade_in(sandbox, 40, 2)
        sandbox.strike()
        with at_work(sandbox):
            manifest = write_backup(sandbox, path / "backup")
        # What comes after it is not in it.
        trade_in(sandbox, 10, 2_000)
        assert state_hash(sandbox.consortium) != manifest.state_hash
    finally:
        sandbox.stop()
    return path / "backup", manifest


@contextmanager
def at_work(sandbox):
    """Trades come in and cycles settle meanwhile."""
    stopping, begun = Event(), Event()

    def work():
        for seed in count(3):
            trade_in(sandbox, 10, seed)
            sandbox.strike()
            begun.set()
            if stopping.is_set():
                return

    thread = Thread(target=work)
    thread.start()
    begun.wait()
    yield
    stopping.set()
    thread.join()


def test_backup_of_an_open_market_comes_back_as_it_was(market, tmp_path):
    backup, manifest = market
    said = []

    restored = restore(backup, tmp_path / "restored", said.append)

    assert restored.manifest == manifest == read_manifest(backup)
    assert restored.open_breaks == manifest.open_breaks > 0
    assert restored.verified.cycles > 2
    assert restored.verified.books == 8
    assert len(said) == 4
    again = open_sandbox(tmp_path / "restored", None, DAY, options=BY_HAND)
    again.start()
    try:
        assert state_hash(again.consortium) == manifest.state_hash
        assert again.consortium.exchange.captured_end() >= 250
        trade_in(again, 10, 1_000)
        cycle = again.strike()
        assert cycle is not None
        assert cycle.state == SETTLED
    finally:
        again.stop()


def test_keys_in_a_backup_and_in_what_it_is_brought_back_to_are_private(market, tmp_path):
    backup, manifest = market

    copy_backup(backup, manifest, tmp_path / "elsewhere")
    copy_files(backup, manifest, tmp_path / "restored")

    for folder in (backup, tmp_path / "elsewhere", tmp_path / "restored"):
        assert folder.stat().st_mode & 0o777 == 0o700
    for file in (*(backup / "data").rglob("*"), *(tmp_path / "restored").rglob("*")):
        assert file.is_dir() or file.stat().st_mode & 0o777 == 0o600


def test_trades_that_a_database_refers_to_are_held_after_it(market):
    backup, _ = market
    state = backup.parent / "state"

    with Pinned(state, "CLEARING-HOUSE") as pinned:
        names = [held.path.name for held in pinned._held]

    last = max(place for place, name in enumerate(names) if name.endswith(".sqlite"))
    assert not [name for name in names[:last] if not name.endswith(".sqlite")]
    assert {"key", "meta.json"} < set(names[last:])


def test_whatever_fails_nothing_of_a_backup_stays(market, tmp_path, monkeypatch):
    backup, _ = market
    monkeypatch.setattr(writing, "write_manifest", lambda *_: 1 // 0)
    sandbox = open_sandbox(backup.parent / "state", None, DAY, options=BY_HAND)
    try:
        with pytest.raises(ZeroDivisionError):
            write_backup(sandbox, tmp_path / "backup")
    finally:
        sandbox.stop()

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_byte_in_any_file_is_named(market, tmp_path):
    backup, manifest = market
    copy = tmp_path / "copy"
    shutil.copytree(backup, copy)
    files = sorted(file for file in copy.rglob("*") if file.is_file())
    assert len(files) == len(manifest.files) + 2

    for number, file in enumerate(files):
        content = file.read_bytes()
        place = number * 7919 % len(content)
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        target = tmp_path / f"target{number}"
        with pytest.raises(BackupError) as refused:
            copy_files(copy, read_manifest(copy), target)
        assert file.relative_to(copy).name in str(refused.value)
        file.write_bytes(content)


def test_a_file_too_few_or_too_many_is_named(market, tmp_path):
    backup, manifest = market
    copy = tmp_path / "copy"
    shutil.copytree(backup, copy)
    kept = manifest.files[0].path

    (copy / "data" / kept).rename(copy / "data" / "stray")
    with pytest.raises(BackupError, match=f"{kept}: it is in the manifest and is missing"):
        restore(copy, tmp_path / "restored")
    shutil.copy(copy / "data" / "stray", copy / "data" / kept)
    with pytest.raises(BackupError, match="stray: it is not in the manifest"):
        restore(copy, tmp_path / "restored")

    assert not (tmp_path / "restored").exists()


def test_nothing_is_written_over(market, tmp_path):
    backup, _ = market
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("mine")

    with pytest.raises(BackupError, match="not empty"):
        restore(backup, tmp_path / "taken")

    assert [file.name for file in (tmp_path / "taken").iterdir()] == ["mine"]


def test_backup_says_what_a_validator_that_is_brought_back_could_do(market):
    _, manifest = market

    words = words_on_votes(manifest)

    assert manifest.validators == ("EXCHANGE", "BANK-1", "BANK-2", "BRK-A")
    assert "vote twice" in words
    assert f"block {manifest.block}" in words


def test_killed_in_the_middle_leaves_nothing_that_looks_whole(tmp_path):
    target = tmp_path / "backup"
    for moment in ("manifest", "rename"):
        done = run_forked(back_up, tmp_path / "state", target, moment)

        assert done.returncode == -signal.SIGKILL
        assert not target.exists()
        [left] = tmp_path.glob("backup*")
        with pytest.raises(BackupError, match="it is no backup"):
            read_manifest(left)

    sandbox = open_sandbox(tmp_path / "state", None, DAY)
    try:
        assert write_backup(sandbox, target) == read_manifest(target)
    finally:
        sandbox.stop()
    assert [each.name for each in tmp_path.glob("backup*")] == ["backup"]
