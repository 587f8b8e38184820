"""Rules of treatment plans and safety plans: how far a review is away, when somebody is told, and what may be entered.

A plan counts as reviewed for so many days from its last review on, that day's date subtracted from today's: the same
reading as in the practice's figures. A plan that begins is reviewed on the day from which it counts.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from practice.local_time import date_of, instant

DAY = timedelta(days=1)
TOLD_AT = time(9)

PlanState = Literal["ok", "due", "alert", "out_of_compliance", "missing", "not_applicable"]
SafetyState = Literal["ok", "missing", "expired", "not_applicable"]


class PlanDays(NamedTuple):
    """Days after a review until its clinician is reminded, and until the next has to be there."""

    remind: int
    review: int


class Told(NamedTuple):
    kind: Literal["PLAN_REMINDER", "PLAN_ALERT", "PLAN_OVERDUE"]
    at: datetime


def plan_state(last: date | None, active: bool, today: date, days: PlanDays) -> PlanState:
    """Of an active client's plan. `last` is the latest review that is not in future."""
    if not active:
        return "not_applicable"
    if last is None:
        return "missing"
    gone = (today - last).days
    if gone > days.review:
        return "out_of_compliance"
    if gone == days.review:
        return "alert"
    return "due" if gone >= days.remind else "ok"


def plan_messages(last: date, days: PlanDays, zone: ZoneInfo) -> list[Told]:
    """What is said about a plan that was last reviewed then, and when: in the morning, where the practice is."""

    def morning(after: int) -> datetime:
        return instant(last + after * DAY, TOLD_AT, zone)

    return [
        Told("PLAN_REMINDER", morning(days.remind)),
        Told("PLAN_ALERT", morning(days.review)),
        Told("PLAN_OVERDUE", morning(days.review + 1)),
    ]


def begin_problems(starts_on: date, admitted_on: date, today: date) -> list[str]:
    if starts_on > today:
        return ["starts_on: the plan begins in the future. Put it on record on the day on which it begins."]
    if starts_on < admitted_on:
        return [f"starts_on: the client was admitted on {admitted_on}, and was not treated before."]
    return []


def review_problems(
    reviewed_on: date, plans: Iterable[date], reviews: Collection[date], others: Collection[date], today: date
) -> list[str]:
    """`plans` are the days on which the client's plans began, `reviews` those of all their reviews, `others` those of
    the same plan's. Of plans from before the practice moved in there are only their reviews."""
    begun = sorted(plans)
    if reviewed_on > today:
        return ["reviewed_on: the review lies in the future."]
    if not begun and not reviews:
        return ["reviewed_on: there is no plan to review. Begin one first."]
    if begun and reviewed_on < begun[0]:
        return [f"reviewed_on: the review lies before the plan, which began on {begun[0]}."]
    if reviewed_on in others:
        return ["reviewed_on: the plan was reviewed on that day already. Change that review."]
    return []


def safety_state(
    needed: bool, signed_at: datetime | None, current_days: int, today: date, zone: ZoneInfo
) -> SafetyState:
    """Of a client who needs a safety plan because they are active and at high risk today, or does not."""
    if not needed:
        return "not_applicable"
    if signed_at is None:
        return "missing"
    return "ok" if (today - date_of(signed_at, zone)).days <= current_days else "expired"


def on_that_day(since: date | None, until: date | None, day: date) -> bool:
    """Whether what began and perhaps ended holds on the day. The end is the first day on which it no longer does."""
    return since is not None and since <= day and (until is None or until > day)
