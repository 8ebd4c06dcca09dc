"""Rows of values, written past the objects of the ORM: one statement for all of them."""

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Insert
from sqlmodel import Session, SQLModel

from ledger.books.tables import table_of


def upsert(session: Session, row: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Inserts rows, or replaces those with the same primary key. All have the same columns."""
    if values:
        connection = session.connection()
        statement = _upsert(connection.dialect.name, row, tuple(values[0]))
        connection.execute(statement, values)


def insert_new(session: Session, row: type[SQLModel], values: dict[str, Any]) -> bool:
    """Inserts a row unless there is one with its primary key; says whether it did."""
    connection = session.connection()
    return connection.execute(_insert(connection.dialect.name, row), values).rowcount > 0


@cache
def _upsert(dialect: str, row: type[SQLModel], names: tuple[str, ...]) -> Insert:
    table = table_of(row)
    statement = _insert_of(dialect)(table)
    keys = {column.name for column in table.primary_key}
    others = {name: getattr(statement.excluded, name) for name in names if name not in keys}
    changed: Insert = statement.on_conflict_do_update(index_elements=sorted(keys), set_=others)
    return changed


@cache
def _insert(dialect: str, row: type[SQLModel]) -> Insert:
    table = table_of(row)
    statement = _insert_of(dialect)(table)
    kept: Insert = statement.on_conflict_do_nothing(index_elements=[*table.primary_key])
    return kept


def _insert_of(dialect: str) -> Any:  # noqa: ANN401 # each dialect has a class of its own for it
    """SQLite and PostgreSQL say ON CONFLICT alike; of the two, what is not used is not imported."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert
