"""Helpers for tests over HTTP: headers, status and error codes."""

from typing import Any

from tests.support.builders.people import Person, PracticeFixture

V1 = "/api/v1"


def auth_headers(practice: PracticeFixture, person: Person | None = None, **headers: str) -> dict[str, str]:
    """Return the headers of a signed-in person (default: the admin)."""
    return token_headers(practice.token(person), **headers)


def token_headers(token: str, **headers: str) -> dict[str, str]:
    """Return the headers for an access token; `if_match` becomes If-Match."""
    return {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}


def void(client: Any, url: str, headers: dict[str, str], reason: str = "Entered twice") -> Any:
    """Send a DELETE with its reason."""
    return client.request("DELETE", url, json={"reason": reason}, headers=headers)


def assert_ok(answer: Any, status: int = 200) -> Any:
    """Check the status and return the JSON body, if any."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def assert_invalid(answer: Any) -> list[str]:
    """Check that the request has invalid fields, and return them as `field: message`."""
    assert (answer.status_code, error_code(answer)) == (422, "VALIDATION_ERROR"), answer.text
    return list_problems(answer.json()["error"])


def list_problems(error: dict[str, Any]) -> list[str]:
    """Return the invalid fields of a VALIDATION_ERROR as `field: message`."""
    assert error["details"], error
    assert all(problem.keys() == {"field", "message"} for problem in error["details"]), error
    return [f"{problem['field']}: {problem['message']}" for problem in error["details"]]


def error_code(answer: Any) -> str:
    return answer.json()["error"]["code"]


def to_comparable(answer: Any) -> tuple[int, Any]:
    """Return the status and the body without the fields that differ between requests."""
    body = answer.json()
    for name in ("request_id", "timestamp", "path"):
        body["error"].pop(name)
    return answer.status_code, body
