"""Corrections of appointments that were checked in, completed or marked as no-show by mistake, while unpaid."""

from uuid import UUID

from sqlalchemy import exists, select

from practice.billing.models.charges import Charge
from practice.clinical.models.notes import Note
from practice.errors import NotFound, Refusal
from practice.payroll.completions import undo_completion
from practice.people.access import visible_staff
from practice.scheduling.appointments.corrections import require_status, revert_status
from practice.scheduling.appointments.lifecycle import lock_appointment
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, require
from practice.security.work import Work


class SessionCharged(Refusal):
    """The session has a charge, so its completion cannot be taken back.

    Fix: void the charge first.
    """

    code = "SESSION_CHARGED"


def revert_appointment(work: Work, scope: Scope, appointment_id: UUID, from_status: str, reason: str) -> Appointment:
    """Take back the status of an appointment. Of a completion, also its price and its session, unless it is paid.

    Taking back a completion voids a session, so it needs the permission for that too.
    """
    appointment = lock_appointment(work, scope, appointment_id)
    require_status(appointment, from_status)
    if from_status == "COMPLETED":
        void_scope = require(work.actor.roles, "session_completions", "write")
        refuse_beyond(work, void_scope, appointment)
        refuse_charged(work, appointment)
        undo_completion(work, appointment, reason)
    return revert_status(work, appointment, reason)


def list_signed_notes(work: Work, appointment: Appointment) -> list[UUID]:
    """Return the signed notes of the appointment, oldest first, which its author can mark as entered in error."""
    query = select(Note.id).where(
        Note.tenant_id == work.tenant_id,
        Note.appointment_id == appointment.id,
        Note.signed_at.is_not(None),
        Note.voided_at.is_(None),
        Note.entered_in_error_at.is_(None),
    )
    return list(work.db.scalars(query.order_by(Note.signed_at, Note.id)))


def refuse_beyond(work: Work, scope: Scope, appointment: Appointment) -> None:
    """Raise NotFound if the scope does not cover the appointment's clinician."""
    query = select(Appointment.id).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.id == appointment.id,
        visible_staff(work, scope, Appointment.clinician_id),
    )
    if work.db.scalar(query) is None:
        raise NotFound


def refuse_charged(work: Work, appointment: Appointment) -> None:
    """Raise SessionCharged if the session has a charge that is not voided."""
    has_charge = exists().where(
        Charge.tenant_id == work.tenant_id, Charge.appointment_id == appointment.id, Charge.voided_at.is_(None)
    )
    if work.db.scalar(select(has_charge)):
        raise SessionCharged("This session has a charge. Void the charge before you take the completion back.")
