"""Rules about when a session's note is due and who writes it: its week and deadline, its lock, and the 7-day rule."""

from collections.abc import Collection
from datetime import date, datetime, time
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from practice.local_time import DAY, WEEK, cut_off, date_of, to_instant, week_of

NO_SESSION_NOTES = ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY")  # also when they are linked to a session

Lateness = Literal["ok", "remind", "alert", "hold"]


class Lock(NamedTuple):
    """The latest lock or unlock of a session."""

    kind: Literal["LOCKED", "UNLOCKED"]
    at: datetime
    until: datetime | None = None
    by_hand: bool = False  # by a person, not by the deadline


class LockState(NamedTuple):
    """Since when an unsigned session is locked, and by what."""

    since: datetime
    cause: Literal["DEADLINE", "BY_HAND"]


class LatenessDays(NamedTuple):
    """Days after a session until its clinician is reminded, its supervisor alerted and its charge held."""

    remind: int
    alert: int
    hold: int


def deadline_of(starts_at: datetime, zone: ZoneInfo) -> datetime:
    """Return until when the note of a session is signed in time."""
    return cut_off(week_of(date_of(starts_at, zone)), zone)


def find_lock_state(deadline: datetime, last: Lock | None, now: datetime) -> LockState | None:
    """Return since when and why an unsigned session is locked, or None if its note can be written.

    The deadline locks by itself, whether or not a job has run. An unlock lasts until its `until`, also when the
    deadline passes in between.
    """
    if last is not None and last.at <= now:
        if last.kind == "LOCKED":
            return LockState(last.at, "BY_HAND" if last.by_hand else "DEADLINE")
        if last.until is not None and now < last.until:
            return None
        if last.until is not None and last.until > deadline:
            return LockState(last.until, "DEADLINE")
    return LockState(deadline, "DEADLINE") if deadline <= now else None


def compute_lateness(ends_at: datetime, signed_at: datetime | None, days: LatenessDays, now: datetime) -> Lateness:
    """Return how late a session's note is by the 7-day rule. Days are 24 hours, counted from the session's end."""
    if signed_at is not None and signed_at <= now:
        return "ok"
    steps: tuple[tuple[int, Lateness], ...] = ((days.hold, "hold"), (days.alert, "alert"), (days.remind, "remind"))
    return next((step for days_after, step in steps if ends_at + days_after * DAY <= now), "ok")


def compute_reminder_times(week: date, zone: ZoneInfo) -> dict[str, datetime]:
    """Return when clinicians are reminded of a week's unsigned notes: on its Friday and on the Sunday after it."""
    return {
        "NOTE_REMINDER_FRIDAY": to_instant(week + 5 * DAY, time(9), zone),
        "NOTE_REMINDER_SUNDAY": to_instant(week + WEEK, time(12), zone),
    }


def can_finish_for_leaver(roles: Collection[str], is_supervisor: bool) -> bool:
    """Return whether a clinician can write the note of a session that somebody held who has left the practice.

    Their supervisor can, and an admin who is a clinician. They sign it in their own name.
    """
    return "clinician" in roles and ("admin" in roles or ("supervisor" in roles and is_supervisor))
