"""Rows of values, written past the objects of the ORM: one statement for all of them."""

from functools import cache
from typing import Any

from sqlalchemy.dialects.sqlite import Insert, insert
from sqlmodel import Session, SQLModel

from ledger.books.tables import table_of


def upsert(session: Session, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Inserts rows, or replaces those with the same primary key. All have the same columns."""
    if values:
        session.connection().execute(_upsert(row, tuple(values[0])), values)


def insert_new(session: Session, row: type[SQLModel], values: dict[str, Any]) -> bool:
    """Inserts a row unless there is one with its primary key; says whether it did."""
    return session.connection().execute(_insert(row), values).rowcount > 0


@cache
def _upsert(row: type[SQLModel], names: tuple[str, ...]) -> Insert:
    table = table_of(row)
    statement = insert(table)
    keys = {column.name for column in table.primary_key}
    others = {name: getattr(statement.excluded, name) for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=sorted(keys), set_=others)


@cache
def _insert(row: type[SQLModel]) -> Insert:
    table = table_of(row)
    return insert(table).on_conflict_do_nothing(index_elements=[*table.primary_key])
