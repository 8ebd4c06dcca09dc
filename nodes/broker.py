"""A broker: trades for its house and its clients, and settles what it traded."""

from nodes.trader import Trader


class Broker(Trader):
    """A trader that keeps nobody else's accounts."""
