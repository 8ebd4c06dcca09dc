"""Where the nodes' books of a state folder are: in files there, or on a server, for its life."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.books.database import UnfitDatabaseError
from ledger.books.database_url import DatabaseUrl
from ledger.books.postgresql import BooksServer
from ledger.domain.errors import MalformedError
from nodes.folder_meta import BooksPlace, Meta, StateFolderError
from nodes.keys import fresh_seed

IN_ONE_PROCESS: Final = "its nodes are served by one process, without --processes"
_ID_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class StatePlace:
    """A state folder, and the database that the books of a new one are to be in; None: in files."""

    folder: Path
    database: DatabaseUrl | None = None


def books_server(
    path: Path, meta: Meta | None, given: DatabaseUrl | None, *, is_watched: bool = True
) -> tuple[BooksPlace | None, BooksServer | None]:
    """The server with the books of a folder, and what the folder says of it; None: in files.

    Without ``given``, the database that the folder names is connected to as it stands there: the
    password then comes from where libpq looks for one. Raises StateFolderError when the folder was
    begun with another database, or this one cannot be used.
    """
    begun = meta.books if meta else None
    if meta is not None:
        _check_same(path, begun, given)
    if begun is None and given is None:
        return None, None
    url = given or _kept_url(path, begun)
    place = begun or BooksPlace(url.shown, fresh_seed()[:_ID_DIGITS])
    try:
        return place, BooksServer(url, place.id, is_watched=is_watched)
    except UnfitDatabaseError as error:
        raise StateFolderError(f"--database: {error}") from error


def require_files(path: Path, meta: Meta | None, wish: str) -> None:
    """Raises StateFolderError when the books of a folder are on a server: something needs files."""
    if meta and meta.books:
        raise StateFolderError(f"the books of {path} are at {meta.books.url}: {wish}")


def _check_same(path: Path, begun: BooksPlace | None, given: DatabaseUrl | None) -> None:
    if begun is None and given is not None:
        raise StateFolderError(
            f"the books of {path} are files, for the life of the folder: leave --database out,"
            " or name another folder with --folder"
        )
    if begun and given and not _kept_url(path, begun).is_same_database(given):
        raise StateFolderError(
            f"the books of {path} are at {begun.url}, not at {given.shown}: give the same"
            " --database, or name another folder with --folder"
        )


def _kept_url(path: Path, begun: BooksPlace | None) -> DatabaseUrl:
    assert begun is not None
    try:
        return DatabaseUrl.parse(begun.url)
    except MalformedError as error:
        raise StateFolderError(f"{path / 'meta.json'}: {error}") from error
