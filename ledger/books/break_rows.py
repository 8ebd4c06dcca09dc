"""The tables of breaks: each as it stands, its history, and what is suspended for one."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class BreakRow(SQLModel, table=True):
    """A difference between two records that should agree, as its history leaves it.

    Never deleted. ``at_risk`` is in minor units of ``currency``; ``key`` names it in addresses.
    """

    __tablename__ = "breaks"
    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    owner: str
    kind: str
    subject: str
    ours: str
    theirs: str
    asset: str
    at_risk: int = Field(sa_type=BigInteger)
    currency: str
    cause: str
    state: str = Field(index=True)
    assignee: str
    resolution: str
    occurrences: int
    first_seen_block: int
    first_seen_at: str
    closed_block: int | None
    closed_at: str | None


class UnsoundAssetRow(SQLModel, table=True):
    """An asset that the clearing house has suspended, since a keeper found its issue undue."""

    __tablename__ = "unsound_assets"
    keeper: str = Field(primary_key=True)
    register_name: str = Field(primary_key=True)
    asset: int = Field(primary_key=True)


class BreakEntryRow(SQLModel, table=True):
    """Something that happened to a break. Only ever added to.

    ``before`` and ``after`` are the versions as JSON, where they are of this.
    """

    __tablename__ = "break_entries"
    sequence: int | None = Field(default=None, primary_key=True)
    break_id: str = Field(index=True)
    act: str
    actor: str
    text: str
    block: int
    at: str
    before: str | None
    after: str | None
