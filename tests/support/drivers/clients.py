"""Helpers for tests of client records over HTTP."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import V1, assert_ok, auth_headers

NEW_CLIENT = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}


def send_request(
    client: TestClient,
    practice: PracticeFixture,
    method: str,
    path: str,
    by: Person | None = None,
    body: Any = None,
    **headers: str,
) -> Any:
    """Send a request as `by` (default: the admin)."""
    return client.request(method, V1 + path, json=body, headers=auth_headers(practice, by, **headers))


def update_record(
    client: TestClient,
    practice: PracticeFixture,
    path: str,
    by: Person | None = None,
    method: str = "PATCH",
    **body: Any,
) -> Any:
    """Send a change with the record's current version."""
    record_path = path.removesuffix("/contact")
    version = send_request(client, practice, "GET", record_path).headers["ETag"]
    return send_request(client, practice, method, path, by, body, If_Match=version)


def load_audit_entries(
    client: TestClient, practice: PracticeFixture, action: str, subject: UUID | str | None = None
) -> list[dict[str, Any]]:
    """Return the audit log's entries of an action, latest first."""
    params = {"action": action, "limit": 100} | ({"subject_id": str(subject)} if subject else {})
    return assert_ok(client.get(f"{V1}/audit", params=params, headers=auth_headers(practice)))["items"]
