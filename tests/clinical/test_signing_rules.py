"""Rules of signatures: what one is made over, and whose notes are reviewed."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from practice.clinical.notes.rules.signing import Facts, content_hash, needs_review, signature_hash
from practice.store.ids import new_id

FACTS = Facts(new_id(), new_id(), 2, 3, "AUTHOR", new_id(), new_id(), datetime(2026, 3, 18, 15, 30, 0, 5, UTC))
CONTENT = content_hash("what is kept")


def test_a_signature_is_what_anybody_can_compute() -> None:
    """By what docs/decisions say, with nothing of ours."""
    said = [
        str(FACTS.practice), str(FACTS.note), 2, 3, "AUTHOR", str(FACTS.signer), str(FACTS.account),
        "2026-03-18T15:30:00.000005+00:00",
    ]  # fmt: skip
    whole = b"before" + hashlib.sha256(b"what is kept").digest() + json.dumps(said, separators=(",", ":")).encode()
    assert signature_hash(b"before", CONTENT, FACTS) == hashlib.sha256(whole).digest()


@pytest.mark.parametrize(
    "other",
    [
        {"practice": new_id()}, {"note": new_id()}, {"number": 3}, {"version": 2}, {"kind": "CO_SIGNATURE"},
        {"signer": new_id()}, {"account": new_id()}, {"at": FACTS.at + timedelta(microseconds=1)},
    ],
)  # fmt: skip
def test_every_fact_is_part_of_it(other: dict[str, Any]) -> None:
    assert signature_hash(None, CONTENT, replace(FACTS, **other)) != signature_hash(None, CONTENT, FACTS)


def test_so_are_the_words_the_reason_and_the_signature_before() -> None:
    one = signature_hash(None, CONTENT, FACTS)
    assert len({one, signature_hash(b"before", CONTENT, FACTS), signature_hash(None, b"other", FACTS)}) == 3
    assert len({content_hash("a"), content_hash("a", "b"), content_hash("a", ""), content_hash("b", "a")}) == 4


def test_it_is_the_instant_that_is_signed_not_how_it_is_written() -> None:
    elsewhere = FACTS.at.astimezone(timezone(timedelta(hours=-5)))
    assert signature_hash(None, CONTENT, replace(FACTS, at=elsewhere)) == signature_hash(None, CONTENT, FACTS)


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
def test_whose_notes_are_reviewed(
    license_type: str | None, supervised: bool, hours: dict[str, int], expected: bool
) -> None:
    assert needs_review(license_type, supervised, hours) is expected
