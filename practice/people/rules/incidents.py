"""Rules about incidents: required notices, their deadlines, and an incident's status."""

from datetime import date, datetime, timedelta

from practice.errors import FieldProblem

MEDIA_NOTICE_MINIMUM = 500  # people affected


def compute_notice_deadlines(people_affected: int | None, detected_on: date, days: int) -> dict[str, date]:
    """Return the due date per recipient group; empty while nobody is known to be affected."""
    if not people_affected:
        return {}
    recipients = ("INDIVIDUALS", "AUTHORITY", *(("MEDIA",) if people_affected >= MEDIA_NOTICE_MINIMUM else ()))
    return dict.fromkeys(recipients, detected_on + timedelta(days=days))


def derive_status(responded_at: datetime | None, people_affected: int | None, unsent: int) -> str:
    """Return the status; CLOSED requires a response, a known number of people affected and every notice sent."""
    if responded_at is None:
        return "OPEN"
    if unsent:
        return "NOTICES_DUE"
    return "RESPONDED" if people_affected is None else "CLOSED"


def incident_problems(detected_at: datetime, responded_at: datetime | None, now: datetime) -> list[FieldProblem]:
    problems = []
    if detected_at > now:
        problems.append(FieldProblem("detected_at", "The detection is in the future. Choose now or earlier."))
    if responded_at is not None and responded_at > now:
        problems.append(FieldProblem("responded_at", "The response is in the future. Choose now or earlier."))
    if responded_at is not None and responded_at < detected_at:
        problems.append(FieldProblem("responded_at", "The response is before the detection. Choose a later time."))
    return problems
