"""Consents in scheduling: the open visits of a client without them, and the first step of a visit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select

from practice.errors import Problem
from practice.people.rules.consents import LABELS, TELEHEALTH
from practice.scheduling import errors
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.rules.booking_eligibility import (
    find_unsigned_consents,
    find_visit_problems,
    open_visit_problem,
)
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.statuses import BEGUN, FINAL
from practice.security.work import Work


def limit_open_visits(
    work: Work, request: BookingRequest, context: BookingContext, problems_by_start: dict[datetime, list[Problem]]
) -> None:
    """Add a problem to each start that would be a further open visit of a client without the consents due.

    Starts with other problems do not count, since they are not booked. A move opens no further visit. Called again once
    the client is locked.
    """
    unsigned = {
        start: find_unsigned_consents(context.client, starts_at=start, now=work.now, zone=context.zone)
        for start in problems_by_start
    }
    if request.moved_from or not any(unsigned.values()):
        return
    open_visits = count_open_visits(work, request.client_id)
    for start, problems in problems_by_start.items():
        if open_visits and unsigned[start]:
            problems.append(open_visit_problem(unsigned[start]))
        open_visits += not problems


def count_open_visits(work: Work, client_id: UUID) -> int:
    query = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id, Appointment.client_id == client_id, Appointment.status.not_in(FINAL)
    )
    return work.db.scalar(query) or 0


def refuse_without_consents(
    work: Work, appointment: Appointment, context: BookingContext, override_reason: str | None
) -> str | None:
    """Raise ConsentMissing or another refusal at the first step of a visit, or when the session begins if a consent has
    ended since the check-in. A later revocation does not end a session.

    The informed and the guardian's consent can be overridden with a reason, the telehealth consent cannot. Return the
    reason if it was needed: it belongs to the step, because the audit log contains no free text about clients.
    """
    if appointment.status in BEGUN and not has_waited_without(appointment, context, work.now):
        return None
    problem_by_kind = find_problems_at(appointment, context, work.now)
    if TELEHEALTH in problem_by_kind:
        raise errors.ConsentMissing(f"The {LABELS[TELEHEALTH]} must be signed before a telehealth visit.")
    problems = list(problem_by_kind.values())
    if any(problem.code == "CONSENT_MISSING" for problem in problems) and is_first_visit(work, appointment):
        problems = [problem for problem in problems if problem.code != "CONSENT_MISSING"]
    if not problems:
        return None
    if override_reason is None:
        hint = "Or go on without it for a reason (`consent_override_reason`)."
        raise errors.build_refusal([problem._replace(message=f"{problem.message} {hint}") for problem in problems])
    codes = [problem.code for problem in problems]
    work.record("appointment.consent_overridden", "appointment", appointment.id, problems=codes)
    return override_reason


def has_waited_without(appointment: Appointment, context: BookingContext, now: datetime) -> bool:
    """Return whether a consent that the client had at check-in has ended while they waited."""
    arrived_at = appointment.arrived_at
    if appointment.status != "CHECKED_IN" or arrived_at is None:
        return False
    at_check_in, by_now = (find_problems_at(appointment, context, instant) for instant in (arrived_at, now))
    return not by_now.keys() <= at_check_in.keys()


def find_problems_at(appointment: Appointment, context: BookingContext, instant: datetime) -> dict[str, Problem]:
    """Return why the visit cannot take place as things stand at the instant, by the kind of the consent."""
    return find_visit_problems(
        context.client,
        starts_at=appointment.starts_at,
        telehealth=appointment.telehealth,
        now=instant,
        zone=context.zone,
        can_begin=instant < appointment.ends_at or appointment.status == "CHECKED_IN",
    )


def is_first_visit(work: Work, appointment: Appointment) -> bool:
    """Return whether no other visit of the client has begun. Locks the client: two visits cannot both be the first."""
    lock_resources(work, [appointment.client_id])
    begun = exists().where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.client_id == appointment.client_id,
        Appointment.id != appointment.id,
        Appointment.status.in_(BEGUN),
    )
    return not work.db.scalar(select(begun))
