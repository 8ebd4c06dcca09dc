"""PostgreSQL for tests: a private server where its programs are, and schemas instead of files.

``python -m tests.support.postgres`` runs the tests of books, nodes and days on one.
"""

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from ledger.books import database
from ledger.books.database_url import DatabaseUrl
from ledger.books.postgresql import BooksServer

TESTS = [
    "tests/ledger/books",
    "tests/nodes/market_day",
    "tests/nodes/sandbox",
    "tests/nodes/statements",
    *sorted(str(each) for each in Path("tests/nodes").glob("test_*.py")),
]
VARIABLE = "NOVATE_TEST_DATABASE"
GROUP = "NOVATE_TEST_SCHEMAS"
START_SECONDS_MAX = 20


def programs():
    """The folder with PostgreSQL's programs; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


needs_postgres = pytest.mark.skipif(
    programs() is None, reason="PostgreSQL is not installed: its books are not tested"
)
only_asked = pytest.mark.skipif(
    os.environ.get(VARIABLE) is None, reason="takes longer: make test-postgres runs it"
)
only_files = pytest.mark.skipif(
    os.environ.get(VARIABLE) is not None,
    reason="is about books in files, and they are in schemas now",
)


def are_files():
    """Whether books of state folders are files, as what looks at them from outside expects."""
    return VARIABLE not in os.environ


class PrivateServer:
    """A PostgreSQL server of its own, on a free port of 127.0.0.1, gone when it is left."""

    def __enter__(self):
        self._programs = programs()
        # Its own folder: those of pytest are closed to the user that it has to run as.
        self._folder = Path(tempfile.mkdtemp(prefix="novate-postgres-"))
        # It refuses to run as root.
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            user = pwd.getpwnam(self._user)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        made = [self._programs / "initdb", "-D", self._folder / "data", "-U", "novate"]
        made += ["-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(made, user=self._user, cwd="/", check=True, capture_output=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"postgresql://novate@127.0.0.1:{self._port}/postgres"
        self.start()
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            # Its data go with it: there is nothing to finish.
            self.crash()
        shutil.rmtree(self._folder)

    def start(self):
        """Starts it, again maybe, and waits until it answers."""
        options = ["-p", str(self._port), "-h", "127.0.0.1", "-k", self._folder]
        # Killed it may be, but no machine loses its power in a test.
        options += ["-c", "fsync=off", "-c", "logging_collector=off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *options],
                user=self._user,
                cwd="/",
                stdout=log,
                stderr=log,
            )
        engine = create_engine(DatabaseUrl.parse(self.url).url)
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                engine.connect().close()
                break
            except OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline, "PostgreSQL did not start"
                time.sleep(0.02)
        engine.dispose()

    def crash(self):
        """Ends it as a crash would: nothing is finished, the log is replayed at the next start."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(START_SECONDS_MAX)


class SchemasForFiles:
    """What opens a schema of a server wherever the product opens a file of books, or memory."""

    def __init__(self, url, group, *, is_watched):
        self._server = BooksServer(DatabaseUrl.parse(url), group, is_watched=is_watched)
        self._numbers = count()

    def __call__(self, path, of):
        """The database that stands for a file; every time the same for the same path."""
        if path is None:
            return self._server.schema(f"m{next(self._numbers)}", None).open(of)
        name = hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:16]
        return self._server.schema(name, Path(path).parent).open(of)

    def drop(self):
        """Drops every schema that was opened."""
        self._server.drop()

    def close(self):
        """Lets the server go."""
        self._server.drop()
        self._server.close()


def schemas_under_test():
    """Has all books of this process opened on the server that the environment names, if any."""
    url = os.environ.get(VARIABLE)
    if url is None:
        return None
    os.environ[GROUP] = f"test{os.getpid()}"
    schemas = database._opened_file = SchemasForFiles(url, os.environ[GROUP], is_watched=True)
    return schemas


def share_schemas():
    """Has a process that a test has started open the books that the test opens."""
    if VARIABLE in os.environ:
        schemas = SchemasForFiles(os.environ[VARIABLE], os.environ[GROUP], is_watched=False)
        database._opened_file = schemas


def main():
    """Runs the tests on the server that the environment names, or on one of its own."""
    if VARIABLE in os.environ:
        return _run(os.environ[VARIABLE])
    if programs() is None:
        print(f"skipped: PostgreSQL is not installed, and {VARIABLE} names no database")
        return 0
    with PrivateServer() as server:
        return _run(server.url)


def _run(url):
    tests = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *TESTS]
    return subprocess.run(tests, env=os.environ | {VARIABLE: url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
