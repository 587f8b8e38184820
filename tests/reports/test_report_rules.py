"""Rules of reports: definitions, groups too small to be shown, and when a report is due."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.reports.rules import (
    Definition,
    Schedule,
    definition_problems,
    find_last_due,
    merge_small_groups,
    schedule_problems,
)

HAVANA = ZoneInfo("America/Havana")  # the clock skips midnight in spring


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 40)))
def test_no_small_group_is_shown_and_nothing_is_lost(counts: dict[str, int]) -> None:
    shown, together = merge_small_groups(counts)
    assert all(count >= 5 for count in shown.values())
    assert together == 0 or together >= 5
    assert all(counts[key] == count for key, count in shown.items())
    missing = sum(counts.values()) - sum(shown.values()) - together
    assert missing == 0 or (missing < 5 and not shown)


def test_no_count_of_a_hidden_group_follows_from_what_is_shown() -> None:
    """Try all practices of up to 17 clients: among those that look alike, a hidden group has more than one count."""
    alike = defaultdict(list)
    for counts in product(range(18), repeat=4):
        if sum(counts) > 17:  # above, not all that look alike are among these
            continue
        shown, together = merge_small_groups(dict(zip("abcd", counts, strict=True)))
        alike[tuple(sorted(shown.items())), together].append(counts)
    for (shown, together), practices in alike.items():
        for place in range(4):
            is_hidden = "abcd"[place] not in dict(shown)
            values = {counts[place] for counts in practices}
            if is_hidden and (together or len(practices) > 1):
                assert len(values) > 1, (shown, together)


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        (Definition((), "clinician"), "measures"),
        (Definition(("revenue", "revenue"), "clinician"), "measures"),
        (Definition(("no_such",), "clinician"), "measures"),
        (Definition(("revenue", "active_clients"), "payer"), "measures"),
        (Definition(("kept_visit_rate",), "payer"), "group"),
        (Definition(("supervision_met_rate",), "clinician"), "group"),
        (Definition(("supervision_hours",), "clinician", "week"), "period"),
        (Definition(("revenue",), "payer", order_by="charged"), "order_by"),
    ],
)
def test_a_definition_that_says_nothing_is_refused(definition: Definition, field: str) -> None:
    problems = definition_problems(definition)
    assert {problem.field for problem in problems} == {field}
    assert all(problem.message.endswith(".") for problem in problems)


@pytest.mark.parametrize(
    ("schedule", "now", "due"),
    [
        (Schedule("week", 1, 7), "2026-03-16T10:59", "2026-03-09T11:00"),
        (Schedule("week", 1, 7), "2026-03-16T11:00", "2026-03-16T11:00"),
        (Schedule("week", 0, 0), "2026-03-08T05:00", "2026-03-08T05:00"),  # at the hour that is skipped
        (Schedule("month", 28, 23), "2026-03-01T12:00", "2026-03-01T04:00"),
        (Schedule("month", 1, 0), "2026-11-01T04:30", "2026-11-01T04:00"),
    ],
)
def test_a_report_is_due_at_the_local_hour(schedule: Schedule, now: str, due: str) -> None:
    assert schedule_problems(schedule) == []
    now_at, due_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, due))
    assert find_last_due(schedule, now_at, HAVANA) == due_at


@given(
    st.sampled_from(["week", "month"]),
    st.integers(1, 6),
    st.integers(0, 23),
    st.integers(1_580_000_000, 1_890_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_the_last_due_time_is_the_last_one(every: str, day: int, hour: int, now: datetime) -> None:
    schedule = Schedule(every, day, hour)  # ty: ignore[invalid-argument-type]
    due = find_last_due(schedule, now, HAVANA)
    assert due <= now < due + timedelta(days=8 if every == "week" else 32)
    assert find_last_due(schedule, due, HAVANA) == due
    assert find_last_due(schedule, due - timedelta(seconds=1), HAVANA) < due


@pytest.mark.parametrize("schedule", [Schedule("week", 7, 8), Schedule("month", 0, 8), Schedule("month", 29, 8)])
def test_a_day_that_not_every_month_or_week_has_is_refused(schedule: Schedule) -> None:
    assert [problem.field for problem in schedule_problems(schedule)] == ["schedule.day"]
