"""The page of payroll: a pay week with what it pays to whom, what waits, and whether it can be closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from practice.dashboards.words import count_noun, format_dollars
from practice.local_time import WEEK, open_week, week_of
from practice.payroll.lines import PayWeek
from practice.payroll.models import PayPeriod
from practice.payroll.periods import read_week
from practice.payroll.statements import Statement, build_statements
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope
from practice.security.work import Work

MAX_WEEKS = 26


class WeekEntry(NamedTuple):
    """A pay week in the list."""

    week: date
    is_closed: bool


@dataclass(frozen=True)
class Payroll:
    """Everything that the page shows at first."""

    pay_week: PayWeek
    statements: Sequence[Statement]
    weeks: Sequence[WeekEntry]
    previous_week: date
    next_week: date | None
    not_closable: str | None  # why the week cannot be closed now
    brief: Sequence[str]


def load_payroll(work: Work, scope: Scope, week: date | None) -> Payroll:
    """Return the page of a pay week, by default the next one to close, else the one that is still open."""
    zone = zone_of(work)
    periods = {period.week: period for period in load_periods(work)}
    closed = [each for each, period in periods.items() if period.closed_at is not None]
    next_to_close = max(closed) + WEEK if closed else None
    chosen = week or min(next_to_close or open_week(work.now, zone), open_week(work.now, zone))
    pay_week = read_week(work, scope, chosen, work.now)
    this_week = week_of(work.now.astimezone(zone).date())
    return Payroll(
        pay_week=pay_week,
        statements=build_statements(work, pay_week),
        weeks=[WeekEntry(each, periods[each].closed_at is not None) for each in sorted(periods, reverse=True)][
            :MAX_WEEKS
        ],
        previous_week=chosen - WEEK,
        next_week=chosen + WEEK if chosen < this_week else None,
        not_closable=find_obstacle(work, pay_week, next_to_close),
        brief=describe_week(pay_week),
    )


def load_periods(work: Work) -> Sequence[PayPeriod]:
    return work.db.scalars(select(PayPeriod).where(PayPeriod.tenant_id == work.tenant_id)).all()


def find_obstacle(work: Work, pay_week: PayWeek, next_to_close: date | None) -> str | None:
    """Return why the week cannot be closed now, or None if it can."""
    if pay_week.status == "CLOSED":
        return "This week is closed."
    if pay_week.status == "PAID_ELSEWHERE":
        return "This week is before the first one with pay here."
    if work.now < pay_week.cut_off:
        return "It can be closed after its cut-off."
    if next_to_close is not None and pay_week.week != next_to_close:
        return f"The week of {next_to_close} has to be closed first."
    return None


def describe_week(pay_week: PayWeek) -> list[str]:
    """Return what the week pays, what waits for signatures, and what is still open."""
    verb = "paid" if pay_week.status == "CLOSED" else "pays"
    total = format_dollars(sum(pay_week.totals.values()))
    sentences = [f"The week {verb} {total} to {count_noun(len(pay_week.totals), 'person', 'people')}."]
    if waiting := len(pay_week.pending):
        amount = format_dollars(sum(pay_week.pending_totals.values()))
        waits = "waits" if waiting == 1 else "wait"
        sentences.append(f"{count_noun(waiting, 'unsigned session')} of {amount} {waits} on standby.")
    if still_open := len(pay_week.open_visits):
        are = "is" if still_open == 1 else "are"
        sentences.append(f"{count_noun(still_open, 'visit')} of the week {are} over and still open.")
    return sentences
