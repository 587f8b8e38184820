"""Rules about goals: which can be set, and when one is reached."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from practice.people.rules.goals import evaluate_goal, goal_problems

TODAY = date(2026, 3, 18)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("key", "target", "value", "status"),
    [
        ("kept_visit_rate", "85.00", "85.0000", "ACHIEVED"),
        ("kept_visit_rate", "85.00", "84.9999", "MISSED"),
        ("kept_visit_rate", "85.00", "90", "ACHIEVED"),
        ("no_show_rate", "10.00", "10", "ACHIEVED"),
        ("no_show_rate", "10.00", "10.0001", "MISSED"),
        ("no_show_rate", "10.00", "0", "ACHIEVED"),
        ("days_in_ar", "30", "29.9", "ACHIEVED"),
    ],
)
def test_a_goal_is_reached_at_its_target_or_better(key: str, target: str, value: str, status: str) -> None:
    assert evaluate_goal(key, Decimal(target), Decimal(value)) == status


def test_a_goal_has_a_known_metric_and_ends_in_the_future() -> None:
    assert goal_problems("rebook_rate", TODAY - 30 * DAY, TODAY, TODAY) == []
    assert len(goal_problems("rebook_rate", TODAY, TODAY - DAY, TODAY)) == 2
    assert len(goal_problems("happiness", TODAY - 30 * DAY, TODAY - DAY, TODAY)) == 2
