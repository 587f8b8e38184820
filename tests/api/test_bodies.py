"""Request bodies: read for permitted callers only, and at a minimum rate."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.rules.documents import MAX_BYTES
from practice.security.installation import Installation
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.builders.schedule import make_client
from tests.support.drivers.http import V1, error_code, token_headers
from tests.support.drivers.sign_in_flow import set_clock

Receive = Callable[[], Awaitable[dict[str, Any]]]


def send(client: TestClient, path: str, headers: dict[str, str], receive: Receive) -> tuple[int, dict[str, Any]]:
    """Send a POST whose body comes from `receive`, and return the status and the error of its response."""
    answers: list[Any] = []

    async def collect(message: Any) -> None:
        answers.append(message)

    scope = {
        **{"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path},
        **{"raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1)},
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(client.app(scope, receive, collect))  # ty: ignore[invalid-argument-type]
    return answers[0]["status"], json.loads(answers[1]["body"])["error"]


async def fail_if_read() -> dict[str, Any]:
    raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("caller", "refusal"),
    [
        ("nobody", (401, "UNAUTHORIZED")),
        ("an expired token", (401, "UNAUTHORIZED")),
        ("another installation", (401, "UNAUTHORIZED")),
        ("an ended session", (401, "UNAUTHORIZED")),
        ("a biller", (403, "FORBIDDEN")),
        ("lapsed training", (403, "TRAINING_LAPSED")),
    ],
)
def test_no_body_is_read_before_the_caller_is_admitted(
    client: TestClient,
    practice: PracticeFixture,
    own_installation: Installation,
    caller: str,
    refusal: tuple[int, str],
) -> None:
    headers: dict[str, str] = {}
    if caller == "an expired token":
        headers = token_headers(practice.token(now=practice.now - timedelta(hours=1)))
    elif caller == "another installation":
        headers = token_headers(make_practice(own_installation).token())
    elif caller == "an ended session":
        headers = token_headers(practice.token())
        client.post(f"{V1}/auth/logout", headers=headers)
    elif caller == "a biller":
        headers = token_headers(practice.token(practice.add("biller")))
    elif caller == "lapsed training":
        now = set_clock(client, timedelta(days=40))
        headers = token_headers(practice.token(practice.add("scheduler"), now))
    upload = headers | {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(MAX_BYTES)}
    path = f"{V1}/clients/{make_client(practice)}/documents"
    status, error = send(client, path, upload, fail_if_read)
    assert (status, error["code"]) == refusal
    answer = client.post(f"{V1}/rooms", content=b"{", headers=headers)  # nor is it parsed
    assert (answer.status_code, error_code(answer)) == refusal


def test_a_body_that_arrives_too_slowly_is_refused(
    client: TestClient, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.middleware.BODY_SECONDS", 0.05)
    monkeypatch.setattr("api.middleware.BODY_BYTES_PER_SECOND", 1e9)
    parts = iter([b'{"name": ', b'"A'])

    async def receive() -> dict[str, Any]:
        for body in parts:
            return {"type": "http.request", "body": body, "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError

    for path, headers in (("/rooms", token_headers(practice.token())), ("/auth/login", {})):
        status, error = send(client, V1 + path, headers | {"Content-Type": "application/json"}, receive)
        assert (status, error["code"]) == (408, "REQUEST_TIMEOUT")
