"""Where the interface keeps what it has to remember: beside the nodes' books, never among them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ledger.books.database import Database, open_database
from ledger.books.interface.answers import AnswerBook
from ledger.books.interface.group_commit import GroupCommit
from ledger.books.interface.requests import RequestBook
from ledger.books.interface.tables import interface_tables
from ledger.books.postgresql import BooksServer

INTERFACE_FOLDER: Final = "interface"


class InterfaceBooks:
    """The interface's database: in a state folder, or in a folder that goes with the process.

    Or on the server that has the nodes' books.
    """

    def __init__(self, state: Path | None, server: BooksServer | None = None) -> None:
        self._temporary = TemporaryDirectory(prefix="novate-") if state is None else None
        parent = Path(self._temporary.name) if self._temporary else state
        assert parent is not None
        self.folder = parent / INTERFACE_FOLDER
        self.folder.mkdir(mode=0o700, exist_ok=True)
        # With a dot, as no participant's name has one.
        at = server.schema(".interface", None) if server else self.folder / "interface.sqlite"
        self.database: Database = open_database(at, interface_tables())
        self.writer = GroupCommit(self.database)
        self.answers = AnswerBook(self.writer)
        self.requests = RequestBook(self.database, self.writer)

    def let_go(self) -> None:
        """Before anything was written: releases the file until it is needed."""
        self.database.close()

    def close(self) -> None:
        """Releases the file; what was temporary is gone."""
        self.writer.close()
        self.database.close()
        if self._temporary:
            self._temporary.cleanup()
