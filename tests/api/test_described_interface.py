"""The interface keeps to its own description, whatever is sent: schemathesis looks for where not.

Half of what it makes up is about what there is: path and body then have the examples of the
description, and those are of the market that is opened here. ``HYPOTHESIS_PROFILE=deep`` looks
longer.
"""

from copy import deepcopy
from datetime import date
from itertools import count

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import Failure, FailureGroup

from api.access.access import RateOptions
from ledger.domain.errors import MalformedError
from nodes.sandbox.sandbox import open_sandbox
from nodes.webhooks.addresses import AddressRules
from tests.support.clients import client_of, key_header
from tests.support.looking import IS_DEEP
from tests.support.servers import served

EXAMPLES = 100 if IS_DEEP else 2
NEVER_ENDING = "events.stream"
JSON_RPC = "rpc.call"
"""Its path is asked with other methods, and answers a WebSocket's GET in its own way."""
PRICED = "price times quantity may be below a cent, an ISIN has a check digit, accounts may be one"
OF_A_TRADE_ID = "the date and the check digit of the ISIN in a trade id may be wrong"
BY_MEANING = {
    "trades.create": PRICED,
    "trades.create_batch": PRICED,
    "trades.list": "an ISIN has a check digit",
    "trades.read": OF_A_TRADE_ID,
    "trades.proof": OF_A_TRADE_ID,
    "trades.signatures": OF_A_TRADE_ID,
    "instructions.create": PRICED,
    "instructions.create_batch": "a batch may name a label twice, and is JSON of a bounded depth",
    "instructions.list": "an ISIN has a check digit",
    "instructions.replace": PRICED,
    "dry_run.instructions": "labels must be others, and one of two lists must have something",
    "sides.create": PRICED,
    "sides.amend": PRICED,
    "sandbox.fund": "an amount of zero has many forms; not everybody has an account",
    "reservations.create": "an amount of zero has many forms; not everybody has an account",
    "limits.put": "the counterparty must be another account",
    "limits.delete": "the counterparty must be another account",
    "participants.suspend": "not everybody trades",
    "participants.reinstate": "not everybody trades",
    "sides.list": "not everybody trades",
    "sides.withdraw": "not everybody trades",
    "allegements.list": "not everybody trades",
    "stubs.put": "not everybody trades",
    "stubs.delete": "not everybody trades",
    "statements.read": "a date or blocks, not both; of blocks the first comes first",
    "statements.compare": "a CSV file has a form of its own",
    "clock.set": "one move at a time, and never back",
    "sandbox.faults.inject": "milliseconds belong to slow alone",
    "scenarios.run": "a scenario file has a form of its own",
    "events.list": "a sequence must have been reached",
    "webhook_endpoints.create": "the host of a URL must have a public address",
    "webhook_endpoints.resend": "one event, or a range; never both",
    "keys.create": "not everybody may have a key",
}
"""Where what is valid by every schema may be refused for what it means, and why."""


class NoNameService(AddressRules):
    """Webhooks go to this machine only; no name is looked up elsewhere."""

    def check_host(self, url: str) -> None:
        """Raises MalformedError for every other host."""
        if self.check_url(url).hostname != "127.0.0.1":
            raise MalformedError("127.0.0.1", url)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", date(2026, 2, 10))
    rates = RateOptions(rate=1_000_000)
    with served(sandbox, rates=rates, webhook_rules=NoNameService(to_loopback=True)) as server:
        enter_examples(client_of(server.app))
        place, whole = f"http://{server.place}", server.app.openapi()
        yield {
            GenerationMode.POSITIVE: loaded(whole, place),
            GenerationMode.NEGATIVE: loaded(without_keys(whole), place),
        }


def loaded(document, place):
    """What schemathesis knows of a description."""
    schema = schemathesis.openapi.from_dict(deepcopy(document))
    schema.config.update(base_url=place)
    return schema.exclude(operation_id=NEVER_ENDING)


def without_keys(document):
    """The same, so that what is wrong with a request is never its key, which is put in here."""
    bare = deepcopy(document)
    del bare["components"]["securitySchemes"]
    for operations in bare["paths"].values():
        for operation in operations.values():
            del operation["security"]
    return bare


def enter_examples(client):
    """Makes true what the examples of the description are about."""
    terms = {"quantity": "100", "amount": "1050.00"}
    sold = {"seller": "BRK-A", "buyer": "BRK-B", "instrument": "NOVA1", "quantity": "100"}
    side = {
        "reference": "S1",
        "kind": "dvp",
        "side": "seller",
        "account": "BRK-A",
        "counterparty": "BRK-B",
        "instrument": "NOVA1",
        "settlement_date": "2026-02-10",
    }
    for path, body in (
        ("trades", {"number": "T1001", "price": "10.50", **sold}),
        ("cycles", None),
        ("instructions", {"kind": "dvp", "label": "DVP-1", "amount": "1050.00", **sold}),
        ("sides", side | terms),
    ):
        answer = client.post(f"/v1/{path}", json=body)
        assert answer.is_success, answer.text


def models_in(described, schema):
    """The models that a body may be, by the description."""
    for each in (schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if "$ref" in each and "properties" not in each["$ref"]:
            yield described["components"]["schemas"][each["$ref"].rpartition("/")[2]]


def about_what_there_is(case, places):
    """A case with examples in its path, and at some places of its body."""
    raw = case.operation.definition.raw
    for parameter in raw.get("parameters", ()):
        if parameter["in"] == "path":
            case.path_parameters[parameter["name"]] = parameter["schema"]["examples"][0]
    if not isinstance(case.body, dict) or case.media_type != "application/json":
        return
    schema = raw["requestBody"]["content"]["application/json"]["schema"]
    for model in models_in(case.operation.schema.raw_schema, schema):
        fields = model["properties"]
        if set(case.body) <= set(fields) and case.body.get("kind") in (
            None,
            fields.get("kind", {}).get("const"),
        ):
            for place, name in enumerate(case.body):
                if places >> place & 1:
                    case.body[name] = fields[name]["examples"][0]


def faults_of(operation, mode) -> list[str]:
    """How the answers of one operation differ from what is said of it."""
    name = operation.definition.raw["operationId"]
    excluded = [checks.unsupported_method] if name == JSON_RPC else []
    if name in BY_MEANING:
        excluded.append(checks.positive_data_acceptance)

    numbers = count()

    @given(case=operation.as_strategy(generation_mode=mode), places=st.integers(0, 2**16 - 1))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def look(case, places):
        if mode is GenerationMode.POSITIVE and places:
            about_what_there_is(case, places)
        if mode is GenerationMode.POSITIVE and "Idempotency-Key" in case.headers:
            # The same key for another request is refused, which no schema can say.
            case.headers["Idempotency-Key"] = f"{name}-{next(numbers)}"
        response = case.call(headers=key_header())
        assert response.status_code != 429
        case.validate_response(response, excluded_checks=excluded, headers=key_header())

    try:
        look()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, f"{operation.label}: nothing valid to send"
    except (FailureGroup, Failure) as error:
        return [f"{operation.label}: {each}" for each in getattr(error, "exceptions", [error])]
    return []


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_described(described, mode):
    operations = [found.ok() for found in described[mode].get_all_operations()]
    assert len(operations) > 60
    faults = [fault for operation in operations for fault in faults_of(operation, mode)]
    assert not faults, "\n\n".join(faults)


def test_what_may_be_refused_for_its_meaning_is_named_by_operations_there_are(described):
    operations = described[GenerationMode.POSITIVE].get_all_operations()
    ids = {found.ok().definition.raw["operationId"] for found in operations}
    assert set(BY_MEANING) < ids
