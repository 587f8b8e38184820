"""Letters to account holders. By default they land in a local outbox folder, where an operator can read them."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from practice.store.ids import new_id


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str


class OutboxFolder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def post(self, letter: Letter, now: datetime) -> Path:
        """Write the letter, readable by its owner alone, under a name that sorts by time and tells nothing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{new_id()}.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(letter) | {"at": now.astimezone(UTC).isoformat()}, file, indent=2)
        return path
