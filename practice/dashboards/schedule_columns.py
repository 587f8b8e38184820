"""Columns of the schedule: a local day of a clinician or a room, with its open hours, free time and what takes it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from practice.local_time import DAY, date_of, start_of_day, week_of
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.people.settings import get_setting
from practice.scheduling.appointments.lifecycle import visible_appointments
from practice.scheduling.availability.queries import (
    MAX_APPOINTMENT_LENGTH,
    BusyInterval,
    ClinicianHours,
    load_busy_intervals,
    load_hours,
)
from practice.scheduling.availability.rules.free_time import (
    AWAY,
    HELD,
    Pair,
    Span,
    compute_hours,
    find_gaps,
    merge_periods,
)
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import Block, Closure
from practice.scheduling.models.catalog import Room
from practice.security.permissions import Scope
from practice.security.work import Work

ResourceKind = Literal["clinician", "room"]
HIDDEN = ("RESCHEDULED",)


@dataclass(frozen=True)
class Resource:
    """A clinician or a room, and the local days on which they can be booked: None without an end."""

    id: UUID
    name: str
    active: bool
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class TakenTime:
    """A time that something other than the listed visits takes: a block, an offer of the waitlist, or a group."""

    id: UUID
    kind: Literal["block", "held", "group"]
    starts_at: datetime
    ends_at: datetime
    reason: str | None = None


@dataclass(frozen=True)
class ScheduleColumn:
    """A local day of a clinician or room. `free` is what can be booked from now on, `open` the hours of the day."""

    resource: Resource
    on: date
    starts_at: datetime
    ends_at: datetime
    closed: bool
    closure_reason: str | None
    open: Sequence[Pair]
    away: Sequence[Pair]
    free: Sequence[Pair]
    taken: Sequence[TakenTime]


def list_days_of_week(day: date) -> list[date]:
    """Return the local days of the week of the day, which begins on Sunday."""
    return [week_of(day) + number * DAY for number in range(7)]


def load_visits_between(
    work: Work,
    scope: Scope,
    days: Sequence[date],
    *,
    clinician_id: UUID | None = None,
    room_id: UUID | None = None,
) -> list[Appointment]:
    """Return the visits that overlap the local days, also those that began the day before, and record the access."""
    zone = zone_of(work)
    start, end = start_of_day(days[0], zone), start_of_day(days[-1] + DAY, zone)
    query = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        visible_appointments(work, scope),
        Appointment.starts_at >= start - MAX_APPOINTMENT_LENGTH,
        Appointment.starts_at < end,
        Appointment.ends_at > start,
        Appointment.status.not_in(HIDDEN),
    )
    if clinician_id is not None:
        query = query.where(Appointment.clinician_id == clinician_id)
    if room_id is not None:
        query = query.where(Appointment.room_id == room_id)
    visits = list(work.db.scalars(query.order_by(Appointment.starts_at, Appointment.id)))
    client_ids = (visit.client_id for visit in visits)
    work.record_list("calendar.read", client_ids, first=days[0].isoformat(), last=days[-1].isoformat())
    return visits


def load_clinicians(work: Work, also: Collection[UUID] = ()) -> list[Resource]:
    """Return the clinicians who work here, and these others, by name."""
    is_active = Staff.roles.contains(["clinician"]) & Staff.deactivated_at.is_(None)
    query = select(
        Staff.id, Staff.first_name, Staff.last_name, Staff.hired_on, Staff.left_on, is_active.label("active")
    )
    query = query.where(Staff.tenant_id == work.tenant_id, or_(is_active, Staff.id.in_(also)))
    return [
        Resource(row.id, f"{row.first_name} {row.last_name}", row.active, row.hired_on, row.left_on)
        for row in work.db.execute(query.order_by(Staff.last_name, Staff.first_name, Staff.id))
    ]


def load_rooms(work: Work, also: Collection[UUID] = ()) -> list[Resource]:
    """Return the rooms in use, and these others, by name."""
    query = select(Room.id, Room.name, Room.active).where(
        Room.tenant_id == work.tenant_id, or_(Room.active, Room.id.in_(also))
    )
    return [Resource(*row) for row in work.db.execute(query.order_by(Room.name, Room.id))]


def load_columns(
    work: Work,
    kind: ResourceKind,
    resources: Sequence[Resource],
    days: Sequence[date],
    visits: Sequence[Appointment],
    clinicians: Sequence[Resource],
) -> list[ScheduleColumn]:
    """Return a column for each resource on each of these consecutive days.

    A room is open while any of the clinicians sees clients.
    """
    zone, first, last = zone_of(work), days[0], days[-1]
    ids = [resource.id for resource in resources]
    start, end = start_of_day(first, zone), start_of_day(last + DAY, zone)
    hours = load_hours(work, [clinician.id for clinician in clinicians], first, last)
    spans = {
        clinician.id: clip_to_employment(clinician, compute_spans(hours[clinician.id], zone, first, last), zone)
        for clinician in clinicians
    }
    busy: dict[UUID, list[BusyInterval]] = {resource_id: [] for resource_id in ids}
    clinician_ids, room_ids = (ids, []) if kind == "clinician" else ([], ids)
    for interval in load_busy_intervals(work, clinician_ids, room_ids, [], start, end):
        busy[interval.resource_id].append(interval)
    shown = {visit.id for visit in visits} | {visit.group_session_id for visit in visits}
    taken = name_taken_times(work, [item for item in chain(*busy.values()) if item.holder_id not in shown])
    closures = load_closures(work, first, last)
    practice_spans = [Span(*pair) for pair in merge_open(chain(*spans.values()))]
    shortest = timedelta(minutes=get_setting(work, "slot_step_minutes"))
    columns = []
    for resource in resources:
        of_resource = spans[resource.id] if kind == "clinician" else practice_spans
        free = find_free_time(of_resource, busy[resource.id], work.now, shortest) if resource.active else []
        for day in days:
            bounds = start_of_day(day, zone), start_of_day(day + DAY, zone)
            columns.append(
                ScheduleColumn(
                    resource=resource,
                    on=day,
                    starts_at=bounds[0],
                    ends_at=bounds[1],
                    closed=day in closures,
                    closure_reason=closures.get(day),
                    open=clip(merge_open(of_resource), *bounds),
                    away=clip([span[:2] for span in of_resource if span.closed_reason == AWAY], *bounds),
                    free=clip(free, *bounds),
                    taken=[
                        taken[item.holder_id]
                        for item in busy[resource.id]
                        if item.holder_id in taken and item.starts_at < bounds[1] and bounds[0] < item.ends_at
                    ],
                )
            )
    return columns


def compute_spans(hours: ClinicianHours, zone: ZoneInfo, first: date, last: date) -> list[Span]:
    return compute_hours(hours.windows, hours.changes, hours.closures, zone, first, last)


def clip_to_employment(clinician: Resource, spans: Sequence[Span], zone: ZoneInfo) -> list[Span]:
    """Return the hours from the clinician's first day to the last one."""
    return [
        span
        for span in spans
        if (clinician.first_day is None or clinician.first_day <= date_of(span.start, zone))
        and (clinician.last_day is None or date_of(span.start, zone) <= clinician.last_day)
    ]


def merge_open(spans: Collection[Span] | chain[Span]) -> list[Pair]:
    return merge_periods(span[:2] for span in spans if span.closed_reason is None)


def find_free_time(
    spans: Sequence[Span], busy: Sequence[BusyInterval], now: datetime, shortest: timedelta
) -> list[Pair]:
    """Return the open times from now on that nothing takes and that are long enough to be offered."""
    items = [*spans, *(Span(item.starts_at, item.ends_at, item.reason) for item in busy)]
    gaps = find_gaps(merge_periods(span[:2] for span in spans), items)
    ahead = ((max(start, now), end) for start, end in gaps if end > now)
    return [(start, end) for start, end in ahead if end - start >= shortest]


def clip(pairs: Collection[Pair], start: datetime, end: datetime) -> list[Pair]:
    """Return the parts of the periods within the bounds."""
    return [(max(since, start), min(until, end)) for since, until in pairs if since < end and start < until]


def name_taken_times(work: Work, busy: Sequence[BusyInterval]) -> dict[UUID, TakenTime]:
    """Return these times by what takes them, the blocks with their reasons."""
    block_ids = {item.holder_id for item in busy if item.reason == AWAY}
    query = select(Block.id, Block.reason).where(Block.tenant_id == work.tenant_id, Block.id.in_(block_ids))
    reasons = {row.id: row.reason for row in work.db.execute(query)} if block_ids else {}
    return {
        item.holder_id: TakenTime(
            item.holder_id,
            "block" if item.reason == AWAY else "held" if item.reason == HELD else "group",
            item.starts_at,
            item.ends_at,
            reasons.get(item.holder_id),
        )
        for item in busy
    }


def load_closures(work: Work, first: date, last: date) -> dict[date, str | None]:
    """Return the days on which the practice is closed, with why."""
    query = select(Closure.closed_on, Closure.reason).where(
        Closure.tenant_id == work.tenant_id, Closure.closed_on.between(first, last), Closure.voided_at.is_(None)
    )
    return {row.closed_on: row.reason for row in work.db.execute(query)}
