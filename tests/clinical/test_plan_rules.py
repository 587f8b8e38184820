"""Rules of treatment plans and safety plans: states, message times and input checks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.clinical.plans.rules import (
    PlanDays,
    begin_problems,
    compute_plan_state,
    compute_safety_state,
    is_in_effect,
    list_plan_messages,
    review_problems,
)

DAY = timedelta(days=1)
TODAY = date(2026, 3, 18)
USUAL = PlanDays(80, 90)
NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from(["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Europe/Berlin"]).map(ZoneInfo)
DAYS = st.dates(date(2019, 1, 1), date(2032, 12, 31))


@pytest.mark.parametrize(
    ("gone", "state"),
    [
        (0, "ok"),
        (79, "ok"),
        (80, "due"),
        (89, "due"),
        (90, "alert"),
        (91, "out_of_compliance"),
        (400, "out_of_compliance"),
    ],
)
def test_a_plan_is_due_from_day_80_on_and_out_of_compliance_from_day_91_on(gone: int, state: str) -> None:
    assert compute_plan_state(TODAY - gone * DAY, True, TODAY, USUAL) == state
    assert compute_plan_state(TODAY - gone * DAY, False, TODAY, USUAL) == "not_applicable"


def test_plan_days_follow_the_practice_s_settings() -> None:
    short = PlanDays(20, 30)
    states = [compute_plan_state(TODAY - gone * DAY, True, TODAY, short) for gone in (19, 20, 29, 30, 31)]
    assert states == ["ok", "due", "due", "alert", "out_of_compliance"]
    reminded_late = PlanDays(40, 30)
    states = [compute_plan_state(TODAY - gone * DAY, True, TODAY, reminded_late) for gone in (29, 30, 31)]
    assert states == ["ok", "alert", "out_of_compliance"]


def test_a_client_without_any_review_lacks_a_plan() -> None:
    assert compute_plan_state(None, True, TODAY, USUAL) == "missing"
    assert compute_plan_state(None, False, TODAY, USUAL) == "not_applicable"


@settings(deadline=None)
@given(last=DAYS, gone=st.integers(0, 500))
def test_plan_states_agree_with_the_metric(last: date, gone: int) -> None:
    """treatment_plan_currency: a review dated d <= D with D - d <= 90."""
    today = last + timedelta(days=gone)
    current = (today - last).days <= 90
    assert (compute_plan_state(last, True, today, USUAL) != "out_of_compliance") is current


@settings(deadline=None)
@given(last=DAYS, zone=ZONES)
def test_messages_are_due_on_the_mornings_on_which_the_state_changes(last: date, zone: ZoneInfo) -> None:
    due_at = {message.kind: message.at for message in list_plan_messages(last, USUAL, zone)}
    state = {"PLAN_REMINDER": "due", "PLAN_ALERT": "alert", "PLAN_OVERDUE": "out_of_compliance"}
    for kind, at in due_at.items():
        local = at.astimezone(zone)
        assert local.timetz().replace(tzinfo=None) == time(9)
        assert compute_plan_state(last, True, local.date(), USUAL) == state[kind]
        assert compute_plan_state(last, True, local.date() - DAY, USUAL) != state[kind]


def test_messages_over_a_leap_day_and_the_change_of_the_clock() -> None:
    messages = list_plan_messages(
        date(2023, 12, 20), USUAL, NEW_YORK
    )  # 2024-02-29 is between; the clock changed on 03-10
    assert [message.at for message in messages] == [
        datetime(2024, 3, 9, 14, tzinfo=UTC),
        datetime(2024, 3, 19, 13, tzinfo=UTC),
        datetime(2024, 3, 20, 13, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("starts_on", "word"),
    [(TODAY, None), (TODAY + DAY, "future"), (date(2025, 6, 2), None), (date(2025, 6, 1), "admitted on 2025-06-02")],
)
def test_a_plan_begins_between_the_admission_and_today(starts_on: date, word: str | None) -> None:
    problems = begin_problems(starts_on, date(2025, 6, 2), TODAY)
    assert [word in problem.message for problem in problems] == [True] if word else problems == []


BEGUN = date(2026, 2, 1)


@pytest.mark.parametrize(
    ("reviewed_on", "plans", "reviews", "others", "word"),
    [
        (TODAY, [BEGUN], [BEGUN], [BEGUN], None),
        (TODAY + DAY, [BEGUN], [BEGUN], [BEGUN], "future"),
        (BEGUN - DAY, [TODAY, BEGUN], [BEGUN], [], "began on 2026-02-01"),
        (BEGUN, [BEGUN], [BEGUN], [BEGUN], "already reviewed on that day"),
        (TODAY, [], [], [], "no plan"),
        (TODAY, [], [BEGUN], [BEGUN], None),  # a plan from before the practice used Caseload
        (TODAY, [], [TODAY], [TODAY], "already reviewed on that day"),
    ],
)
def test_a_review_needs_a_plan_and_a_day_that_is_not_in_the_future(
    reviewed_on: date, plans: list[date], reviews: list[date], others: list[date], word: str | None
) -> None:
    problems = review_problems(reviewed_on, plans, reviews, others, TODAY)
    assert [word in problem.message for problem in problems] == [True] if word else problems == []


@pytest.mark.parametrize(
    ("needed", "signed_at", "state"),
    [
        (False, None, "not_applicable"),
        (False, datetime(2026, 3, 1, tzinfo=UTC), "not_applicable"),
        (True, None, "missing"),
        (True, datetime(2025, 3, 18, 4, tzinfo=UTC), "ok"),  # local midnight, 365 days ago
        (True, datetime(2025, 3, 18, 3, 59, tzinfo=UTC), "expired"),
    ],
)
def test_a_safety_plan_is_current_for_a_year(needed: bool, signed_at: datetime | None, state: str) -> None:
    assert compute_safety_state(needed, signed_at, 365, TODAY, NEW_YORK) == state


@settings(deadline=None)
@given(since=st.none() | DAYS, until=st.none() | DAYS, day=DAYS)
def test_a_period_excludes_its_end_date(since: date | None, until: date | None, day: date) -> None:
    holds = since is not None and since <= day and not (until is not None and until <= day)
    assert is_in_effect(since, until, day) is holds
