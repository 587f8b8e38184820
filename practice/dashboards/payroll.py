"""The page of payroll: a pay week with what it pays to whom, what waits, and whether it can be closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from practice.errors import Refusal
from practice.local_time import WEEK, open_week, week_of
from practice.money import format_dollars
from practice.payroll.lines import PayWeek
from practice.payroll.periods import build_schedule, filter_closed, load_periods, read_week, refuse_early_closing
from practice.payroll.rules import PaySchedule
from practice.payroll.statements import Statement, build_statements
from practice.people.practice_time import local_today, zone_of
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.text import format_count


@dataclass(frozen=True)
class Payroll:
    """Everything that the page shows at first."""

    pay_week: PayWeek
    statements: Sequence[Statement]
    previous_week: date
    next_week: date | None
    not_closable: str | None  # why the week cannot be closed now
    brief: Sequence[str]


def load_payroll(work: Work, scope: Scope, week: date | None) -> Payroll:
    """Return the page of a pay week, by default the next one to close, else the one that is still open."""
    zone = zone_of(work)
    periods = load_periods(work)
    schedule = build_schedule(periods, filter_closed(periods))
    still_open = open_week(work.now, zone)
    chosen = week or min(schedule.next_to_close or still_open, still_open)
    pay_week = read_week(work, scope, chosen, work.now)
    this_week = week_of(local_today(work))
    return Payroll(
        pay_week=pay_week,
        statements=build_statements(work, pay_week),
        previous_week=chosen - WEEK,
        next_week=chosen + WEEK if chosen < this_week else None,
        not_closable=find_obstacle(work, pay_week, schedule),
        brief=[*describe_week(pay_week), *describe_beginning(schedule)],
    )


def find_obstacle(work: Work, pay_week: PayWeek, schedule: PaySchedule) -> str | None:
    """Return why the week cannot be closed now, or None if it can."""
    if find_scope(work.actor.roles, "pay", "write") is None:
        return "An admin closes the week."
    if pay_week.status == "CLOSED":
        return "This week is closed."
    try:
        refuse_early_closing(pay_week.week, schedule, work.now, zone_of(work))
    except Refusal as refusal:
        return refusal.message
    return None


def describe_beginning(schedule: PaySchedule) -> list[str]:
    """Return what the first closing decides, as long as no week was opened."""
    return (
        []
        if schedule.first_week
        else ["Pay begins with the first week that is closed: earlier ones are never paid here."]
    )


def describe_week(pay_week: PayWeek) -> list[str]:
    """Return what the week pays, what waits for signatures, and what is still open."""
    if pay_week.status == "PAID_ELSEWHERE":
        return ["This week is before the first one that was closed here: it was paid elsewhere."]
    verb = "paid" if pay_week.status == "CLOSED" else "pays"
    total = format_dollars(sum(pay_week.totals.values()))
    sentences = [f"The week {verb} {total} to {format_count(len(pay_week.totals), 'person', 'people')}."]
    if waiting := len(pay_week.pending):
        amount = format_dollars(sum(pay_week.pending_totals.values()))
        waits = "waits" if waiting == 1 else "wait"
        sentences.append(f"{format_count(waiting, 'unsigned session')} of {amount} {waits} on standby.")
    if still_open := len(pay_week.open_visits):
        are = "is" if still_open == 1 else "are"
        sentences.append(f"{format_count(still_open, 'visit')} of the week {are} over and still open.")
    return sentences
