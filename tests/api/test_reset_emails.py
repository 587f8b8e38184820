"""Letters with a link for a new password: who gets one, and how often."""

from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from practice.security.installation import Installation
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.drivers.http import V1


def letters_to(installation: Installation, email: str) -> list[Path]:
    return [letter for letter in installation.settings.outbox.glob("*.json") if email in letter.read_text()]


def test_a_mailbox_is_not_filled(client: TestClient, practice: PracticeFixture) -> None:
    def ask() -> int:
        answer = client.post(f"{V1}/auth/password/reset-request", json={"email": practice.admin.email})
        assert answer.status_code == 202
        return len(letters_to(practice.installation, practice.admin.email))

    assert [ask(), ask(), ask()] == [1, 1, 1]
    client.app.state.clock = lambda: NOW + timedelta(minutes=6)
    assert ask() == 2
