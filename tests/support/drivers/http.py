"""Small words for tests over HTTP."""

from typing import Any

from tests.support.builders.people import Person, PracticeFixture

V1 = "/api/v1"


def bearer(practice: PracticeFixture, person: Person | None = None, **more: str) -> dict[str, str]:
    return with_token(practice.token(person), **more)


def with_token(token: str, **more: str) -> dict[str, str]:
    """Headers of a signed-in person; `if_match` and the like become headers of that name."""
    return {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in more.items()}


def code_of(answer: Any) -> str:
    return answer.json()["error"]["code"]


def comparable(answer: Any) -> tuple[int, Any]:
    """Status and body without what differs from request to request."""
    body = answer.json()
    for name in ("request_id", "timestamp", "path"):
        body["error"].pop(name)
    return answer.status_code, body
