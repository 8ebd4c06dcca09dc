"""Profiles for property tests, the executor that the suite's chains run on, and where books are.

``HYPOTHESIS_PROFILE=deep`` looks longer. ``NOVATE_TEST_EXECUTOR=both`` runs every block and call of
the suite on revm and on py-evm, and fails where they differ; ``py-evm`` runs them on that alone.
``NOVATE_TEST_DATABASE`` is a PostgreSQL database to have all books in, in schemas that are dropped.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from ledger.chain import executors
from nodes.api_keys import OPERATOR, seeded_secret
from tests.support.clients import SEED
from tests.support.memory_folder import use_memory_folder
from tests.support.postgres import schemas_under_test

use_memory_folder()

settings.register_profile(
    "ci",
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep", parent=settings.get_profile("ci"), max_examples=5_000, derandomize=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_STAND_INS = {
    "revm": executors._CLASS_BY_NAME["revm"],
    "py-evm": executors._CLASS_BY_NAME["py-evm"],
    "both": ("tests.support.differential", "DifferentialExecutor"),
}


_SCHEMAS = pytest.StashKey()


def pytest_configure(config):
    """Lets another executor stand in for the default one, and schemas for files."""
    stand_in = _STAND_INS[os.environ.get("NOVATE_TEST_EXECUTOR", "revm")]
    executors._CLASS_BY_NAME[executors.DEFAULT_EXECUTOR] = stand_in
    config.stash[_SCHEMAS] = schemas_under_test()


def pytest_unconfigure(config):
    """Leaves nothing on a server of books."""
    schemas = config.stash.get(_SCHEMAS, None)
    if schemas:
        schemas.close()


@pytest.fixture(autouse=True, scope="module")
def _dropped_schemas(pytestconfig):
    """The books of one file of tests do not stay for the next."""
    yield
    schemas = pytestconfig.stash[_SCHEMAS]
    if schemas:
        schemas.drop()


@pytest.fixture(autouse=True)
def _operator_key(monkeypatch):
    """Commands speak with the key of the operator of the sandboxes that tests open."""
    monkeypatch.setenv("NOVATE_API_KEY", seeded_secret(SEED, OPERATOR.name))
