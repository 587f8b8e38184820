"""Small words for tests about clients over HTTP."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from practice.security.sign_in import start_session
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.drivers.http import V1, bearer, with_token

NEW = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}


def ask(
    client: TestClient,
    practice: PracticeFixture,
    method: str,
    path: str,
    who: Person | None = None,
    body: Any = None,
    **headers: str,
) -> Any:
    """As the practice's admin where nobody else is named; a client's session is begun as theirs."""
    signed_in = bearer(practice, who) if who is None or who.roles != ["client"] else with_token(portal(practice, who))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, V1 + path, json=body, headers=signed_in | sent)


def portal(practice: PracticeFixture, who: Person) -> str:
    tokens = start_session(practice.installation, who.account_id, practice.id, NOW, None).tokens
    assert tokens is not None
    return tokens.access


def change(
    client: TestClient,
    practice: PracticeFixture,
    path: str,
    who: Person | None = None,
    method: str = "PATCH",
    **body: Any,
) -> Any:
    """With the version that the record of the path has now."""
    read = path.removesuffix("/contact")
    version = ask(client, practice, "GET", read).headers["ETag"]
    return ask(client, practice, method, path, who, body, If_Match=version)


def good(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def problems(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return answer.json()["error"]["details"]["problems"]


def trail(
    client: TestClient, practice: PracticeFixture, action: str, subject: UUID | str | None = None
) -> list[dict[str, Any]]:
    """What the audit log says of it, latest first."""
    asked = {"action": action, "limit": 100} | ({"subject_id": str(subject)} if subject else {})
    return good(client.get(f"{V1}/audit", params=asked, headers=bearer(practice)))["items"]
