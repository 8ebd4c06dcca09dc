"""One busy market for the tests that only look at it."""

import pytest

from tests.support.pages import busy_market


@pytest.fixture(scope="session")
def market(tmp_path_factory):
    with busy_market(tmp_path_factory.mktemp("busy") / "state") as opened:
        yield opened
