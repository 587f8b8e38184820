"""The reference of error codes is complete and current."""

from collections import defaultdict
from pathlib import Path

from tests.support.harness.error_reference import list_entries, render

DOCUMENT = Path(__file__).parents[1] / "docs" / "errors.md"


def test_the_reference_is_what_is_generated() -> None:
    assert DOCUMENT.read_text() == render()


def test_every_code_has_one_status() -> None:
    statuses = defaultdict(set)
    for entry in list_entries():
        statuses[entry.code].add(entry.status)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}
    assert len(statuses) >= 90
