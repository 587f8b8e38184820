"""Password reset emails: how often they are sent."""

from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from practice.security.installation import Installation
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.drivers.http import V1


def list_emails(installation: Installation, email: str) -> list[Path]:
    return [email_file for email_file in installation.settings.outbox.glob("*.json") if email in email_file.read_text()]


def test_repeated_requests_send_one_email_within_five_minutes(client: TestClient, practice: PracticeFixture) -> None:
    def request_reset() -> int:
        answer = client.post(f"{V1}/auth/password/reset-request", json={"email": practice.admin.email})
        assert answer.status_code == 202
        return len(list_emails(practice.installation, practice.admin.email))

    assert [request_reset(), request_reset(), request_reset()] == [1, 1, 1]
    client.app.state.clock = lambda: NOW + timedelta(minutes=6)
    assert request_reset() == 2
