"""Messages about visits: the reminders of those ahead, and warnings when news about them can reach nobody."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, exists, func, select, text

from practice.messages.outbox import (
    NEWS,
    REMINDER,
    ClientMessage,
    cancel_reminders,
    find_channels,
    load_recipient,
    load_recipients,
    queue_client_messages,
)
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.appointments.rules.reminders import LEADS, plan_reminders
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.statuses import EXPECTED
from practice.security.work import Work

# Warnings for staff, and for clients who are signed in.
UNREACHABLE = (
    "No message can be sent: the record has no email address or phone for the client's messages. Call or add one.",
    "No message can be sent to you. Add an email address or a phone number to your contact details.",
)


# As `find_channels` chooses the channels of one client's reminders: a minor's go to the guardian.
PLAN_REMINDERS = text("""
    insert into messages
        (tenant_id, id, kind, channel, client_id, appointment_id, lead_minutes, due_at, created_at)
    select a.tenant_id, uuidv7(), :kind, channels.channel, a.client_id, a.id, leads.minutes, due.at, :now
    from appointments as a
    join clients as c on c.tenant_id = a.tenant_id and c.id = a.client_id
    join practices as p on p.id = a.tenant_id
    cross join unnest(cast(:leads as integer [])) as leads (minutes)
    cross join lateral (select a.starts_at - make_interval(mins => leads.minutes) as at) as due
    cross join lateral (
        select num_nonnulls(c.guardian_email, c.guardian_phone) > 0 and not c.emancipated
            and c.birth_date > cast((due.at at time zone p.time_zone)::date - interval '18 years' as date) as guarded
    ) as guardian
    cross join lateral (
        values
        ('email', case when guardian.guarded then c.guardian_email else c.email end),
        ('sms', case when guardian.guarded then c.guardian_phone else c.phone end)
    ) as channels (channel, address)
    where a.tenant_id = :tenant_id and a.status = any(:expected) and a.starts_at > :now and due.at > :now
        and channels.address is not null and channels.channel = any(c.reminders)
    on conflict do nothing
""")


def plan_reminders_of_practice(work: Work) -> None:
    """Plan the reminders of all upcoming visits of a practice that have none, such as imported ones."""
    work.db.flush()
    parameters = {"kind": REMINDER, "leads": list(LEADS), "expected": sorted(EXPECTED)}
    work.db.execute(PLAN_REMINDERS, parameters | {"tenant_id": work.tenant_id, "now": work.now})


def list_reminders(work: Work, appointments: Iterable[Appointment]) -> list[ClientMessage]:
    """Return the reminders of the appointments that still lie ahead."""
    return [
        ClientMessage(REMINDER, reminder.due_at, appointment.id, reminder.lead_minutes)
        for appointment in appointments
        for reminder in plan_reminders(appointment.starts_at, work.now, {"any"})
    ]


def queue_reminders(work: Work, client_id: UUID, appointments: Iterable[Appointment]) -> None:
    """Queue the reminders of the client's appointments that still lie ahead, except those queued or sent before."""
    queue_client_messages(work, client_id, load_recipient(work, client_id), list_reminders(work, appointments))


def replan_reminders(work: Work, client_id: UUID) -> None:
    """Replan the reminders of the client's upcoming visits, since the channels or the contact details have changed."""
    work.db.flush()
    query = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.client_id == client_id,
        Appointment.status.in_(EXPECTED),
        Appointment.starts_at > work.now,
        ~is_after_last_day(work),
    )
    appointments = work.db.scalars(query.order_by(Appointment.starts_at)).all()
    if appointments:
        recipient = load_recipient(work, client_id)
        channels = find_channels(recipient, REMINDER, work.now)
        cancel_reminders(work, [appointment.id for appointment in appointments], channels)
        queue_client_messages(work, client_id, recipient, list_reminders(work, appointments))


def is_after_last_day(work: Work) -> ColumnElement[bool]:
    """Return the condition for visits after the last day of their clinician, which nobody will hold."""
    day = cast(func.timezone(zone_of(work).key, Appointment.starts_at), Date)
    return exists().where(
        Staff.tenant_id == Appointment.tenant_id, Staff.id == Appointment.clinician_id, Staff.left_on < day
    )


def replan_reminders_of_clinician(work: Work, staff_id: UUID) -> None:
    """Cancel the reminders of visits after the clinician's last day, which has changed, and replan the others."""
    work.db.flush()
    upcoming = select(Appointment.id, Appointment.client_id, is_after_last_day(work).label("is_dropped")).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.clinician_id == staff_id,
        Appointment.status.in_(EXPECTED),
        Appointment.starts_at > work.now,
    )
    visits = work.db.execute(upcoming).all()
    cancel_reminders(work, [visit.id for visit in visits if visit.is_dropped], frozenset())
    for client_id in sorted({visit.client_id for visit in visits if not visit.is_dropped}):
        replan_reminders(work, client_id)


def find_reach_warnings(work: Work, recipient: Any) -> list[str]:
    """Return a warning if news can reach neither the client nor a minor's guardian now."""
    return [] if find_channels(recipient, NEWS, work.now) else [UNREACHABLE[work.actor.client_id is not None]]


def list_reach_warnings(work: Work, appointments: Iterable[Appointment], *, named: bool = False) -> list[str]:
    """Return a warning for each client whom news about these visits cannot reach, as far as they lie ahead.

    With `named`, each warning begins with the reference of the client's first visit.
    """
    first_visits: dict[UUID, Appointment] = {}
    for appointment in appointments:
        if appointment.starts_at > work.now:
            first_visits.setdefault(appointment.client_id, appointment)
    recipients = load_recipients(work, first_visits) if first_visits else {}
    return [
        f"{visit.reference}: {warning}" if named else warning
        for client_id, visit in first_visits.items()
        for warning in find_reach_warnings(work, recipients[client_id])
    ]
