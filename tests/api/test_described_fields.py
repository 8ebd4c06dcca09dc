"""The description of the interface says of everything what it is, in two languages, by example."""

import re
from datetime import date

import jsonschema_rs
import pytest

from api.app import create_app
from api.operation_words import CHINESE_OF_OPERATIONS
from nodes.sandbox.sandbox import open_sandbox

CHINESE = re.compile(r"[\u4e00-\u9fff]")
JSON_RPC = "rpc.call"
"""Its methods are described by the Ethereum JSON-RPC specification, not here."""


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    sandbox = open_sandbox(tmp_path_factory.mktemp("state"), "test", date(2026, 2, 10))
    return create_app(sandbox).openapi()


def operations_of(described):
    """Every operation by its method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }


def fields_of(described):
    """Every field of every model that goes over the wire, by its name."""
    return {
        f"{model}.{name}": field
        for model, schema in described["components"]["schemas"].items()
        for name, field in schema.get("properties", {}).items()
    }


def parameters_of(described):
    """Every parameter, by its operation and name."""
    return {
        f"{label} {parameter['name']}": parameter
        for label, operation in operations_of(described).items()
        for parameter in operation.get("parameters", ())
    }


def lacks_words(name, part, kind="description"):
    """Whether something is not said in English and Chinese, or says its name only."""
    english, chinese = part.get(kind, ""), part.get(f"x-{kind}-zh", "")
    bare_name = re.split(r"[. ]", name)[-1].replace("_", " ").casefold()
    is_name = english.strip(" .").casefold() == bare_name
    return not english or is_name or not CHINESE.search(chinese)


def schema_with_parts(described, schema):
    """A schema that finds what it refers to."""
    return {**schema, "components": described["components"]}


def faults_of_examples(described, name, schema, examples):
    validator = jsonschema_rs.Draft202012Validator(schema_with_parts(described, schema))
    faults = [error.message for example in examples for error in validator.iter_errors(example)]
    return [f"{name}: {fault}" for fault in faults or ([] if examples else ["no example"])]


def references_in(part):
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == "$ref")
        for value in part.values():
            yield from references_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from references_in(value)


def test_every_field_is_said_in_english_and_chinese(described):
    fields = fields_of(described)
    assert len(fields) > 400
    assert not [name for name, field in fields.items() if lacks_words(name, field)]


def test_every_example_of_a_field_is_valid(described):
    faults = [
        fault
        for name, field in fields_of(described).items()
        for fault in faults_of_examples(described, name, field, field.get("examples", []))
    ]
    assert not faults


def test_every_parameter_is_said_in_english_and_chinese(described):
    parameters = parameters_of(described)
    assert len(parameters) > 100
    assert not [name for name, part in parameters.items() if lacks_words(name, part)]


def test_every_example_of_a_parameter_is_valid(described):
    faults = [
        fault
        for name, parameter in parameters_of(described).items()
        for fault in faults_of_examples(
            described, name, parameter["schema"], parameter["schema"].get("examples", [])
        )
    ]
    assert not faults


def test_every_operation_is_said_in_english_and_chinese(described):
    operations = operations_of(described)
    assert len(operations) > 60
    lacking = [
        name
        for name, operation in operations.items()
        if lacks_words(name, operation) or lacks_words(name, operation, "summary")
    ]
    assert not lacking


def test_every_operation_has_an_id_of_its_own_that_says_resource_and_act(described):
    ids = [operation["operationId"] for operation in operations_of(described).values()]
    assert len(set(ids)) == len(ids)
    assert not [each for each in ids if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", each)]


def test_ids_of_operations_do_not_change(described):
    """Clients are generated from them: a new one may come in, none may go or be renamed."""
    ids = {operation["operationId"] for operation in operations_of(described).values()}
    assert ids == set(CHINESE_OF_OPERATIONS)


def test_what_needs_a_key_says_so_with_every_way_to_be_refused(described):
    for name, operation in operations_of(described).items():
        if operation["x-callers"] == "anybody":
            assert operation["security"] == [], name
            continue
        assert operation["security"] == [{"key": []}, {"key_in_header": []}], name
        for status in ("401", "403", "429"):
            assert "application/problem+json" in operation["responses"][status]["content"], name


def test_every_refusal_is_a_problem(described):
    for name, operation in operations_of(described).items():
        if operation["operationId"] in (JSON_RPC, "health.ready"):
            continue
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], f"{name} {status}"


def test_every_reference_leads_somewhere(described):
    for reference in references_in(described):
        part = described
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
        assert part


def test_every_choice_by_kind_names_the_models_of_its_kinds(described):
    schemas = described["components"]["schemas"]
    choices = [*fields_of(described).values()]
    for operation in operations_of(described).values():
        content = operation.get("requestBody", {}).get("content", {})
        choices += [each["schema"] for each in content.values() if "schema" in each]
    found = [each for each in choices if "discriminator" in each]
    assert len(found) >= 5
    for choice in found:
        name, mapping = choice["discriminator"]["propertyName"], choice["discriminator"]["mapping"]
        assert {each["$ref"] for each in choice["oneOf"]} == set(mapping.values())
        for value, reference in mapping.items():
            model = schemas[reference.rpartition("/")[2]]
            assert model["properties"][name]["const"] == value
            assert name in model["required"]


def test_the_document_is_openapi_3_1(described):
    assert described["openapi"].startswith("3.1")
    for name, schema in described["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(schema), name
