"""Rules of signatures: what they cover, and whose notes need review."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from practice.clinical.notes.rules.review import needs_review
from practice.clinical.notes.rules.signing import SignatureFacts, hash_content, hash_signature
from practice.store.ids import new_id

FACTS = SignatureFacts(new_id(), new_id(), 2, 3, "AUTHOR", new_id(), new_id(), datetime(2026, 3, 18, 15, 30, 0, 5, UTC))
CONTENT = hash_content("what is kept")


def test_a_signature_can_be_computed_independently() -> None:
    """As described in docs/decisions, without our own code."""
    values = [
        str(FACTS.practice), str(FACTS.note), 2, 3, "AUTHOR", str(FACTS.signer), str(FACTS.account),
        "2026-03-18T15:30:00.000005+00:00",
    ]  # fmt: skip
    signed = b"before" + hashlib.sha256(b"what is kept").digest() + json.dumps(values, separators=(",", ":")).encode()
    assert hash_signature(b"before", CONTENT, FACTS) == hashlib.sha256(signed).digest()


@pytest.mark.parametrize(
    "other",
    [
        {"practice": new_id()}, {"note": new_id()}, {"number": 3}, {"version": 2}, {"kind": "CO_SIGNATURE"},
        {"signer": new_id()}, {"account": new_id()}, {"at": FACTS.at + timedelta(microseconds=1)},
    ],
)  # fmt: skip
def test_a_signature_covers_every_fact(other: dict[str, Any]) -> None:
    assert hash_signature(None, CONTENT, replace(FACTS, **other)) != hash_signature(None, CONTENT, FACTS)


def test_a_signature_covers_content_reason_and_previous_signature() -> None:
    first = hash_signature(None, CONTENT, FACTS)
    assert len({first, hash_signature(b"before", CONTENT, FACTS), hash_signature(None, b"other", FACTS)}) == 3
    assert len({hash_content("a"), hash_content("a", "b"), hash_content("a", ""), hash_content("b", "a")}) == 4


def test_a_signature_covers_the_instant_not_its_time_zone() -> None:
    elsewhere = FACTS.at.astimezone(timezone(timedelta(hours=-5)))
    assert hash_signature(None, CONTENT, replace(FACTS, at=elsewhere)) == hash_signature(None, CONTENT, FACTS)


@pytest.mark.parametrize(
    ("license_type", "supervised", "hours", "expected"),
    [
        ("LPC", True, {"supervision_hours_lpc": 2}, True),
        ("LPC", False, {"supervision_hours_lpc": 2}, False),
        ("LPC", True, {"supervision_hours_lpc": 0}, False),
        ("LPC", True, {"supervision_hours_lmsw": 4}, False),
        ("LCSW", True, {"supervision_hours_lpc": 2}, False),
        (None, True, {"supervision_hours_lpc": 2}, False),
    ],
)
def test_review_depends_on_license_supervisor_and_settings(
    license_type: str | None, supervised: bool, hours: dict[str, int], expected: bool
) -> None:
    assert needs_review(license_type, supervised, hours) is expected
