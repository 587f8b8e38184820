"""Letters to account holders. By default they land in a local outbox folder, where an operator can read them."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from practice.store.ids import new_id
from practice.store.private_files import write_private


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
        write_private(path, json.dumps(asdict(letter) | {"at": now.astimezone(UTC).isoformat()}, indent=2))
        return path
