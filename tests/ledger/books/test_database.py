"""What a commit waits for."""

from ledger.books.database import open_database
from tests.support.postgres import only_files

NORMAL, FULL = 1, 2


@only_files
def test_only_what_the_chain_can_tell_again_does_not_wait_for_the_disk(tmp_path):
    database = open_database(tmp_path / "books.sqlite")
    levels = []
    for is_from_chain in (False, True, True, False):
        with database.transaction(is_from_chain=is_from_chain) as session:
            level = session.connection().exec_driver_sql("PRAGMA synchronous").scalar()
            levels.append(level)

    assert levels == [FULL, NORMAL, NORMAL, FULL]
    database.close()
