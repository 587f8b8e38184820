"""Rules of signatures: what one is made over, how it hangs on the one before, and whose notes are reviewed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

Kind = Literal["AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM"]


@dataclass(frozen=True)
class Facts:
    """What a signature says besides the words it stands under."""

    practice: UUID
    note: UUID
    number: int
    version: int
    kind: str
    signer: UUID
    account: UUID
    at: datetime


def content_hash(kept: str, reason: str | None = None) -> bytes:
    """Over what a version says, with its random salt, and why there is another version of a signed note."""
    return hashlib.sha256(kept.encode() + (b"" if reason is None else b"\0" + reason.encode())).digest()


def signature_hash(previous: bytes | None, content: bytes, facts: Facts) -> bytes:
    said = [
        *(str(facts.practice), str(facts.note), facts.number, facts.version, facts.kind),
        *(str(facts.signer), str(facts.account), facts.at.astimezone(UTC).isoformat(timespec="microseconds")),
    ]
    return hashlib.sha256((previous or b"") + content + json.dumps(said, separators=(",", ":")).encode()).digest()


def needs_review(license_type: str | None, supervised: bool, hours: Mapping[str, int]) -> bool:
    """Whether a note of somebody with this licence is handed in: they have a supervisor, and the practice's settings
    ask hours of supervision of the licence."""
    return supervised and license_type is not None and hours.get(f"supervision_hours_{license_type.lower()}", 0) > 0
