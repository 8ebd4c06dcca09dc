"""The OpenAPI description: what FastAPI finds, and what holds of every operation.

Who may call it and with which key, the problems that it answers under their own media type, the
headers that the middleware reads, the words in Chinese, and the examples of what holds models.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import PROBLEM_JSON, problems
from api.operation_words import CHINESE_OF_OPERATIONS
from api.policies import CALLERS, Caller
from api.said import CHINESE

Described = dict[str, Any]
"""A part of the description, as JSON has it."""

_JSON: Final = "application/json"
_SCHEMAS: Final = "#/components/schemas/"
_KEYS: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key; see docs/access.md."},
    "key_in_header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "The same key, where Authorization is taken.",
    },
}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is done once, and answered the same again.",
    CHINESE: "同一请求以同一键重复发送只执行一次，并返回相同应答。",
    "schema": {
        "type": "string",
        "pattern": "^[!-~]{1,255}$",
        "examples": ["4f6f4c0a-6f0e-4f3e-9b7e-2f6a8d1c5b10"],
    },
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the answer one has: if it is still so, 304 without a body.",
    CHINESE: "已有应答的 ETag：若无变化则返回 304，不含正文。",
    "schema": {
        "type": "string",
        "examples": ['"9f86d081884c7d659a2feaa0c55ad015"'],
    },
}
_UNCHANGED: Final = {"description": "It is as it was: the same ETag."}


def description_of(app: FastAPI) -> Described:
    """The description of everything that an application serves."""
    described = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    for name, operation in _operations(described):
        _say_who_may_call(name, operation)
        _say_in_chinese(operation)
        _say_headers(name, operation)
        _name_media_type_of_problems(operation)
    components = described.setdefault("components", {})
    components["securitySchemes"] = deepcopy(_KEYS)
    _make_examples(components["schemas"])
    return described


def _operations(described: Described) -> Iterator[tuple[str, Described]]:
    """Every operation, under its method and path."""
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def _say_who_may_call(name: str, operation: Described) -> None:
    caller = CALLERS.get(name)
    is_open = caller is Caller.ANYBODY
    operation["x-callers"] = caller.value if caller else None
    operation["security"] = [] if is_open else [{each: []} for each in _KEYS]
    _also_answers(operation, *((429,) if is_open else (401, 403, 429)))


def _say_in_chinese(operation: Described) -> None:
    words = CHINESE_OF_OPERATIONS.get(operation["operationId"])
    if words is not None:
        operation["x-summary-zh"], operation[CHINESE] = words
    for parameter in operation.get("parameters", ()):
        if CHINESE in parameter["schema"]:
            parameter[CHINESE] = parameter["schema"].pop(CHINESE)


def _say_headers(name: str, operation: Described) -> None:
    """What middleware reads, of writes and of reads under /v1."""
    method, _, path = name.partition(" ")
    parameters = operation.setdefault("parameters", [])
    if path.startswith("/v1/") and method != "GET":
        parameters.append(deepcopy(_IDEMPOTENCY_KEY))
        _also_answers(operation, 409, 422, 507)
    is_known = any(each["name"].lower() == "if-none-match" for each in parameters)
    if path.startswith("/v1") and method == "GET" and not is_known and _answers_json(operation):
        parameters.append(deepcopy(_IF_NONE_MATCH))
        operation["responses"].setdefault("304", dict(_UNCHANGED))
    if not parameters:
        del operation["parameters"]


def _answers_json(operation: Described) -> bool:
    return _JSON in operation["responses"].get("200", {}).get("content", {})


def _also_answers(operation: Described, *statuses: int) -> None:
    for status, problem in problems(*statuses).items():
        content = {PROBLEM_JSON: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
        answer = {"description": problem["description"], "content": content}
        operation["responses"].setdefault(str(status), answer)


def _name_media_type_of_problems(operation: Described) -> None:
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        for form in [*content.values()]:
            if _is_problem(form.get("schema", {})):
                content.clear()
                content[PROBLEM_JSON] = form


def _is_problem(schema: Mapping[str, Any]) -> bool:
    choices = schema.get("anyOf", [schema])
    return all(each.get("$ref", "").endswith("Problem") for each in choices)


def _make_examples(schemas: Described) -> None:
    """Gives what holds models the examples that its fields' examples make."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if field.get("examples") in (None, [[]]):
                field["examples"] = [_example_of(field, schemas)]


def _example_of(schema: Mapping[str, Any], schemas: Described) -> Any:  # noqa: ANN401 # any JSON
    """An example of a schema: its own, or one made of those of its parts."""
    if schema.get("examples") not in (None, [[]]):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "$ref" in schema:
        return _example_of(schemas[schema["$ref"].removeprefix(_SCHEMAS)], schemas)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _example_of(schema[choice][0], schemas)
    if schema.get("type") == "array":
        return [_example_of(schema["items"], schemas)]
    fields = schema.get("properties", {})
    return {name: _example_of(field, schemas) for name, field in fields.items()}
