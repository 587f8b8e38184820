"""Rules of a session's note in time: its week, the deadline that ends it, when it is locked, and the 7-day rule."""

from datetime import date, datetime, time
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from practice.local_time import DAY, WEEK, cut_off, date_of, instant, week_of

NO_SESSION_NOTES = ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY")  # whatever session they are linked to

Lateness = Literal["ok", "remind", "alert", "hold"]


class Lock(NamedTuple):
    """What was done last to a session's lock."""

    kind: Literal["LOCKED", "UNLOCKED"]
    at: datetime
    until: datetime | None = None


class Days(NamedTuple):
    """How many days after a session its clinician is reminded, a supervisor is told, and the charge is held."""

    remind: int
    alert: int
    hold: int


def deadline_of(starts_at: datetime, zone: ZoneInfo) -> datetime:
    """Until when a session's note is signed in time."""
    return cut_off(week_of(date_of(starts_at, zone)), zone)


def locked_since(deadline: datetime, last: Lock | None, now: datetime) -> datetime | None:
    """Since when an unsigned session is locked; None while it can be written up.

    The deadline locks by itself, whether or not anybody has noted it. Whoever unlocks does so until a moment, and what
    was unlocked before its deadline stays open until that moment at least.
    """
    if last is not None and last.at <= now:
        if last.kind == "LOCKED":
            return last.at
        if last.until is not None and now < last.until:
            return None
        if last.until is not None and last.until > deadline:
            return last.until
    return deadline if deadline <= now else None


def lateness(ends_at: datetime, signed_at: datetime | None, days: Days, now: datetime) -> Lateness:
    """Of a session's note by the 7-day rule. Days are times of 24 hours after the end."""
    if signed_at is not None and signed_at <= now:
        return "ok"
    steps: tuple[tuple[int, Lateness], ...] = ((days.hold, "hold"), (days.alert, "alert"), (days.remind, "remind"))
    return next((word for number, word in steps if ends_at + number * DAY <= now), "ok")


def due_instants(week: date, zone: ZoneInfo) -> dict[str, datetime]:
    """When the clinicians of a week are reminded of what they have not signed: on its Friday and on the day it ends."""
    return {
        "NOTE_REMINDER_FRIDAY": instant(week + 5 * DAY, time(9), zone),
        "NOTE_REMINDER_SUNDAY": instant(week + WEEK, time(12), zone),
    }
