"""The tables of two-sided entry: sides as they were entered, and what took the place of what."""

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class EnteredSideRow(SQLModel, table=True):
    """One side of an instruction, as its participant has entered it under a reference of its own.

    ``label`` is that of the instruction it was matched into, and empty before.
    """

    __tablename__ = "entered_sides"
    participant: str = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    place: int = Field(unique=True)
    payload: bytes = Field(sa_type=LargeBinary)
    state: str = Field(index=True)
    label: str = Field(default="", index=True)
    has_asked_out: bool = False


class AmendmentRow(SQLModel, table=True):
    """What takes the place of an instruction (without an owner), or of a participant's side."""

    __tablename__ = "amendments"
    owner: str = Field(primary_key=True)
    old: str = Field(primary_key=True)
    new: str
