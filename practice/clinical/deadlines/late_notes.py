"""The 7-day rule: how late the notes of sessions are, and which charges are on hold because of it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from practice.clinical.deadlines.locking import has_signed_note, is_session_note
from practice.clinical.deadlines.rules import Lateness, LatenessDays, compute_lateness
from practice.clinical.models.notes import Note
from practice.people.settings import list_effective_settings
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work


def load_lateness_days(work: Work) -> LatenessDays:
    values = {setting.key: setting.value for setting in list_effective_settings(work)}
    return LatenessDays(values["note_reminder_days"], values["note_alert_days"], values["note_hold_days"])


def load_lateness(work: Work, appointment_ids: Collection[UUID]) -> dict[UUID, Lateness]:
    """Return how late the notes of the sessions are, by the settings in force today."""
    days = load_lateness_days(work)
    signed_at = select(func.min(Note.signed_at)).where(*is_session_note()).scalar_subquery()
    query = select(Appointment.id, Appointment.ends_at, signed_at.label("signed_at")).where(
        Appointment.tenant_id == work.tenant_id, Appointment.id.in_(appointment_ids)
    )
    return {row.id: compute_lateness(row.ends_at, row.signed_at, days, work.now) for row in work.db.execute(query)}


def find_held_sessions(work: Work, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Return sessions whose charges have the status HOLD.

    Claims are not sent for other sessions in `find_unsigned_sessions` either.
    """
    lateness = load_lateness(work, appointment_ids)
    return {appointment_id for appointment_id in lateness if lateness[appointment_id] == "hold"}


def find_unsigned_sessions(work: Work, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Return sessions without a signed note."""
    query = select(Appointment.id).where(
        Appointment.tenant_id == work.tenant_id, Appointment.id.in_(appointment_ids), ~has_signed_note()
    )
    return set(work.db.scalars(query))
