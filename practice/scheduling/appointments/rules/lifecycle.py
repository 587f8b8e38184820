"""The life of an appointment: its statuses, which follows which, and how long before its start it may still change."""

from datetime import datetime, timedelta

from practice.local_time import elapsed
from practice.scheduling.statuses import FINAL

# A clinician closes a session at times without having pressed start, or the desk without having checked anybody in.
NEXT = {
    "SCHEDULED": frozenset({"CONFIRMED", "CHECKED_IN", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"}),
    "CONFIRMED": frozenset({"CHECKED_IN", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"}),
    "CHECKED_IN": frozenset({"IN_PROGRESS", "COMPLETED", "CANCELLED"}),
    "IN_PROGRESS": frozenset({"COMPLETED"}),
}

WORDS = {
    "SCHEDULED": "scheduled",
    "CONFIRMED": "confirmed",
    "CHECKED_IN": "checked in",
    "IN_PROGRESS": "in progress",
    "COMPLETED": "completed",
    "NO_SHOW": "a no-show",
    "CANCELLED": "cancelled",
    "RESCHEDULED": "rescheduled",
}


def transition_problem(current: str, wanted: str, starts_at: datetime, now: datetime) -> str | None:
    """Why an appointment cannot go from one status to another now.

    A no-show is one once the appointment should have begun; so is a completion, unless the session is in progress.
    """
    if current == wanted:
        return f"The appointment is {WORDS[current]} already."
    if current in FINAL:
        return f"The appointment is {WORDS[current]}, and that is final."
    if wanted not in NEXT[current]:
        possible = ", ".join(WORDS[status] for status in WORDS if status in NEXT[current])
        return f"An appointment that is {WORDS[current]} cannot become {WORDS[wanted]}; it can become {possible}."
    if wanted in ("NO_SHOW", "COMPLETED") and current != "IN_PROGRESS" and now < starts_at:
        return f"The appointment has not begun; before its start it cannot become {WORDS[wanted]}."
    return None


def portal_change_problem(starts_at: datetime, now: datetime, hours: int) -> str | None:
    """Whether a client may still cancel or move: until so many hours before the start, that instant included."""
    if elapsed(now, starts_at) < timedelta(hours=hours):
        return f"Online you can cancel or move until {hours} hours before the start; please call the practice."
    return None


def booking_window_problem(starts_at: datetime, now: datetime, least_hours: int, most_days: int) -> str | None:
    """Whether a client may book this start; both ends of the window included, days of 24 hours."""
    ahead = elapsed(now, starts_at)
    if ahead < timedelta(hours=least_hours):
        return f"Online you can book from {least_hours} hours ahead; choose a later time or call the practice."
    if ahead > timedelta(days=most_days):
        return f"Online you can book up to {most_days} days ahead; choose an earlier time or call the practice."
    return None


def notice_problem(starts_at: datetime, now: datetime, hours: int) -> str | None:
    """Whether a clinician may still ask for a move; so many hours before the start are notice enough."""
    if elapsed(now, starts_at) < timedelta(hours=hours):
        return f"A request to move needs {hours} hours' notice; please speak to the front desk."
    return None
