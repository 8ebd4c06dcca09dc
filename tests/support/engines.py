"""The engine that tests run on: the embedded one, or the one behind NOVATE_TEST_ENGINE."""

import os

import pytest

from nodes.engine import Engine
from nodes.external_engine import ExternalEngine

URL_NAME = "NOVATE_TEST_ENGINE"
embedded_only = pytest.mark.skipif(
    URL_NAME in os.environ, reason="the test moves the clock of the embedded chain"
)


def engine_under_test() -> Engine | None:
    """The engine to run on; None for the embedded one."""
    url = os.environ.get(URL_NAME)
    return ExternalEngine(url) if url else None
