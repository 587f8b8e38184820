"""Emails to account holders and clients, written to a local outbox folder from which the operator sends them."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from practice.store.ids import new_id
from practice.store.private_files import write_private


@dataclass(frozen=True)
class Email:
    """An email to one person."""

    to: str
    subject: str
    text: str


class EmailOutbox:
    """The folder of emails that wait to be sent, and the base URL of their links."""

    def __init__(self, folder: Path, public_url: str) -> None:
        self.folder = folder
        self.public_url = public_url

    def build_link(self, page: str, secret: str) -> str:
        """Return a link with a secret, after `#` so that it reaches no server's log."""
        return f"{self.public_url}/{page}#{secret}"

    def write(self, email: Email, now: datetime) -> Path:
        """Write the email, readable by its owner alone, under a name that sorts by time and reveals nothing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{new_id()}.json"
        write_private(path, json.dumps(asdict(email) | {"at": now.astimezone(UTC).isoformat()}, indent=2))
        return path
