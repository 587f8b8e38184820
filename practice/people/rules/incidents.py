"""Whom an incident makes the practice tell, by when, and how far it is. Values in, values out."""

from datetime import date, datetime, timedelta

MEDIA_FROM = 500  # people affected


def notices_due(people_affected: int | None, detected_on: date, days: int) -> dict[str, date]:
    """Who has to be told -> by when. Nobody while nobody is known to be affected."""
    if not people_affected:
        return {}
    recipients = ("INDIVIDUALS", "AUTHORITY", *(("MEDIA",) if people_affected >= MEDIA_FROM else ()))
    return dict.fromkeys(recipients, detected_on + timedelta(days=days))


def status_of(responded_at: datetime | None, people_affected: int | None, unsent: int) -> str:
    """Closed is what was responded to, once it is known how many were affected and all who have to be told are."""
    if responded_at is None:
        return "OPEN"
    if unsent:
        return "NOTICES_DUE"
    return "RESPONDED" if people_affected is None else "CLOSED"


def incident_problems(detected_at: datetime, responded_at: datetime | None, now: datetime) -> list[str]:
    problems = []
    if detected_at > now:
        problems.append("detected_at lies in the future.")
    if responded_at is not None and responded_at > now:
        problems.append("responded_at lies in the future.")
    if responded_at is not None and responded_at < detected_at:
        problems.append("responded_at lies before the detection.")
    return problems
