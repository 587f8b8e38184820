"""Problems of fields: our own sentence for every kind of error, and one shape whatever found the problem."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.field_problems import GENERAL, describe_errors
from api.fields import Day, Email, Instant, MoneyIn, Name, Npi, Text1000, TimeOfDay
from practice.errors import FieldProblem
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1, assert_invalid, auth_headers, error_code


class Inner(BaseModel):
    key: Name
    number: int = 1


class Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Name = "Ada"
    email: Email | None = None
    npi: Npi | None = None
    text: Text1000 | None = None
    amount: MoneyIn | None = None
    at: Instant | None = None
    on: Day | None = None
    time: TimeOfDay | None = None
    id: UUID | None = None
    kind: Literal["A", "B"] = "A"
    active: bool = True
    number: Annotated[int, Field(ge=1, le=9)] = 1
    ratio: Annotated[Decimal, Field(gt=0, lt=10, max_digits=6, decimal_places=2)] = Decimal(1)
    names: Annotated[list[Name], Field(min_length=1, max_length=2)] = ["Ada"]
    sections: list[Inner] = []
    texts: dict[Npi, Name] = {}


def describe(**values: Any) -> list[FieldProblem]:
    """Return the problems of a body with these values."""
    with pytest.raises(ValidationError) as caught:
        Fields.model_validate(values)
    return describe_errors({**error, "loc": ("body", *error["loc"])} for error in caught.value.errors())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", 1, "Expected text."),
        ("name", "", "Too short: enter 1 or more characters."),
        ("name", "x" * 101, "Too long: enter at most 100 characters."),
        ("name", "a\nb", "Control characters are not allowed, nor are line breaks. Remove them."),
        ("name", "\ud800", "Unreadable characters. Send text in UTF-8."),
        ("text", "a\x00b", "Control characters are not allowed. Remove them."),
        ("email", "ada", "Invalid email address: expected one like ada@oak.example."),
        ("npi", "12", "Expected ten digits."),
        ("amount", 1, 'Invalid amount: expected text with dollars and cents, like "150.00".'),
        ("at", "2026-03-18T10:00:00", "Expected an instant with its offset, like 2026-03-18T15:30:00Z."),
        ("at", "soon", "Expected an instant with its offset, like 2026-03-18T15:30:00Z."),
        ("at", "0001-01-01T00:00:00Z", "Out of range: choose an instant between 1900 and 2199."),
        ("on", "18.3.2026", "Expected a date like 2026-03-18."),
        ("on", date(1899, 12, 31), "Out of range: choose at least 1900-01-01."),
        ("time", "9", 'Invalid time of day: expected one like "09:30".'),
        ("id", "1", "Expected an id, a UUID."),
        ("kind", "C", "Unknown value: choose 'A' or 'B'."),
        ("active", "perhaps", "Expected true or false."),
        ("number", "one", "Expected a whole number."),
        ("number", 1.5, "Expected a whole number."),
        ("number", 0, "Out of range: choose at least 1."),
        ("number", 10, "Out of range: choose at most 9."),
        ("ratio", "1.234", "Too many decimals: send at most 2."),
        ("ratio", "many", "Expected a number."),
        ("ratio", "NaN", "Expected a number."),
        ("ratio", 0, "Out of range: choose more than 0."),
        ("names", [], "Too few items: send 1 or more."),
        ("names", ["a"] * 3, "Too many items: send at most 2."),
        ("names", "a", "Expected a list."),
        ("texts", [], "Expected an object."),
        ("unknown", 1, "Unknown field. Leave it out."),
    ],
)
def test_every_kind_of_error_has_a_sentence_of_ours(field: str, value: Any, message: str) -> None:
    assert describe(**{field: value}) == [(field, message)]


def test_items_count_from_one_and_keys_that_callers_made_up_are_not_repeated() -> None:
    sections = [{"key": "a"}, {"number": "x"}]
    assert describe(names=["Ada", ""], sections=sections, texts={"Casey Example": "x"}) == [
        ("names.item 2", "Too short: enter 1 or more characters."),
        ("sections.item 2.key", "Missing. Send this field."),
        ("sections.item 2.number", "Expected a whole number."),
        ("texts", "Expected ten digits."),
    ]


def test_an_unforeseen_kind_of_error_gets_a_general_sentence() -> None:
    errors = [{"type": "not_foreseen", "loc": ("query", "x y"), "msg": "Input should be odd", "ctx": {"a": 1}}]
    assert describe_errors(errors) == [("?", GENERAL)]


def test_every_invalid_request_lists_its_fields_in_one_shape(client: TestClient, practice: PracticeFixture) -> None:
    headers = auth_headers(practice)

    def post(**body: Any) -> list[str]:
        json_headers = headers | {"Content-Type": "application/json"}
        return assert_invalid(client.post(f"{V1}/rooms", headers=json_headers, **body))

    assert post(content=b"{") == ["body: Invalid JSON. Check its syntax."]
    assert post(json=[])[0].startswith("body: Expected a JSON object")
    assert post(json={"name": "A"}) == ["capacity: Missing. Send this field."]
    path = f"{V1}/staff/{practice.admin.staff_id}"
    changed = client.patch(path, json={"npi": "1" * 10}, headers=headers | {"If-Match": '"1"'})
    assert assert_invalid(changed) == ["npi: Invalid NPI: expected 10 digits with a valid check digit."]
    for path, problem in (
        ("/staff?limit=0", "limit: Out of range: choose at least 1."),
        ("/staff?sort=shoes", "sort: Invalid sort"),
        ("/staff?cursor=x", "cursor: Invalid cursor"),
        ("/staff?fields=shoes", "fields: Unknown `fields`."),
        ("/staff/one", "staff_id: Expected an id, a UUID."),
    ):
        (text,) = assert_invalid(client.get(V1 + path, headers=headers))
        assert text.startswith(problem)
    short = headers | {"Idempotency-Key": "short"}
    assert assert_invalid(client.post(f"{V1}/rooms", json={"name": "A", "capacity": 1}, headers=short)) == [
        "Idempotency-Key: Too short: enter 8 or more characters."
    ]


def test_many_unknown_fields_are_one_problem(client: TestClient, practice: PracticeFixture) -> None:
    """One for each would keep a worker busy for seconds."""
    body = {f"field_{number}": 1 for number in range(60_000)}
    answer = client.post(f"{V1}/staff", json=body, headers=auth_headers(practice))
    assert assert_invalid(answer) == ["body: Too many fields: send at most 200."]


def test_at_most_fifty_problems_are_described(client: TestClient, practice: PracticeFixture) -> None:
    body = {f"field_{number}": 1 for number in range(150)}
    answer = client.post(f"{V1}/staff", json=body, headers=auth_headers(practice))
    assert len(assert_invalid(answer)) == 50


def test_callers_who_are_not_signed_in_send_little(client: TestClient) -> None:
    answer = client.post(f"{V1}/auth/refresh", json={"refresh_token": "x" * 16_000})
    assert (answer.status_code, error_code(answer)) == (413, "TOO_LARGE")
