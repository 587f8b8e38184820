"""Online booking by clients: its window and limits, and refusals in words for them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from practice.errors import Problem
from practice.people.settings import get_setting
from practice.scheduling import errors
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.rules.lifecycle import booking_window_problem, far_ahead_problem
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.work import Work

NOT_ONLINE = Problem("NOT_BOOKABLE_ONLINE", "This service cannot be booked online. Please call the practice.")
OPENS_NO_GROUP = Problem(
    "NOT_BOOKABLE_ONLINE", "Choose one of the group sessions and book a seat in it, or call the practice."
)

# What a client can do about a problem whose message is written for staff.
CLIENT_MESSAGES = {
    "GROUP_FULL": "This group has no seat left. Choose another one, or call the practice.",
    "OUTSIDE_HOURS": "This time is not available. Choose another time, or call the practice.",
    "CLIENT_NOT_ACTIVE": "You cannot book online at the moment. Please call the practice.",
    "CONSENT_MISSING": "A consent is not signed. Sign it online, or call the practice.",
    "CONSENT_DECLINED": "You declined treatment. If you decide for it, sign the consent online, or call the practice.",
    "CONSENT_LAPSED": "A consent has expired. Sign a new one online, or call the practice.",
    "CONSENT_REVOKED": "A consent was revoked. Sign a new one online, or call the practice.",
    "CONSENT_OUTDATED": "Your treatment has changed. Sign a new consent online, or call the practice.",
    "CLINICIAN_NOT_ACTIVE": "This clinician is not available on that day. Choose another one, or call the practice.",
    "SERVICE_NOT_OFFERED": "This service is not available. Choose another one, or call the practice.",
    "ROOM_NOT_USABLE": "This time is not available online. Please call the practice.",
    "NOT_BOOKABLE": "This is not possible online. To change a group, cancel your seat and choose another one, or call "
    "the practice.",
}


def booking_window_problems(work: Work, *starts: datetime) -> list[Problem]:
    """Return a problem for each start that is too far ahead, or too soon for a client who books online."""
    if work.actor.client_id is None:
        messages = [far_ahead_problem(start, work.now) for start in starts]
    else:
        hours_ahead, days_ahead = get_setting(work, "portal_book_hours"), get_setting(work, "portal_book_days")
        messages = [booking_window_problem(start, work.now, hours_ahead, days_ahead) for start in starts]
    return [Problem("OUTSIDE_BOOKING_WINDOW", message) for message in messages if message]


def online_problems(work: Work, request: BookingRequest, context: BookingContext) -> list[Problem]:
    """Return why the caller cannot book this now, beyond what makes it impossible for everybody."""
    problems = booking_window_problems(work, request.starts_at)
    if work.actor.client_id is None:
        return problems
    if not context.row.bookable_online:
        problems.append(NOT_ONLINE)
    elif context.row.service_kind == "GROUP" and request.group_session_id is None:
        problems.append(OPENS_NO_GROUP)
    return problems + open_visit_problems(work)


def open_visit_problems(work: Work) -> list[Problem]:
    """Return a problem if the client who books online has as many open visits as allowed."""
    if work.actor.client_id is None:
        return []
    limit = get_setting(work, "portal_open_visits")
    query = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.client_id == work.actor.client_id,
        Appointment.status.in_(["SCHEDULED", "CONFIRMED"]),
        Appointment.starts_at > work.now,
    )
    number = work.db.scalar(query) or 0
    if number < limit:
        return []
    visits = "1 open visit" if number == 1 else f"{number} open visits"
    message = f"You have {visits}; {limit} can be booked online. Cancel one, or call the practice to book more."
    return [Problem("TOO_MANY_OPEN_VISITS", message)]


def refuse_offline_service(work: Work, service_code: str) -> None:
    """Raise BookingRefused if a client cannot book the service online."""
    if work.actor.client_id is None:
        return
    query = select(Service.bookable_online).where(Service.tenant_id == work.tenant_id, Service.code == service_code)
    if work.db.scalar(query) is False:
        raise errors.build_refusal([NOT_ONLINE])


def address_caller(work: Work, problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems in words for the caller: clients read what they themselves can do."""
    if work.actor.client_id is None:
        return list(problems)
    return [problem._replace(message=CLIENT_MESSAGES.get(problem.code, problem.message)) for problem in problems]
