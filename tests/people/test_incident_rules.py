"""Whom an incident makes the practice tell, and how far it is."""

from datetime import date, datetime, timedelta

import pytest

from practice.people.rules.incidents import incident_problems, notices_due, status_of
from tests.support.builders.people import NOW

FOUND, DUE = date(2026, 1, 31), date(2026, 4, 1)


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
def test_who_has_to_be_told_follows_from_how_many_are_affected(people: int | None, recipients: tuple[str, ...]) -> None:
    assert notices_due(people, FOUND, 60) == dict.fromkeys(recipients, DUE)


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
def test_an_incident_is_as_far_as_what_was_done(
    responded_at: datetime | None, people: int | None, unsent: int, status: str
) -> None:
    assert status_of(responded_at, people, unsent) == status


def test_nothing_is_known_of_the_future_and_no_response_comes_first() -> None:
    later, before = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
    assert incident_problems(NOW, NOW, NOW) == incident_problems(NOW, None, NOW) == []
    assert len(incident_problems(later, None, NOW)) == 1
    assert len(incident_problems(NOW, before, NOW)) == 1
    assert len(incident_problems(later, later, NOW)) == 2
