"""Rules of signatures: what they are computed from, how each is chained to the previous one, and who needs review."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

Kind = Literal["AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM"]


@dataclass(frozen=True)
class SignatureFacts:
    """Everything a signature covers besides the content."""

    practice: UUID
    note: UUID
    number: int
    version: int
    kind: str
    signer: UUID
    account: UUID
    at: datetime


def hash_content(content: str, reason: str | None = None) -> bytes:
    """Return the hash of a version's content, which includes its random salt, and of the reason for the version."""
    return hashlib.sha256(content.encode() + (b"" if reason is None else b"\0" + reason.encode())).digest()


def hash_signature(previous: bytes | None, content: bytes, facts: SignatureFacts) -> bytes:
    """Return the hash of a signature: over the previous signature, the content and the facts."""
    values = [
        str(facts.practice),
        str(facts.note),
        facts.number,
        facts.version,
        facts.kind,
        str(facts.signer),
        str(facts.account),
        facts.at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    return hashlib.sha256((previous or b"") + content + json.dumps(values, separators=(",", ":")).encode()).digest()
