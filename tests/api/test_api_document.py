"""The API document: every field and parameter is described, every body has an example, and names are our own."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from api.app import create_app
from practice.security.installation import Installation


@pytest.fixture(scope="module")
def spec(installation: Installation) -> dict[str, Any]:
    return create_app(installation).openapi()


def list_operations(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in spec["paths"].values():
        yield from methods.values()


def resolve(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def test_every_parameter_has_a_description(spec: dict[str, Any]) -> None:
    missing = [
        f"{operation['operationId']} {parameter['name']}"
        for operation in list_operations(spec)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert missing == []


def test_every_field_has_a_description(spec: dict[str, Any]) -> None:
    missing = [
        f"{name}.{field}"
        for name, schema in spec["components"]["schemas"].items()
        for field, definition in schema.get("properties", {}).items()
        if not definition.get("description")
    ]
    assert missing == []


def test_every_request_body_has_an_example_that_fits_its_schema(spec: dict[str, Any]) -> None:
    for operation in list_operations(spec):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = resolve(content["schema"], spec)
            fields = schema["properties"].items()
            examples = schema.get("examples") or [{name: field["examples"][0] for name, field in fields}]
            validator = jsonschema_rs.validator_for(schema | {"components": spec["components"]})
            problems = [error.message for example in examples for error in validator.iter_errors(example)]
            assert problems == [], operation["operationId"]


def test_descriptions_are_sentences_of_one_line(spec: dict[str, Any]) -> None:
    descriptions = {
        definition.get("description", "")
        for schema in spec["components"]["schemas"].values()
        for definition in schema.get("properties", {}).values()
    }
    assert [text for text in descriptions if "\n" in text or len(text) > 200] == []


def test_schema_names_have_no_module_prefix(spec: dict[str, Any]) -> None:
    assert [name for name in spec["components"]["schemas"] if "__" in name] == []


def test_services_are_named_by_their_code_and_never_by_an_id(spec: dict[str, Any]) -> None:
    fields = [
        f"{name}.{field}"
        for name, schema in spec["components"]["schemas"].items()
        for field in schema.get("properties", {})
        if field in ("service_id", "service_ids")
    ]
    parameters = [
        operation["operationId"]
        for operation in list_operations(spec)
        for parameter in operation.get("parameters", ())
        if parameter["name"] in ("service_id", "service_ids")
    ]
    assert (fields, parameters) == ([], [])


def test_lists_are_filtered_by_dates_where_days_are_meant(spec: dict[str, Any]) -> None:
    formats = {
        (operation["operationId"], parameter["name"]): {
            part.get("format") for part in parameter["schema"].get("anyOf", [parameter["schema"]])
        }
        - {None}
        for operation in list_operations(spec)
        for parameter in operation.get("parameters", ())
        if parameter["name"] in ("from", "to")
    }
    assert {name for operation, name in formats if operation == "list_appointments"} == {"from", "to"}
    assert {key: kinds for key, kinds in formats.items() if kinds != {"date"}} == {}
