"""Metrics that are read off something when they are asked for, made in one line each."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Values: TypeAlias = Mapping[str, float] | Mapping[tuple[str, ...], float]
"""By the value of the label, or of each label in order."""


def gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    """Something that goes up and down."""
    return GaugeMetricFamily(name, words, value=value)


def counter(name: str, words: str, value: float) -> CounterMetricFamily:
    """Something that only rises; its sample is called NAME_total."""
    return CounterMetricFamily(name, words, value=value)


def gauges(name: str, words: str, labels: Sequence[str], values: Values) -> GaugeMetricFamily:
    """Several that go up and down."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for key, value in values.items():
        family.add_metric(_labels(key), value)
    return family


def counters(name: str, words: str, labels: Sequence[str], values: Values) -> CounterMetricFamily:
    """Several that only rise."""
    family = CounterMetricFamily(name, words, labels=labels)
    for key, value in values.items():
        family.add_metric(_labels(key), value)
    return family


def _labels(key: str | tuple[str, ...]) -> Sequence[str]:
    return (key,) if isinstance(key, str) else key
