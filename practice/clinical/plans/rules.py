"""Rules of treatment plans and safety plans: review states, message times and input checks.

A plan counts as reviewed for a number of days after its last review, computed as today's date minus the review date, as
in the metric `treatment_plan_currency`. A plan counts as reviewed on its start date.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from practice.errors import FieldProblem
from practice.local_time import date_of, to_instant

DAY = timedelta(days=1)
MESSAGE_TIME = time(9)

PlanState = Literal["ok", "due", "alert", "out_of_compliance", "missing", "not_applicable"]
SafetyState = Literal["ok", "missing", "expired", "not_applicable"]


class PlanDays(NamedTuple):
    """Days after a review until the clinician is reminded, and until the next review is due."""

    remind: int
    review: int


class PlanMessage(NamedTuple):
    """A message about a plan and when it is due."""

    kind: Literal["PLAN_REMINDER", "PLAN_ALERT", "PLAN_OVERDUE"]
    at: datetime


def compute_plan_state(last: date | None, active: bool, today: date, days: PlanDays) -> PlanState:
    """Return the state of a plan. `last` is the latest review that is not in the future."""
    if not active:
        return "not_applicable"
    if last is None:
        return "missing"
    days_since = (today - last).days
    if days_since > days.review:
        return "out_of_compliance"
    if days_since == days.review:
        return "alert"
    return "due" if days_since >= days.remind else "ok"


def list_plan_messages(last: date, days: PlanDays, zone: ZoneInfo) -> list[PlanMessage]:
    """Return the messages about a plan last reviewed on that day, each due in the practice's local morning."""

    def get_morning(days_after: int) -> datetime:
        return to_instant(last + days_after * DAY, MESSAGE_TIME, zone)

    return [
        PlanMessage("PLAN_REMINDER", get_morning(days.remind)),
        PlanMessage("PLAN_ALERT", get_morning(days.review)),
        PlanMessage("PLAN_OVERDUE", get_morning(days.review + 1)),
    ]


def begin_problems(starts_on: date, admitted_on: date, today: date) -> list[FieldProblem]:
    if starts_on > today:
        return [FieldProblem("starts_on", "The date is in the future. Enter the plan on its start date.")]
    if starts_on < admitted_on:
        message = f"The client was admitted on {admitted_on}. Choose that date or a later one."
        return [FieldProblem("starts_on", message)]
    return []


def review_problems(
    reviewed_on: date, plans: Iterable[date], reviews: Collection[date], others: Collection[date], today: date
) -> list[FieldProblem]:
    """Return what is wrong with a review on that day.

    `plans` are the start dates of the client's plans, `reviews` the dates of all their reviews, `others` those of the
    same plan. Plans from before the practice used Caseload exist only as reviews.
    """
    start_dates = sorted(plans)
    message = None
    if reviewed_on > today:
        message = "The date is in the future. Choose today or earlier."
    elif not start_dates and not reviews:
        message = "There is no plan to review. Begin one first."
    elif start_dates and reviewed_on < start_dates[0]:
        message = f"The plan began on {start_dates[0]}. Choose that date or a later one."
    elif reviewed_on in others:
        message = "The plan was already reviewed on that day. Change that review."
    return [] if message is None else [FieldProblem("reviewed_on", message)]


def compute_safety_state(
    needed: bool, signed_at: datetime | None, current_days: int, today: date, zone: ZoneInfo
) -> SafetyState:
    """Return the state of a safety plan. It is needed by active clients at high risk."""
    if not needed:
        return "not_applicable"
    if signed_at is None:
        return "missing"
    return "ok" if (today - date_of(signed_at, zone)).days <= current_days else "expired"


def is_in_effect(since: date | None, until: date | None, day: date) -> bool:
    """Return whether a period includes the day. `until` is the first day after it."""
    return since is not None and since <= day and (until is None or until > day)
