"""Intake forms in scheduling: messages about declined treatment, and bookings with intake answers."""

from uuid import UUID

from sqlalchemy import select

from practice.errors import Problem
from practice.messages.outbox import StaffMessage, list_staff_with_roles, queue_staff_messages_once
from practice.people import intake
from practice.people.models.clients import Client, IntakeForm
from practice.people.models.practices import Staff
from practice.people.rules.intake import Answers, is_treatment_declined
from practice.scheduling import errors
from practice.scheduling.appointments.booking import BookingResult, book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.security.permissions import Scope, require
from practice.security.work import Work


def complete_intake(work: Work, scope: Scope, form_id: UUID) -> IntakeForm:
    """Complete the form. If it declines treatment, notify the primary clinician or else the admins."""
    form = intake.complete_form(work, scope, form_id)
    if form.treatment_declined:
        staff_ids = list_staff_to_notify(work, form.client_id)
        queue_staff_messages_once(
            work, (StaffMessage("TREATMENT_DECLINED", work.now, staff_id, form.client_id) for staff_id in staff_ids)
        )
    return form


def list_staff_to_notify(work: Work, client_id: UUID) -> list[UUID]:
    """Return the client's primary clinician, if still here, or else the admins."""
    query = select(Staff.id).join(
        Client, (Client.tenant_id == Staff.tenant_id) & (Client.primary_clinician_id == Staff.id)
    )
    query = query.where(Client.tenant_id == work.tenant_id, Client.id == client_id, Staff.deactivated_at.is_(None))
    return list(work.db.scalars(query)) or list_staff_with_roles(work, "admin")


def book_with_intake(
    work: Work, request: BookingRequest, answers: Answers | None
) -> tuple[BookingResult, IntakeForm | None]:
    """Book an appointment and save the answers in the client's intake form, which is completed if nothing is missing.

    Answers that decline treatment book nothing.
    """
    if answers is None:
        return book(work, request), None
    scope = require(work.actor.roles, "intake", "write")
    if is_treatment_declined(answers.get("agreements", {})):
        message = "The answers decline treatment, so nothing was booked or saved. Complete the intake form instead."
        raise errors.build_refusal([Problem("CONSENT_DECLINED", message)])
    booked = book(work, request)
    form = intake.save_answers(work, scope, request.client_id, booked.appointment.id, answers)
    return booked, complete_intake(work, scope, form.id) if intake.is_complete(work, form) else form
