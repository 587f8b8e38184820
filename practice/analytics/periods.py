"""Periods of metrics: days, weeks from Sunday on, months and quarters of local dates."""

from datetime import date
from typing import Literal

from dateutil.relativedelta import relativedelta

from practice.local_time import DAY, WEEK, week_of

PeriodKind = Literal["day", "week", "month", "quarter"]
LENGTHS = {"day": DAY, "week": WEEK, "month": relativedelta(months=1), "quarter": relativedelta(months=3)}


def start_of_period(kind: str, day: date) -> date:
    """Return the first day of the period that contains the day."""
    if kind == "week":
        return week_of(day)
    if kind == "quarter":
        return date(day.year, day.month - (day.month - 1) % 3, 1)
    return day.replace(day=1) if kind == "month" else day


def shift_period(kind: str, start: date, number: int) -> date:
    """Return the first day of the period so many periods later, or earlier if the number is negative."""
    return start + number * LENGTHS[kind]


def last_day_of_period(kind: str, start: date) -> date:
    return shift_period(kind, start, 1) - DAY
