"""Reading the schedule: lists, one appointment, calendars; with the names that people know things by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select, text

from practice.errors import Invalid, NotFound
from practice.local_time import date_of, instant
from practice.people.access import staff_within
from practice.people.models.practices import Practice
from practice.scheduling.appointments.lifecycle import appointments_within
from practice.scheduling.models.appointments import Appointment, AppointmentStep
from practice.scheduling.models.availability import Block
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of

View = Literal["day", "week", "month"]
MOST_IN_A_CALENDAR = 5000


@dataclass(frozen=True)
class Filters:
    client_id: UUID | None = None
    clinician_id: UUID | None = None
    room_id: UUID | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Names:
    """Of whatever a page of appointments refers to, by id."""

    clients: dict[UUID, str]
    staff: dict[UUID, str]
    services: dict[UUID, str]
    rooms: dict[UUID, str]
    for_staff: bool  # who also see why staff cancelled


@dataclass(frozen=True)
class Day:
    on: date
    appointments: list[Appointment]
    blocks: list[Block]


def list_appointments(work: Work, asked: PageRequest, scope: Scope, filters: Filters) -> Page:
    sortable = {"starts_at": Appointment.starts_at, "created_at": Appointment.created_at, "id": Appointment.id}
    return page_of(work.db, filtered(work, scope, filters), asked, sortable, Appointment.id, "starts_at")


def filtered(work: Work, scope: Scope, filters: Filters) -> Select[Appointment]:
    wanted = {
        Appointment.client_id: filters.client_id,
        Appointment.clinician_id: filters.clinician_id,
        Appointment.room_id: filters.room_id,
        Appointment.status: filters.status,
    }
    query = select(Appointment).where(Appointment.tenant_id == work.tenant_id, appointments_within(work, scope))
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    if filters.since is not None:
        query = query.where(Appointment.starts_at >= filters.since)
    if filters.until is not None:
        query = query.where(Appointment.starts_at < filters.until)
    return query


def get_appointment(work: Work, appointment_id: UUID, scope: Scope) -> Appointment:
    query = filtered(work, scope, Filters()).where(Appointment.id == appointment_id)
    found = work.db.scalar(query)
    if found is None:
        raise NotFound
    work.record("appointment.read", "appointment", appointment_id)
    return found


def steps_of(work: Work, appointment_id: UUID, scope: Scope) -> list[AppointmentStep]:
    """Who took it to which status and when; oldest first."""
    get_appointment(work, appointment_id, scope)
    query = select(AppointmentStep).where(
        AppointmentStep.tenant_id == work.tenant_id, AppointmentStep.appointment_id == appointment_id
    )
    return list(work.db.scalars(query.order_by(AppointmentStep.at, AppointmentStep.id)))


def calendar(
    work: Work,
    scope: Scope,
    view: View,
    on: date | None,
    clinician_id: UUID | None = None,
    room_id: UUID | None = None,
) -> list[Day]:
    """A day, its week from Sunday on, or its month, each day with what is on it and is not cancelled."""
    zone = ZoneInfo(work.db.get_one(Practice, work.tenant_id).time_zone)
    on = on or date_of(work.now, zone)
    first, last = span_of(view, on)
    start, end = instant(first, time.min, zone), instant(last + timedelta(days=1), time.min, zone)
    filters = Filters(clinician_id=clinician_id, room_id=room_id, since=start, until=end)
    query = filtered(work, scope, filters).where(Appointment.status.not_in(["CANCELLED", "RESCHEDULED"]))
    query = query.with_only_columns(*Appointment.__table__.columns)  # as rows: objects cost three times as much
    found = work.db.execute(query.order_by(Appointment.starts_at, Appointment.id).limit(MOST_IN_A_CALENDAR + 1)).all()
    if len(found) > MOST_IN_A_CALENDAR:
        raise Invalid(["That is more than a calendar shows. Choose a shorter view, one clinician, or one room."])
    blocks = work.db.scalars(blocks_between(work, scope, start, end, clinician_id, room_id)).all()
    days = {
        first + timedelta(days=number): Day(first + timedelta(days=number), [], [])
        for number in range((last - first).days + 1)
    }
    for appointment in found:
        days[appointment.starts_at.astimezone(zone).date()].appointments.append(appointment)
    for block in blocks if work.actor.client_id is None else ():
        for day in days.values():
            if block.starts_at < instant(day.on + timedelta(days=1), time.min, zone) and block.ends_at > instant(
                day.on, time.min, zone
            ):
                day.blocks.append(block)
    work.record("calendar.read", view=view, on=on.isoformat())
    return list(days.values())


def span_of(view: View, on: date) -> tuple[date, date]:
    if view == "week":
        first = on - timedelta(days=on.isoweekday() % 7)
        return first, first + timedelta(days=6)
    if view == "month":
        first = on.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return on, on


def blocks_between(
    work: Work, scope: Scope, start: datetime, end: datetime, clinician_id: UUID | None, room_id: UUID | None
) -> Select[Block]:
    """Of rooms, and of clinicians as far as one sees their appointments."""
    query = select(Block).where(
        Block.tenant_id == work.tenant_id,
        Block.voided_at.is_(None),
        Block.ends_at > start,
        Block.starts_at < end,
        or_(Block.room_id.is_not(None), staff_within(work, scope, Block.clinician_id)),
    )
    if clinician_id is not None:
        query = query.where(Block.clinician_id == clinician_id)
    if room_id is not None:
        query = query.where(Block.room_id == room_id)
    return query.order_by(Block.starts_at, Block.id)


# Looked up one by one: for a list of ids, the plan that suits an average practice reads every client of a large one.
NAMES = text("""
    select 'client', w.id, c.name
    from unnest(cast(:clients as uuid [])) as w (id)
    cross join lateral (
        select first_name || ' ' || last_name as name from clients where tenant_id = :tenant_id and id = w.id limit 1
    ) as c
    union all
    select 'staff', id, first_name || ' ' || last_name from staff where tenant_id = :tenant_id and id = any(:staff)
    union all
    select 'service', id, code from services where tenant_id = :tenant_id and id = any(:services)
    union all
    select 'room', id, name from rooms where tenant_id = :tenant_id and id = any(:rooms)
""")


def names_for(work: Work, appointments: Sequence[Appointment]) -> Names:
    wanted = {
        "clients": list({one.client_id for one in appointments}),
        "staff": list({one.clinician_id for one in appointments}),
        "services": list({one.service_id for one in appointments}),
        "rooms": list({one.room_id for one in appointments if one.room_id}),
    }
    named: dict[str, dict[UUID, str]] = {"client": {}, "staff": {}, "service": {}, "room": {}}
    for kind, record_id, words in (
        work.db.execute(NAMES, wanted | {"tenant_id": work.tenant_id}) if appointments else ()
    ):
        named[kind][record_id] = words
    return Names(named["client"], named["staff"], named["service"], named["room"], work.actor.client_id is None)
