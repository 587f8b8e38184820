"""The long way in, over HTTP: what a person types, one step after the other."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from fastapi.testclient import TestClient

from practice.security.installation import Installation
from tests.support.builders.people import NOW, PASSWORD
from tests.support.drivers.http import V1


def post(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"{V1}/auth{path}", json=body)


def move(client: TestClient, by: timedelta, since: datetime = NOW) -> datetime:
    """Let the service's clock stand there from now on."""
    moment = since + by
    client.app.state.clock = lambda: moment  # ty: ignore[unresolved-attribute]
    return moment


def code(secret: str, at: datetime) -> str:
    return pyotp.TOTP(secret).at(at)


def ok(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def login(client: TestClient, email: str, password: str = PASSWORD) -> dict[str, Any]:
    return ok(post(client, "/login", email=email, password=password))


def enter(client: TestClient, email: str, secret: str, at: datetime, password: str = PASSWORD) -> dict[str, Any]:
    """Password and code: the step after them."""
    token = login(client, email, password)["token"]
    return ok(post(client, "/mfa/verify", token=token, code=code(secret, at)))


def letters_to(installation: Installation, email: str) -> list[dict[str, str]]:
    found = [json.loads(path.read_text()) for path in sorted(Path(installation.settings.outbox).glob("*.json"))]
    return [letter for letter in found if letter["to"] == email]


def secret_in(link_or_text: str) -> str:
    return link_or_text.partition("#")[2].split()[0]
