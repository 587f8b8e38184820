"""Sign-in over HTTP, step by step, as a person does it."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from fastapi.testclient import TestClient

from practice.security.installation import Installation
from tests.support.builders.people import NOW, PASSWORD
from tests.support.drivers.http import V1, assert_ok


def post(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"{V1}/auth{path}", json=body)


def set_clock(client: TestClient, offset: timedelta, since: datetime = NOW) -> datetime:
    """Set the service's clock to a fixed time and return it."""
    moment = since + offset
    client.app.state.clock = lambda: moment  # ty: ignore[unresolved-attribute]
    return moment


def generate_code(secret: str, at: datetime) -> str:
    return pyotp.TOTP(secret).at(at)


def login(client: TestClient, email: str, password: str = PASSWORD) -> dict[str, Any]:
    return assert_ok(post(client, "/login", email=email, password=password))


def enter_code(client: TestClient, email: str, secret: str, at: datetime, password: str = PASSWORD) -> dict[str, Any]:
    """Enter password and code, and return the step after them."""
    token = login(client, email, password)["token"]
    return assert_ok(post(client, "/mfa/verify", token=token, code=generate_code(secret, at)))


def list_emails(installation: Installation, email: str) -> list[dict[str, str]]:
    emails = [json.loads(path.read_text()) for path in sorted(Path(installation.settings.outbox).glob("*.json"))]
    return [message for message in emails if message["to"] == email]


def extract_secret(link_or_text: str) -> str:
    return link_or_text.partition("#")[2].split()[0]
