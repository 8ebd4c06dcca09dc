"""Requests that were refused since they came too often."""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.access.access import Access
from api.metrics.families import counters


class AccessMetrics(Collector):
    """Reads what the rate limits have refused."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        refused = {"key": self._access.by_key.refused, "address": self._access.by_address.refused}
        words = "Requests refused with 429, by whose rate was used up, since the start."
        yield counters("novate_rate_limited_requests", words, ["by"], refused)
