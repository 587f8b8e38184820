"""Problems of a request's fields, in our own words: every kind of error that the input models can report."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from practice.errors import FieldProblem

RULE = "rule"  # the kind of our own validators' errors, whose message is for the caller
PARTS = {"body", "query", "path", "header"}
MAX_PROBLEMS = 50  # described in one response
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")

GENERAL = "Invalid value. The API document says what this field takes."
TEXT = "Expected text."
WHOLE_NUMBER = "Expected a whole number."
NUMBER = "Expected a number."
DATE = "Expected a date like 2026-03-18."
INSTANT = "Expected an instant with its offset, like 2026-03-18T15:30:00Z."
FILE = "Expected a file, as a part of a multipart form."
OBJECT = "Expected a JSON object with the header `Content-Type: application/json`."
MESSAGES = {
    "missing": "Missing. Send this field.",
    "extra_forbidden": "Unknown field. Leave it out.",
    "json_invalid": "Invalid JSON. Check its syntax.",
    "string_type": TEXT,
    "string_unicode": "Unreadable characters. Send text in UTF-8.",
    "string_too_short": "Too short: enter {min_length} or more characters.",
    "string_too_long": "Too long: enter at most {max_length} characters.",
    "string_pattern_mismatch": "Wrong format. The API document has its pattern.",
    "too_short": "Too few items: send {min_length} or more.",
    "too_long": "Too many items: send at most {max_length}.",
    "greater_than": "Out of range: choose more than {gt}.",
    "greater_than_equal": "Out of range: choose at least {ge}.",
    "less_than": "Out of range: choose less than {lt}.",
    "less_than_equal": "Out of range: choose at most {le}.",
    "literal_error": "Unknown value: choose {expected}.",
    "enum": "Unknown value: choose {expected}.",
    "bool_type": "Expected true or false.",
    "bool_parsing": "Expected true or false.",
    "uuid_type": "Expected an id, a UUID.",
    "uuid_parsing": "Expected an id, a UUID.",
    "list_type": "Expected a list.",
    "dict_type": "Expected an object.",
    "model_type": "Expected an object.",
    "model_attributes_type": "Expected an object.",
    "date_from_datetime_inexact": DATE,
    "date_from_datetime_parsing": DATE,
    "date_parsing": DATE,
    "date_type": DATE,
    "datetime_from_date_parsing": INSTANT,
    "datetime_object_invalid": INSTANT,
    "datetime_parsing": INSTANT,
    "datetime_type": INSTANT,
    "timezone_aware": INSTANT,
    "int_from_float": WHOLE_NUMBER,
    "int_parsing": WHOLE_NUMBER,
    "int_parsing_size": WHOLE_NUMBER,
    "int_type": WHOLE_NUMBER,
    "decimal_max_digits": "Too many digits: send at most {max_digits}.",
    "decimal_max_places": "Too many decimals: send at most {decimal_places}.",
    "decimal_whole_digits": "Too many digits before the decimal point: send at most {whole_digits}.",
    "decimal_parsing": NUMBER,
    "decimal_type": NUMBER,
    "finite_number": NUMBER,
    "float_parsing": NUMBER,
    "float_type": NUMBER,
}
PATTERN_HINTS: dict[str, str] = {}  # by pattern: what its field expects


def describe_pattern(pattern: str, hint: str) -> str:
    """Return the pattern, and report values that do not match it with this hint."""
    PATTERN_HINTS[pattern] = hint
    return pattern


def field_error(message: str) -> PydanticCustomError:
    """Return the error for a validator to raise: its message reaches the caller."""
    return PydanticCustomError(RULE, "{message}", {"message": message})


def describe_errors(errors: Iterable[dict[str, Any]]) -> list[FieldProblem]:
    """Return the first errors of a request's validation as problems. No value is repeated: it may be a password."""
    problems = (
        FieldProblem(name_field(error["loc"]), describe_error(error)) for error in islice(errors, 20 * MAX_PROBLEMS)
    )
    return list(islice(dict.fromkeys(problems), MAX_PROBLEMS))


def unknown_parameter_problems(request: Request) -> list[FieldProblem]:
    """Return a problem for each query parameter that the route does not read. A query's model reports them itself."""
    fields = request.scope["route"].dependant.query_params
    if any(isinstance(kind := field.field_info.annotation, type) and issubclass(kind, BaseModel) for field in fields):
        return []
    unknown = request.query_params.keys() - {field.alias for field in fields}
    names = sorted({name_field(("query", name)) for name in unknown})
    return [FieldProblem(name, MESSAGES["extra_forbidden"]) for name in names]


def describe_error(error: dict[str, Any]) -> str:
    """Return what is wrong and what to do."""
    if error["type"] == RULE:
        return error["ctx"]["message"]
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] in PATTERN_HINTS:
        return PATTERN_HINTS[error["ctx"]["pattern"]]
    if error["type"] == "value_error" and "UploadFile" in str(error["ctx"]["error"]):
        return FILE
    if error["loc"] == ("body",) and error["type"] == "model_attributes_type":
        return OBJECT
    return MESSAGES.get(error["type"], GENERAL).format(**error.get("ctx", {}))


def name_field(location: Sequence[int | str]) -> str:
    """Return the name of a field as the caller sent it: `client_id`, `sections.item 1.key`.

    A part that is not a field's name becomes `?`, since the caller wrote it.
    """
    part, *names = location
    if names and names[-1] == "[key]":  # the key of a mapping is at fault, so name the mapping
        names = names[:-2]
    if not names or isinstance(names[0], int) or part not in PARTS:
        return str(part)
    return ".".join(
        f"item {name + 1}" if isinstance(name, int) else name if NAME.fullmatch(name) else "?" for name in names
    )
