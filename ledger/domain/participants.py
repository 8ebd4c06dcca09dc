"""Participants: the institutions of the consortium, each in one role."""

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What an institution does. The order is that of the contracts' flag."""

    EXCHANGE = "exchange"
    BROKER = "broker"
    BANK = "bank"
    CLEARING_HOUSE = "clearing_house"
    REGISTRAR = "registrar"
    REGULATOR = "regulator"


@dataclass(frozen=True, slots=True)
class Participant:
    """One institution. ``settlement_bank`` keeps its cash; None when it holds none."""

    id: str
    role: Role
    settlement_bank: str | None = None
    name: str = ""


class Unit(Enum):
    """What an instrument is counted in."""

    SHARE = "share"
    NOMINAL = "nominal"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A security that is traded here. ``symbol`` is what its venue calls it.

    Attributes:
        minimum_lot: the smallest part of an instruction that may settle, in units.
        settlement_unit: what every such part is a multiple of.
    """

    isin: str
    symbol: str
    currency: str
    name: str = ""
    unit: Unit = Unit.SHARE
    minimum_lot: int = 1
    settlement_unit: int = 1
