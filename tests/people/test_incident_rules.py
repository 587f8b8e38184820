"""Rules about incidents: required notices and status."""

from datetime import date, datetime, timedelta

import pytest

from practice.people.rules.incidents import compute_notice_deadlines, derive_status, incident_problems
from tests.support.builders.people import NOW

DETECTED, DUE = date(2026, 1, 31), date(2026, 4, 1)


@pytest.mark.parametrize(
    ("people", "recipients"),
    [
        (None, ()),
        (0, ()),
        (1, ("INDIVIDUALS", "AUTHORITY")),
        (499, ("INDIVIDUALS", "AUTHORITY")),
        (500, ("INDIVIDUALS", "AUTHORITY", "MEDIA")),
    ],
)
def test_the_number_of_people_affected_determines_the_notices(people: int | None, recipients: tuple[str, ...]) -> None:
    assert compute_notice_deadlines(people, DETECTED, 60) == dict.fromkeys(recipients, DUE)


@pytest.mark.parametrize(
    ("responded_at", "people", "unsent", "status"),
    [
        (None, None, 0, "OPEN"),
        (None, 3, 2, "OPEN"),
        (NOW, None, 0, "RESPONDED"),
        (NOW, 3, 1, "NOTICES_DUE"),
        (NOW, 3, 0, "CLOSED"),
        (NOW, 0, 0, "CLOSED"),
    ],
)
def test_the_status_follows_from_response_and_notices(
    responded_at: datetime | None, people: int | None, unsent: int, status: str
) -> None:
    assert derive_status(responded_at, people, unsent) == status


def test_dates_are_not_in_the_future_and_the_response_follows_the_detection() -> None:
    later, before = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
    assert incident_problems(NOW, NOW, NOW) == incident_problems(NOW, None, NOW) == []
    assert len(incident_problems(later, None, NOW)) == 1
    assert len(incident_problems(NOW, before, NOW)) == 1
    assert len(incident_problems(later, later, NOW)) == 2
