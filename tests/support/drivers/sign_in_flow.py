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
    """Return the emails to an address, oldest first."""
    texts = [path.read_text() for path in sorted(Path(installation.settings.outbox).glob("*.json"))]
    return [message for text in texts if email in text and (message := json.loads(text))["to"] == email]


def read_link(installation: Installation, email: str, page: str = "invitation") -> str:
    """Return the link to a page in the newest email to an address."""
    links = [
        word for message in list_emails(installation, email) for word in message["text"].split() if f"/{page}#" in word
    ]
    assert links, f"no email with a link to {page}"
    return links[-1]


def read_secret(installation: Installation, email: str, page: str = "invitation") -> str:
    """Return the secret of that link."""
    return extract_secret(read_link(installation, email, page))


def accept_invitation(client: TestClient, email: str, password: str = PASSWORD) -> Any:
    """Accept the newest invitation sent to an address."""
    secret = read_secret(client.app.state.installation, email)  # ty: ignore[unresolved-attribute]
    return post(client, "/invitations/accept", token=secret, password=password)


def extract_secret(link_or_text: str) -> str:
    return link_or_text.partition("#")[2].split()[0]
