"""Which assets are suspended since their keepers found issues in them that nobody has made."""

from collections.abc import Iterable, Mapping

from sqlmodel import col, delete, select

from ledger.books.break_rows import UnsoundAssetRow
from ledger.books.database import Database
from ledger.books.postings import Register

Said = Mapping[tuple[str, Register], frozenset[int]]
"""Numbers of assets, by the keeper who said so and its register."""


class UnsoundAssets:
    """What keepers have said last, on disk and in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        said: dict[tuple[str, Register], frozenset[int]] = {}
        with database.reading() as session:
            for row in session.exec(select(UnsoundAssetRow)):
                place = (row.keeper, Register(row.register_name))
                said[place] = said.get(place, frozenset()) | {row.asset}
        self._said = said

    def said(self) -> Said:
        """What is suspended."""
        return self._said

    def take(self, keeper: str, register: Register, assets: Iterable[int]) -> bool:
        """Keeps what a keeper says now, instead of what it said before; whether it is other."""
        found = frozenset(assets)
        place = (keeper, register)
        if found == self._said.get(place, frozenset()):
            return False
        with self._database.transaction() as session:
            session.exec(
                delete(UnsoundAssetRow).where(
                    col(UnsoundAssetRow.keeper) == keeper,
                    col(UnsoundAssetRow.register_name) == register.value,
                )
            )
            for asset in sorted(found):
                session.add(
                    UnsoundAssetRow(keeper=keeper, register_name=register.value, asset=asset)
                )
            session.on_commit(lambda: self._said.update({place: found}))
        return True
