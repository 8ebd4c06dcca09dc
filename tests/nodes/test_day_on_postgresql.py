"""A market day with its books on a real PostgreSQL server, started here where it is installed."""

import signal
import time

import msgspec
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from api.hosting import Hosting
from ledger.books.database_url import DatabaseUrl
from nodes.backup.manifest import BackupError
from nodes.backup.writing import write_backup
from nodes.books_place import StatePlace
from nodes.day_verification import verify_day
from nodes.derived_cycles import DifferenceError
from nodes.folder_meta import StateFolderError, read_meta
from nodes.market_day.day import Step
from nodes.market_day.made_day import MadeDay, write_made_day
from nodes.sandbox.home import SandboxHome
from nodes.sandbox.sandbox import DEFAULT_SEED, SandboxOptions, open_sandbox
from nodes.trade_files import reader
from tests.support.clients import key_header
from tests.support.consortia import DAY
from tests.support.forked import run_forked
from tests.support.killed_day import SHORTAGE, run_day, run_until_killed, use_small_blocks
from tests.support.postgres import PrivateServer, needs_postgres, only_asked

pytestmark = needs_postgres


@pytest.fixture(scope="module")
def server():
    with PrivateServer() as running:
        yield running


@pytest.fixture(scope="module")
def url(server):
    return DatabaseUrl.parse(server.url)


@pytest.fixture(scope="module", autouse=True)
def _small_blocks():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "BLOCK_BYTES", reader.BLOCK_BYTES)
        use_small_blocks()
        yield


@pytest.fixture(scope="module")
def trades(tmp_path_factory):
    path = tmp_path_factory.mktemp("day") / "made-day.zip"
    write_made_day(MadeDay(trades=800, participants=8, instruments=12, seed=7), path)
    return path


@pytest.fixture(scope="module")
def elsewhere(trades):
    """What the same day comes to, uninterrupted, with its books in memory."""
    return run_day(trades, None, [SHORTAGE])


@pytest.fixture(scope="module")
def settled(trades, url, tmp_path_factory):
    """A folder whose day was killed on its way and has settled then, and what it came to."""
    folder = tmp_path_factory.mktemp("server") / "state"
    place = StatePlace(folder, url)
    killed = run_forked(run_until_killed, trades, place, Step.CYCLE_CLOSED.value, 2)
    assert killed.returncode == -signal.SIGKILL
    return folder, run_day(trades, place, [SHORTAGE])


@only_asked
def test_killed_day_ends_in_the_same_state_as_one_with_its_books_elsewhere(settled, elsewhere):
    folder, summary = settled

    assert (summary.violations, summary.breaks) == ([], [])
    assert summary.state_hash == elsewhere.state_hash
    assert list(folder.rglob("books.sqlite")) == []


@only_asked
def test_settled_day_is_verified_from_what_the_folder_says(settled):
    *_, verified = verify_day(settled[0])

    assert verified.cycles == verified.cycles_in_all > 0
    assert verified.books == len(read_meta(settled[0]).network.participants)


@only_asked
def test_books_that_were_changed_behind_are_a_difference(settled, url):
    folder = settled[0]
    house = f'"novate_{read_meta(folder).books.id}_B3-1"'
    engine = create_engine(url.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE kept AS TABLE {house}.holdings")
        connection.exec_driver_sql(f"DELETE FROM {house}.holdings")
    with pytest.raises(DifferenceError):
        list(verify_day(folder))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {house}.holdings SELECT * FROM kept")
    engine.dispose()


@only_asked
def test_folder_goes_on_with_no_other_database(settled, trades, tmp_path, url):
    folder = settled[0]
    other = DatabaseUrl(url.url.set(database="other"))
    with pytest.raises(StateFolderError, match=r"not at postgresql://.*/other"):
        run_day(trades, StatePlace(folder, other), [SHORTAGE])
    meta = msgspec.structs.replace(read_meta(folder), books=None)
    (tmp_path / "meta.json").write_bytes(msgspec.json.encode(meta))
    with pytest.raises(StateFolderError, match="are files, for the life of the folder"):
        run_day(trades, StatePlace(tmp_path, url), [SHORTAGE])

    # Without a word it goes on with its own.
    assert run_day(trades, folder, [SHORTAGE]).was_settled


@only_asked
def test_database_that_cannot_be_used_leaves_the_folder_new(trades, tmp_path, url):
    nowhere = DatabaseUrl(url.url.set(port=1))
    with pytest.raises(StateFolderError, match="cannot be used"):
        run_day(trades, StatePlace(tmp_path / "state", nowhere))

    assert read_meta(tmp_path / "state") is None


def test_sandbox_settles_keeps_no_snapshots_and_stops_when_its_server_has_crashed(
    tmp_path, server, url
):
    options = SandboxOptions(database=url)
    home = SandboxHome(tmp_path, lambda seed: open_sandbox(tmp_path, seed, DAY, options=options))
    terms = {"instrument": "NOVA1", "quantity": "100", "price": "10.50"}
    trade = {"seller": "BRK-A", "buyer": "BRK-B", **terms}
    headers = key_header(seed=DEFAULT_SEED)
    with TestClient(Hosting(home, create_app), headers=headers) as client:
        assert client.post("/v1/trades", json={"number": "T1", **trade}).status_code == 201
        deadline = time.monotonic() + 10
        while client.get("/v1/trades").json()["data"][0]["state"] != "settled":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        refused = client.post("/v1/sandbox/reset", json={})
        with pytest.raises(BackupError, match="back up that database and the folder together"):
            write_backup(client.app.sandbox, tmp_path / "backup")
        log = client.get("/v1/requests").json()["data"]
        server.crash()
        while_away = client.post("/v1/trades", json={"number": "T2", **trade})
        server.start()
        back = client.post("/v1/trades", json={"number": "T2", **trade})
        key = {"Idempotency-Key": "T3"}
        keyed = client.post("/v1/trades", json={"number": "T3", **trade}, headers=key)

    assert refused.status_code == 403
    assert "not files of its folder" in refused.json()["detail"]
    assert {each["path"] for each in log} >= {"/v1/trades", "/v1/sandbox/reset"}
    assert not (tmp_path / "interface" / "interface.sqlite").exists()
    assert while_away.status_code in (503, 507), while_away.text
    for answer in (back, keyed):
        assert answer.status_code == 503
        assert "start Novate again" in answer.json()["detail"]


def test_password_on_the_command_line_is_refused(tmp_path, trades):
    words = ["day", "--trades", str(trades), "--folder", str(tmp_path / "state"), "--database"]
    done = CliRunner().invoke(app, [*words, "postgresql://clerk:secret@127.0.0.1/novate"])

    assert done.exit_code == 2
    assert "sees a password" in done.output
    assert "secret" not in done.output


@only_asked
def test_nodes_as_processes_have_their_books_in_files(settled, monkeypatch, url):
    words = ["up", "--folder", str(settled[0]), "--processes"]
    assert CliRunner().invoke(app, words).exit_code == 2
    monkeypatch.setenv("NOVATE_DATABASE", url.shown)
    assert CliRunner().invoke(app, words).exit_code == 2


@only_asked
def test_meta_keeps_the_url_without_its_password(settled, url):
    kept = msgspec.to_builtins(read_meta(settled[0]).books)

    assert kept["url"] == url.shown
