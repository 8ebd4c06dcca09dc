"""The tables of the interface's database."""

from sqlalchemy import Table


def interface_tables() -> list[Table]:
    """Every one of them."""
    return []
