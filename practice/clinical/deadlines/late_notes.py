"""The 7-day rule: how late the notes of sessions are, and whose charges are held for want of one."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from practice.clinical.deadlines.locking import of_session, signed_session
from practice.clinical.deadlines.rules import Days, Lateness, lateness
from practice.clinical.models.notes import Note
from practice.people.settings import settings_in_force
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work


def days_in_force(work: Work) -> Days:
    value = {one.key: one.value for one in settings_in_force(work)}
    return Days(value["note_reminder_days"], value["note_alert_days"], value["note_hold_days"])


def lateness_of(work: Work, appointment_ids: Collection[UUID]) -> dict[UUID, Lateness]:
    """By the rule as it is in force today."""
    days = days_in_force(work)
    signed_at = select(func.min(Note.signed_at)).where(*of_session()).scalar_subquery()
    query = select(Appointment.id, Appointment.ends_at, signed_at.label("signed_at")).where(
        Appointment.tenant_id == work.tenant_id, Appointment.id.in_(appointment_ids)
    )
    return {row.id: lateness(row.ends_at, row.signed_at, days, work.now) for row in work.db.execute(query)}


def held(work: Work, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Those whose charges have the status HOLD. No claim leaves the house for the others that are `unsigned` either."""
    return {one for one, late in lateness_of(work, appointment_ids).items() if late == "hold"}


def unsigned(work: Work, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Those whose note nobody has signed."""
    query = select(Appointment.id).where(
        Appointment.tenant_id == work.tenant_id, Appointment.id.in_(appointment_ids), ~signed_session()
    )
    return set(work.db.scalars(query))
