"""Queries of the schedule: lists, one appointment and calendars."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, any_, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from practice.errors import FieldProblem, Invalid, NotFound
from practice.local_time import DAY, start_of_day
from practice.people.access import find_shown_client, visible_staff
from practice.people.practice_time import zone_of
from practice.scheduling.appointments.lifecycle import visible_appointments
from practice.scheduling.availability.outside_hours import find_visits_outside_hours
from practice.scheduling.models.appointments import Appointment, AppointmentStep, GroupSession
from practice.scheduling.models.availability import Block
from practice.scheduling.models.waitlist import WaitlistOffer
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page

View = Literal["day", "week", "month"]
MAX_CALENDAR_APPOINTMENTS = 5000


@dataclass(frozen=True)
class Filters:
    """Filters of an appointment list; both instants bound the start, `until` exclusively."""

    reference: str | None = None
    client_id: UUID | None = None
    clinician_id: UUID | None = None
    room_id: UUID | None = None
    series_id: UUID | None = None
    statuses: Collection[str] | None = None
    outside_hours: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class CalendarDay:
    """A local date with its appointments, its blocks, and the times held for clients of the waitlist."""

    on: date
    appointments: list[Appointment]
    blocks: list[Block]
    holds: list[WaitlistOffer]


def list_appointments(work: Work, scope: Scope, page_request: PageRequest, filters: Filters) -> Page:
    """Return a page of appointments, and record the access."""
    sortable = {"starts_at": Appointment.starts_at, "created_at": Appointment.created_at, "id": Appointment.id}
    query = select_appointments(work, scope, filters)
    page = fetch_page(work.db, query, page_request, sortable, Appointment.id, "starts_at")
    client_ids = (appointment.client_id for appointment in page.items)
    shown_id = find_shown_client(work, scope, filters.client_id, page.items)
    subject_kind = "client" if shown_id else None
    work.record_list("appointments.listed", client_ids, subject_kind, shown_id, found=len(page.items))
    return page


def select_appointments(work: Work, scope: Scope, filters: Filters) -> Select[Appointment]:
    equal = {
        Appointment.client_id: filters.client_id,
        Appointment.clinician_id: filters.clinician_id,
        Appointment.room_id: filters.room_id,
        Appointment.series_id: filters.series_id,
    }
    conditions = [visible_appointments(work, scope)]
    conditions += [column == value for column, value in equal.items() if value is not None]
    if filters.reference is not None:  # as written: imported references may have small letters
        conditions.append(Appointment.reference.in_([filters.reference, filters.reference.upper()]))
    if filters.statuses is not None:  # compared with one, the rows come in order from an index
        one = next(iter(filters.statuses)) if len(filters.statuses) == 1 else None
        conditions.append(Appointment.status.in_(filters.statuses) if one is None else Appointment.status == one)
    conditions += [] if filters.since is None else [Appointment.starts_at >= filters.since]
    conditions += [] if filters.until is None else [Appointment.starts_at < filters.until]
    if filters.outside_hours:
        conditions.append(has_id(Appointment, find_visits_outside_hours(work, *conditions)))
    return select(Appointment).where(Appointment.tenant_id == work.tenant_id, *conditions)


def has_id(table: type[Appointment] | type[GroupSession], ids: Collection[UUID]) -> ColumnElement[bool]:
    """Return the condition for rows with these ids, which may be many: one array, not a parameter each."""
    return table.id == any_(literal(list(ids), ARRAY(Uuid())))


def get_appointment(work: Work, scope: Scope, appointment_id: UUID) -> Appointment:
    query = select_appointments(work, scope, Filters()).where(Appointment.id == appointment_id)
    appointment = work.db.scalar(query)
    if appointment is None:
        raise NotFound
    work.record("appointment.read", "appointment", appointment_id)
    return appointment


def list_steps(work: Work, scope: Scope, appointment_id: UUID) -> list[AppointmentStep]:
    """Return the status history of the appointment, oldest first."""
    get_appointment(work, scope, appointment_id)
    query = select(AppointmentStep).where(
        AppointmentStep.tenant_id == work.tenant_id, AppointmentStep.appointment_id == appointment_id
    )
    return list(work.db.scalars(query.order_by(AppointmentStep.at, AppointmentStep.id)))


def load_calendar(
    work: Work,
    scope: Scope,
    first: date,
    last: date,
    clinician_id: UUID | None = None,
    room_id: UUID | None = None,
) -> list[CalendarDay]:
    """Return the local dates from the first to the last with what takes time on them. Clients see appointments only."""
    zone = zone_of(work)
    start, end = start_of_day(first, zone), start_of_day(last + DAY, zone)
    filters = Filters(clinician_id=clinician_id, room_id=room_id, since=start, until=end)
    query = select_appointments(work, scope, filters).where(Appointment.status.not_in(["CANCELLED", "RESCHEDULED"]))
    query = query.with_only_columns(*Appointment.__table__.columns)  # as rows: objects cost three times as much
    appointments = work.db.execute(
        query.order_by(Appointment.starts_at, Appointment.id).limit(MAX_CALENDAR_APPOINTMENTS + 1)
    ).all()
    if len(appointments) > MAX_CALENDAR_APPOINTMENTS:
        message = "Too many appointments for a calendar. Choose a shorter view, one clinician, or one room."
        raise Invalid([FieldProblem("view", message)])
    days = {
        first + timedelta(days=number): CalendarDay(first + timedelta(days=number), [], [], [])
        for number in range((last - first).days + 1)
    }
    for appointment in appointments:
        days[appointment.starts_at.astimezone(zone).date()].appointments.append(appointment)
    if work.actor.client_id is None:
        for block in work.db.scalars(select_blocks_between(work, scope, start, end, clinician_id, room_id)):
            for day in days.values():
                if block.starts_at < start_of_day(day.on + DAY, zone) and block.ends_at > start_of_day(day.on, zone):
                    day.blocks.append(block)
        for hold in work.db.scalars(select_holds_between(work, scope, start, end, clinician_id, room_id)):
            days[hold.starts_at.astimezone(zone).date()].holds.append(hold)
    client_ids = (appointment.client_id for appointment in appointments)
    work.record_list("calendar.read", client_ids, first=first.isoformat(), last=last.isoformat())
    return list(days.values())


def compute_view_range(view: View, on: date) -> tuple[date, date]:
    """Return the first and last date of the day, week (from Sunday) or month that contains the date."""
    if view == "week":
        first = on - timedelta(days=on.isoweekday() % 7)
        return first, first + timedelta(days=6)
    if view == "month":
        first = on.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return on, on


def select_blocks_between(
    work: Work, scope: Scope, start: datetime, end: datetime, clinician_id: UUID | None, room_id: UUID | None
) -> Select[Block]:
    """Return the query for blocks of rooms, and of clinicians whose appointments are visible."""
    query = select(Block).where(
        Block.tenant_id == work.tenant_id,
        Block.voided_at.is_(None),
        Block.ends_at > start,
        Block.starts_at < end,
        or_(Block.room_id.is_not(None), visible_staff(work, scope, Block.clinician_id)),
    )
    if clinician_id is not None:
        query = query.where(Block.clinician_id == clinician_id)
    if room_id is not None:
        query = query.where(Block.room_id == room_id)
    return query.order_by(Block.starts_at, Block.id)


def select_holds_between(
    work: Work, scope: Scope, start: datetime, end: datetime, clinician_id: UUID | None, room_id: UUID | None
) -> Select[WaitlistOffer]:
    """Return the query for the offers that hold a time of a visible clinician and start within the span."""
    query = select(WaitlistOffer).where(
        WaitlistOffer.tenant_id == work.tenant_id,
        WaitlistOffer.status == "OPEN",
        WaitlistOffer.holds_until > work.now,
        WaitlistOffer.starts_at >= start,
        WaitlistOffer.starts_at < end,
        visible_staff(work, scope, WaitlistOffer.clinician_id),
    )
    if clinician_id is not None:
        query = query.where(WaitlistOffer.clinician_id == clinician_id)
    if room_id is not None:
        query = query.where(WaitlistOffer.room_id == room_id)
    return query.order_by(WaitlistOffer.starts_at, WaitlistOffer.id)
