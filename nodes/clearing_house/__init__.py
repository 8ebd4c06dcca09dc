"""The clearing house: takes captured trades in, nets them in cycles, and settles."""

from nodes.clearing_house.node import ClearingHouse

__all__ = ["ClearingHouse"]
