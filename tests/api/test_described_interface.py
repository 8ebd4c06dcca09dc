"""The interface keeps to its own description, whatever is sent: schemathesis looks for where not.

``HYPOTHESIS_PROFILE=deep`` looks longer.
"""

import os
from datetime import date

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.core.failures import Failure, FailureGroup

from nodes.sandbox.sandbox import open_sandbox
from tests.support.servers import served

EXAMPLES = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 4
NEVER_ENDING = ["/v1/events/stream"]


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", date(2026, 2, 10))
    with served(sandbox) as server:
        whole = schemathesis.openapi.from_url(f"http://{server.place}/openapi.json")
        yield whole.exclude(path=NEVER_ENDING)


def faults_of(operation) -> list[str]:
    """How the answers of one operation differ from what is said of it."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def look(case):
        case.call_and_validate(excluded_checks=[checks.unsupported_method])

    try:
        look()
    except (FailureGroup, Failure) as error:
        return [f"{operation.label}: {each}" for each in getattr(error, "exceptions", [error])]
    return []


def test_every_answer_is_as_described(described):
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 40
    faults = [fault for operation in operations for fault in faults_of(operation)]
    assert not faults, "\n\n".join(faults)
