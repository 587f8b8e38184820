"""Lifecycle rules: which status may follow which and when, which one a correction goes back to, and how long before its
start an appointment may still change."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from practice.errors import Problem
from practice.local_time import date_before, date_of, elapsed
from practice.scheduling.availability.rules.free_time import MAX_YEARS_AHEAD
from practice.scheduling.statuses import FINAL

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MAX_OVERRUN = 4 * HOUR  # of a session beyond its booked end

# Sessions are at times completed without start or check-in having been recorded.
NEXT = {
    "SCHEDULED": frozenset({"CONFIRMED", "CHECKED_IN", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"}),
    "CONFIRMED": frozenset({"CHECKED_IN", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"}),
    "CHECKED_IN": frozenset({"IN_PROGRESS", "COMPLETED", "CANCELLED"}),
    "IN_PROGRESS": frozenset({"COMPLETED"}),
}

# Statuses that are corrected when they were set by mistake, and the stamps that a status before them does not have yet.
REVERTIBLE = frozenset({"CHECKED_IN", "IN_PROGRESS", "COMPLETED", "NO_SHOW"})
LATER_STAMPS = {
    "SCHEDULED": ("arrived_at", "ready_at", "started_at"),
    "CONFIRMED": ("arrived_at", "ready_at", "started_at"),
    "CHECKED_IN": ("started_at",),
    "IN_PROGRESS": (),
}

LABELS = {
    "SCHEDULED": "scheduled",
    "CONFIRMED": "confirmed",
    "CHECKED_IN": "checked in",
    "IN_PROGRESS": "in progress",
    "COMPLETED": "completed",
    "NO_SHOW": "a no-show",
    "CANCELLED": "cancelled",
    "RESCHEDULED": "rescheduled",
}


def transition_problem(current: str, requested: str, starts_at: datetime, now: datetime) -> str | None:
    """Return why an appointment cannot go from one status to another now. A no-show is possible from the start on."""
    if current == requested:
        return f"The appointment is already {LABELS[current]}."
    if current in FINAL:
        return f"The appointment is {LABELS[current]}, which is final."
    if requested not in NEXT[current]:
        possible = ", ".join(LABELS[status] for status in LABELS if status in NEXT[current])
        return f"An appointment that is {LABELS[current]} cannot become {LABELS[requested]}; it can become {possible}."
    if requested == "NO_SHOW" and now < starts_at:
        return f"The appointment cannot become {LABELS[requested]} before its start."
    return None


def find_status_before(statuses: Sequence[str]) -> str:
    """Return the status before the last one of an appointment's steps, oldest first.

    No transition leads back to an earlier status, so a status that occurs again is a correction: it takes back what
    came after its first occurrence. An appointment that was imported as scheduled has no step before the first one.
    """
    path: list[str] = []
    for status in statuses:
        if status in path:
            del path[path.index(status) + 1 :]
        else:
            path.append(status)
    return path[-2] if len(path) > 1 else "SCHEDULED"


def check_in_day_problem(starts_at: datetime, ends_at: datetime, now: datetime, zone: ZoneInfo) -> str | None:
    """Return why a client cannot be checked in now: it is not a local day of the visit."""
    if date_of(starts_at, zone) <= date_of(now, zone) <= date_before(ends_at, zone):
        return None
    return f"Check-in is possible on the day of the visit, {date_of(starts_at, zone)}."


def early_step_problem(requested: str, starts_at: datetime, now: datetime, minutes: int) -> str | None:
    """Return why a session cannot start or be completed now: it is more than some minutes before its start."""
    if elapsed(now, starts_at) <= timedelta(minutes=minutes):
        return None
    return f"The appointment cannot become {LABELS[requested]} more than {minutes} minutes before its start."


def long_session_problem(minutes: int, begun_at: datetime, booked: timedelta, now: datetime) -> str | None:
    """Return why a session cannot have lasted so many minutes: it began later, or they are hours above the booked."""
    possible = int(elapsed(begun_at, now) / MINUTE)
    if minutes > possible:
        return f"The session can have lasted {possible} minutes by now. Enter at most that, or complete it later."
    usual = int((booked + MAX_OVERRUN) / MINUTE)
    if minutes > usual:
        return f"A session lasts at most {MAX_OVERRUN // HOUR} hours longer than booked. Enter at most {usual} minutes."
    return None


def absent_clinician_problems(hired_on: date, left_on: date | None, day: date, *, begun: bool) -> list[Problem]:
    """Return why a visit on that day is not held: its clinician has left before it, or starts later."""
    if hired_on <= day and (left_on is None or day <= left_on):
        return []
    reason = f"starts on {hired_on}" if day < hired_on else f"left on {left_on}"
    fix = "Take its status back, then reschedule" if begun else "Reschedule"
    message = f"The clinician {reason} and does not hold this visit. {fix} it to another clinician or cancel it."
    return [Problem("CLINICIAN_NOT_ACTIVE", message)]


def portal_change_problem(starts_at: datetime, now: datetime, hours: int) -> str | None:
    """Return why a client can no longer cancel or move: they can until so many hours before the start, inclusive."""
    if elapsed(now, starts_at) < timedelta(hours=hours):
        return f"Online changes are possible until {hours} hours before the start. Please call the practice."
    return None


def booking_window_problem(starts_at: datetime, now: datetime, min_hours: int, max_days: int) -> str | None:
    """Return why a client cannot book this start. Both ends of the window are included; days have 24 hours."""
    ahead = elapsed(now, starts_at)
    if ahead < timedelta(hours=min_hours):
        return f"Online booking starts {min_hours} hours ahead. Choose a later time or call the practice."
    if ahead > timedelta(days=max_days):
        return f"Online booking ends {max_days} days ahead. Choose an earlier time or call the practice."
    return None


def far_ahead_problem(starts_at: datetime, now: datetime) -> str | None:
    """Return why nobody can book this start yet. The end of the two years is included."""
    if starts_at > now + relativedelta(years=MAX_YEARS_AHEAD):
        return f"The time is more than {MAX_YEARS_AHEAD} years ahead. Check the year, or book it later."
    return None


def notice_problem(starts_at: datetime, now: datetime, hours: int) -> str | None:
    """Return why a clinician can no longer request a move: it needs so many hours' notice, inclusive."""
    if elapsed(now, starts_at) < timedelta(hours=hours):
        return f"A reschedule request needs {hours} hours' notice. Please contact the front desk."
    return None
