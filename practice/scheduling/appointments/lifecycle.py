"""The lifecycle of an appointment: confirm, check in, ready, start, complete and no-show."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from practice.errors import FieldProblem, Invalid, NotFound
from practice.messages.outbox import ClientMessage, cancel_pending, load_recipient, queue_client_messages
from practice.people.access import visible_staff
from practice.people.models.clients import Client
from practice.people.practice_time import zone_of
from practice.people.rules.clients import DEMOGRAPHICS
from practice.people.settings import get_setting
from practice.scheduling import errors
from practice.scheduling.appointments.booking import write_steps
from practice.scheduling.appointments.booking_context import BookingContext, load_booking_context
from practice.scheduling.appointments.consents import refuse_without_consents
from practice.scheduling.appointments.move_requests import withdraw_open_requests
from practice.scheduling.appointments.rules.booking_eligibility import (
    describe_missing_demographics,
    find_missing_demographics,
    find_outstanding_items,
    former_client_problems,
)
from practice.scheduling.appointments.rules.lifecycle import (
    absent_clinician_problems,
    check_in_day_problem,
    early_step_problem,
    long_session_problem,
    portal_change_problem,
    transition_problem,
)
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.catalog.quotes import compute_cost
from practice.scheduling.models.appointments import Appointment, AppointmentStep
from practice.scheduling.models.catalog import Service
from practice.scheduling.statuses import BEGUN, FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned

SeriesScope = Literal["this", "this_and_following", "all"]
RESCHEDULABLE = ("SCHEDULED", "CONFIRMED")
PRICE_FIELDS = ("price_cents", "price_from", "copay_cents")  # fixed at completion


@dataclass(frozen=True)
class CheckInResult:
    """A checked-in appointment, and what the front desk still has to obtain from the client."""

    appointment: Appointment
    outstanding_items: list[str] = field(default_factory=list)


def visible_appointments(work: Work, scope: Scope) -> ColumnElement[bool]:
    """Return the condition for visible appointments: clients see their own, staff those within their scope."""
    if work.actor.client_id is not None:
        return Appointment.client_id == work.actor.client_id
    return visible_staff(work, scope, Appointment.clinician_id)


def lock_appointments(work: Work, scope: Scope, ids: Collection[UUID]) -> list[Appointment]:
    """Lock and return the visible appointments among these ids, in order of time."""
    return lock_in_time_order(work, ids, visible_appointments(work, scope))


def lock_in_time_order(
    work: Work, ids: Collection[UUID], *conditions: ColumnElement[bool], waiting: bool = True
) -> list[Appointment]:
    """Lock and return the appointments that exist and meet the conditions.

    One query locks all of them in one order, before any resource or note, so concurrent changes cannot deadlock.
    Without `waiting`, skip those that another transaction has locked.
    """
    query = select(Appointment).where(Appointment.tenant_id == work.tenant_id, Appointment.id.in_(ids), *conditions)
    ordered = query.order_by(Appointment.starts_at, Appointment.id)
    locked = ordered.with_for_update(key_share=True, skip_locked=not waiting)
    return list(work.db.scalars(locked.execution_options(populate_existing=True)))


def lock_appointment(work: Work, scope: Scope, appointment_id: UUID) -> Appointment:
    """Lock and return the appointment, or raise NotFound."""
    appointments = lock_appointments(work, scope, [appointment_id])
    if not appointments:
        raise NotFound
    return appointments[0]


def lock_in_series(
    work: Work, scope: Scope, appointment_id: UUID, series_scope: SeriesScope
) -> tuple[Appointment, list[Appointment]]:
    """Lock and return the named appointment, and all that `series_scope` covers in order of time.

    That is the appointment alone, with those of its series that follow, or all of the series that are still to come.
    Of the others, only those that can still be rescheduled are included.
    """
    if series_scope == "this":
        first = lock_appointment(work, scope, appointment_id)
        return first, [first]
    named, other = aliased(Appointment), aliased(Appointment)
    since = named.starts_at if series_scope == "this_and_following" else work.now
    query = (
        select(other.id)
        .join(named, (named.tenant_id == other.tenant_id) & (named.series_id == other.series_id))
        .where(named.tenant_id == work.tenant_id, named.id == appointment_id)
        .where(other.tenant_id == work.tenant_id, other.starts_at >= since)
    )
    appointments = lock_appointments(work, scope, {appointment_id, *work.db.scalars(query)})
    first = next((appointment for appointment in appointments if appointment.id == appointment_id), None)
    if first is None:
        raise NotFound
    return first, [
        appointment for appointment in appointments if appointment is first or appointment.status in RESCHEDULABLE
    ]


def lock_with_resources(work: Work, scope: Scope, ids: Collection[UUID]) -> None:
    """Lock the appointments, their clients, clinicians and rooms, before each of them takes a step of its own."""
    resources = [
        resource
        for appointment in lock_appointments(work, scope, ids)
        for resource in (appointment.client_id, appointment.clinician_id, appointment.room_id)
    ]
    lock_resources(work, resources)


def lock_clinicians_and_rooms(work: Work, appointments: Iterable[Appointment]) -> None:
    """Lock the clinicians and rooms of the appointments."""
    lock_resources(
        work,
        [resource for appointment in appointments for resource in (appointment.clinician_id, appointment.room_id)],
    )


def confirm(work: Work, scope: Scope, appointment_id: UUID, note: str | None = None) -> Appointment:
    appointment = lock_appointment(work, scope, appointment_id)
    refuse_transition(work, appointment, "CONFIRMED")
    refuse_absent_clinician(appointment, load_appointment_context(work, appointment))
    return set_status(work, appointment, "CONFIRMED", note)


def check_in(
    work: Work, scope: Scope, appointment_id: UUID, note: str | None = None, consent_override_reason: str | None = None
) -> CheckInResult:
    """Record that the client has arrived, and return what the front desk still has to obtain."""
    appointment = lock_appointment(work, scope, appointment_id)
    refuse_transition(work, appointment, "CHECKED_IN")
    context = load_appointment_context(work, appointment)
    missing = missing_demographics_of(work, context)
    outstanding_items = find_outstanding_items(
        context.client,
        starts_at=appointment.starts_at,
        telehealth=appointment.telehealth,
        missing=missing,
        now=work.now,
        zone=context.zone,
    )
    refuse_inactive_client(appointment, context)
    refuse_absent_clinician(appointment, context)
    override_reason = refuse_without_consents(work, appointment, context, consent_override_reason)
    checked_in = set_status(work, appointment, "CHECKED_IN", note, override_reason, arrived_at=work.now)
    cancel_pending(work, [appointment.id])  # no reminder for a client who is here
    return CheckInResult(checked_in, outstanding_items)


def mark_ready(work: Work, scope: Scope, appointment_id: UUID) -> Appointment:
    """Record that the clinician is ready for the client who has arrived."""
    appointment = lock_appointment(work, scope, appointment_id)
    if appointment.status != "CHECKED_IN" or appointment.ready_at is not None:
        raise errors.WrongStatus(
            "The clinician can be marked ready once, between check-in and the start of the session."
        )
    update_versioned(appointment, {"ready_at": work.now})
    work.record("appointment.ready", "appointment", appointment.id)
    return appointment


def start_session(
    work: Work, scope: Scope, appointment_id: UUID, note: str | None = None, consent_override_reason: str | None = None
) -> Appointment:
    """Record that the session has begun."""
    appointment = lock_appointment(work, scope, appointment_id)
    refuse_transition(work, appointment, "IN_PROGRESS")
    context = load_appointment_context(work, appointment)
    refuse_absent_clinician(appointment, context)
    override_reason = refuse_without_consents(work, appointment, context, consent_override_reason)
    return set_status(work, appointment, "IN_PROGRESS", note, override_reason, started_at=work.now)


def complete(
    work: Work,
    scope: Scope,
    appointment_id: UUID,
    actual_minutes: int | None = None,
    note: str | None = None,
    consent_override_reason: str | None = None,
) -> Appointment:
    """Record that the session took place and fix its price, which later rate changes do not affect."""
    appointment = lock_appointment(work, scope, appointment_id)
    refuse_transition(work, appointment, "COMPLETED")
    refuse_impossible_minutes(work, appointment, actual_minutes)
    context = load_appointment_context(work, appointment)
    refuse_inactive_client(appointment, context)
    refuse_absent_clinician(appointment, context)
    override_reason = refuse_without_consents(work, appointment, context, consent_override_reason)
    missing = missing_demographics_of(work, context)
    if missing:
        raise errors.DemographicsMissing(describe_missing_demographics(missing), missing=missing)
    cost = compute_cost(work, context.quote_request)
    if actual_minutes is None and appointment.started_at is not None:
        actual_minutes = max(1, round((work.now - appointment.started_at).total_seconds() / 60))
    price = (cost.cents, cost.source, cost.copay_cents) if cost else (None, None, None)
    fixed = dict(zip(PRICE_FIELDS, price, strict=True))
    set_status(work, appointment, "COMPLETED", note, override_reason, actual_minutes=actual_minutes, **fixed)
    cancel_pending(work, [appointment.id])
    return appointment


def refuse_impossible_minutes(work: Work, appointment: Appointment, actual_minutes: int | None) -> None:
    """Raise Invalid if the session cannot have lasted so long by now."""
    if actual_minutes is None:
        return
    earliest = appointment.starts_at - timedelta(minutes=get_setting(work, "early_start_minutes"))
    begun_at = min(earliest, appointment.started_at or earliest)
    problem = long_session_problem(actual_minutes, begun_at, appointment.ends_at - appointment.starts_at, work.now)
    if problem:
        raise Invalid([FieldProblem("actual_minutes", problem)])


def mark_no_show(work: Work, scope: Scope, appointment_id: UUID, note: str | None = None) -> Appointment:
    appointment = lock_appointment(work, scope, appointment_id)
    refuse_transition(work, appointment, "NO_SHOW")
    refuse_absent_clinician(appointment, load_appointment_context(work, appointment))
    set_status(work, appointment, "NO_SHOW", note)
    cancel_pending(work, [appointment.id])
    queue_messages(work, appointment.client_id, [ClientMessage("NO_SHOW_FOLLOW_UP", work.now, appointment.id)])
    return appointment


def refuse_late_changes(work: Work, appointments: Sequence[Appointment], status: str) -> None:
    """Raise WrongStatus if any appointment cannot change, or TooLate if a client changes it too close to the start."""
    problems = [
        transition_problem(appointment.status, status, appointment.starts_at, work.now) for appointment in appointments
    ]
    distinct = dict.fromkeys(problem for problem in problems if problem)
    if distinct and work.actor.client_id is not None:
        raise errors.WrongStatus("This appointment can no longer be changed online. Please call the practice.")
    if distinct:
        raise errors.WrongStatus(" ".join(distinct))
    if work.actor.client_id is not None:
        hours = get_setting(work, "portal_change_hours")
        late = [portal_change_problem(appointment.starts_at, work.now, hours) for appointment in appointments]
        if any(late):
            raise errors.TooLate(next(problem for problem in late if problem))


def refuse_transition(work: Work, appointment: Appointment, status: str) -> None:
    """Raise WrongStatus if the appointment cannot take this status now."""
    problem = transition_problem(appointment.status, status, appointment.starts_at, work.now)
    problem = problem or find_timing_problem(work, appointment, status)
    if problem:
        raise errors.WrongStatus(problem)


def find_timing_problem(work: Work, appointment: Appointment, status: str) -> str | None:
    """Return why it is not the day to check in, or too early to start or complete the session."""
    start = appointment.starts_at
    if status == "CHECKED_IN":
        return check_in_day_problem(start, appointment.ends_at, work.now, zone_of(work))
    if status in ("IN_PROGRESS", "COMPLETED") and work.now < start:
        return early_step_problem(status, start, work.now, get_setting(work, "early_start_minutes"))
    return None


def transition(work: Work, appointment: Appointment, status: str, note: str | None, **changes: Any) -> Appointment:
    """Change the status now, with its step and audit entry, or raise WrongStatus."""
    refuse_transition(work, appointment, status)
    return set_status(work, appointment, status, note, **changes)


def set_status(
    work: Work,
    appointment: Appointment,
    status: str,
    note: str | None,
    consent_override_reason: str | None = None,
    **changes: Any,
) -> Appointment:
    """Set a status that `refuse_transition` has allowed, with its step and audit entry, which has a fixed price too."""
    if appointment.status != "SCHEDULED" and appointment.external_id is not None:
        add_imported_step(work, appointment)
    update_versioned(appointment, {"status": status, "status_at": work.now, **changes})
    with errors.translate_constraint_errors():
        work.db.flush()
    write_steps(work, [(appointment.id, status, note)], consent_override_reason)
    if status in FINAL:
        withdraw_open_requests(work, [appointment.id], status)
    fixed = {name: changes[name] for name in PRICE_FIELDS if name in changes}
    work.record(f"appointment.{status.lower()}", "appointment", appointment.id, **fixed)
    return appointment


def add_imported_step(work: Work, appointment: Appointment) -> None:
    """Record the status with which an appointment was imported, without steps, so that a correction goes back to it."""
    has_steps = exists().where(
        AppointmentStep.tenant_id == work.tenant_id, AppointmentStep.appointment_id == appointment.id
    )
    if not work.db.scalar(select(has_steps)):
        step = AppointmentStep(
            tenant_id=work.tenant_id,
            id=new_id(),
            appointment_id=appointment.id,
            status=appointment.status,
            at=min(appointment.status_at or appointment.created_at, work.now),
        )
        work.db.add(step)


def refuse_inactive_client(appointment: Appointment, context: BookingContext) -> None:
    """Raise ClientNotActive at the first step of a visit after the end of treatment. A visit that has begun goes on."""
    problems = former_client_problems(context.client, appointment.starts_at, context.zone)
    if problems and appointment.status not in BEGUN:
        raise errors.build_refusal(problems)


def refuse_absent_clinician(appointment: Appointment, context: BookingContext) -> None:
    """Raise ClinicianNotActive at each step of a visit on a day when the clinician does not work for the practice.

    A visit on or before the last day can still be recorded late.
    """
    row = context.row
    problems = absent_clinician_problems(row.hired_on, row.left_on, row.on_date, begun=appointment.status in BEGUN)
    if problems:
        raise errors.build_refusal(problems)


def queue_messages(work: Work, client_id: UUID, messages: Sequence[ClientMessage]) -> None:
    """Queue messages to the client, or to a minor's guardian."""
    queue_client_messages(work, client_id, load_recipient(work, client_id), messages)


def load_appointment_context(work: Work, appointment: Appointment, starts_at: datetime | None = None) -> BookingContext:
    """Load the booking context of an existing appointment."""
    service = work.db.get_one(Service, (work.tenant_id, appointment.service_id))
    return load_booking_context(
        work,
        client_id=appointment.client_id,
        clinician_id=appointment.clinician_id,
        service_code=service.code,
        room_id=appointment.room_id,
        starts_at=starts_at or appointment.starts_at,
    )


def missing_demographics_of(work: Work, context: BookingContext) -> list[str]:
    """Return the names of the demographics that a completed visit needs and the client's record lacks."""
    row = context.row
    client = work.db.get_one(Client, (work.tenant_id, row.client_id))
    fields = {name: getattr(client, name) for name in DEMOGRAPHICS}
    return find_missing_demographics(fields, self_pay=row.self_pay, covered=row.payer_id is not None)
