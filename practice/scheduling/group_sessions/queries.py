"""Queries of group sessions with their seats.

Clients see the groups that they can join online, and those in which they have a seat; of the seats only their own.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from practice.errors import NotFound
from practice.local_time import DAY, date_of, start_of_day
from practice.people.access import visible_staff
from practice.people.practice_time import zone_of
from practice.scheduling.appointments.lifecycle import visible_appointments
from practice.scheduling.availability.group_slots import count_active_seats, is_taking_place
from practice.scheduling.catalog.services import load_service_codes
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.models.catalog import Service
from practice.scheduling.statuses import FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page


@dataclass(frozen=True)
class GroupFilters:
    """Filters of a list of group sessions; both instants bound the start, `until` exclusively."""

    clinician_id: UUID | None = None
    service_code: str | None = None
    room_id: UUID | None = None
    series_id: UUID | None = None
    status: str | None = None
    has_free_seats: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class GroupView:
    """A group session with its service, the number of active seats and, of one group, the seats the caller may see.

    `status` is that of its seats once the group is over and all of them are final.
    """

    group: GroupSession
    service_code: str
    taken_seats: int
    status: str
    status_at: datetime | None
    seats: tuple[Appointment, ...] = ()

    @property
    def free_seats(self) -> int | None:
        """Return the number of seats that can still be booked; None for no limit."""
        if self.group.capacity is None or self.status != "SCHEDULED":
            return None if self.group.capacity is None else 0
        return max(0, self.group.capacity - self.taken_seats)


def list_group_sessions(work: Work, scope: Scope, page_request: PageRequest, filters: GroupFilters) -> Page:
    query = select_groups(work, scope, filters)
    sortable = {"starts_at": GroupSession.starts_at, "id": GroupSession.id}
    page = fetch_page(work.db, query, page_request, sortable, GroupSession.id, "starts_at")
    work.record("group_sessions.listed", count=len(page.items))
    return replace(page, items=load_views(work, page.items))


def load_groups_by_date(
    work: Work, scope: Scope, first: date, last: date, clinician_id: UUID | None, room_id: UUID | None
) -> dict[date, list[GroupView]]:
    """Return the groups that take place on the local dates, for a calendar of staff."""
    if work.actor.client_id is not None:
        return {}
    zone = zone_of(work)
    filters = GroupFilters(
        clinician_id,
        room_id=room_id,
        since=start_of_day(first, zone),
        until=start_of_day(last + DAY, zone),
    )
    query = (
        select_groups(work, scope, filters)
        .where(GroupSession.status == "SCHEDULED")
        .order_by(GroupSession.starts_at, GroupSession.id)
    )
    by_date: dict[date, list[GroupView]] = defaultdict(list)
    for view in load_views(work, list(work.db.scalars(query))):
        by_date[date_of(view.group.starts_at, zone)].append(view)
    return by_date


def get_group_session(work: Work, scope: Scope, group_id: UUID) -> GroupView:
    """Return the group session with the seats that the caller may see, or raise NotFound."""
    group = find_group(work, scope, group_id)
    seats = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.group_session_id == group_id,
        visible_appointments(work, scope),
    )
    visible = tuple(work.db.scalars(seats.order_by(Appointment.created_at, Appointment.id)))
    work.record_list("group_session.read", (seat.client_id for seat in visible), "group_session", group_id)
    [view] = load_views(work, [group])
    return replace(view, seats=visible)


def find_group(work: Work, scope: Scope, group_id: UUID) -> GroupSession:
    """Return the visible group session, or raise NotFound."""
    query = select(GroupSession).where(GroupSession.tenant_id == work.tenant_id, GroupSession.id == group_id)
    group = work.db.scalar(query.where(visible_groups(work, scope)))
    if group is None:
        raise NotFound
    return group


def select_groups(work: Work, scope: Scope, filters: GroupFilters) -> Select[GroupSession]:
    """Return the query for the visible groups that match, without those whose last seat was cancelled.

    A group that was opened as such takes place without seats too.
    """
    status = derive_status(work)
    equal = {
        GroupSession.clinician_id: filters.clinician_id,
        GroupSession.room_id: filters.room_id,
        GroupSession.series_id: filters.series_id,
        status: filters.status,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    conditions += [] if filters.since is None else [GroupSession.starts_at >= filters.since]
    conditions += [] if filters.until is None else [GroupSession.starts_at < filters.until]
    if filters.service_code is not None:
        service = select(Service.id).where(Service.tenant_id == work.tenant_id, Service.code == filters.service_code)
        conditions.append(GroupSession.service_id.in_(service))
    if filters.has_free_seats:
        conditions += [status == "SCHEDULED", has_free_seats()]
    return select(GroupSession).where(
        GroupSession.tenant_id == work.tenant_id,
        or_(GroupSession.status != "SCHEDULED", is_taking_place(), status == "NO_SHOW"),
        visible_groups(work, scope),
        *conditions,
    )


def derive_status(work: Work) -> ColumnElement[str]:
    """Return the group's status: its own, or that of its seats if it is over and all of them are final.

    It took place if a client came, and was missed if somebody who had not cancelled did not.
    """
    seat = aliased(Appointment)
    of_seats = (
        select(
            case(
                (func.bool_or(seat.status.not_in(FINAL)), None),
                (func.bool_or(seat.status == "COMPLETED"), "COMPLETED"),
                (func.bool_or(seat.status == "NO_SHOW"), "NO_SHOW"),
                (func.count() > 0, "CANCELLED"),
            )
        )
        .where(seat.tenant_id == GroupSession.tenant_id, seat.group_session_id == GroupSession.id)
        .correlate(GroupSession)
        .scalar_subquery()
    )
    is_over = and_(GroupSession.status == "SCHEDULED", GroupSession.ends_at <= work.now)
    return case((is_over, func.coalesce(of_seats, GroupSession.status)), else_=GroupSession.status)


def has_free_seats() -> ColumnElement[bool]:
    return or_(GroupSession.capacity.is_(None), count_active_seats() < GroupSession.capacity)


def visible_groups(work: Work, scope: Scope) -> ColumnElement[bool]:
    """Return the condition for groups that the caller may see."""
    client_id = work.actor.client_id
    if client_id is None:
        return visible_staff(work, scope, GroupSession.clinician_id)
    own, service = aliased(Appointment), aliased(Service)
    has_seat = exists().where(
        own.tenant_id == GroupSession.tenant_id, own.group_session_id == GroupSession.id, own.client_id == client_id
    )
    is_online = exists().where(
        service.tenant_id == GroupSession.tenant_id,
        service.id == GroupSession.service_id,
        service.active,
        service.bookable_online,
    )
    is_ahead = and_(GroupSession.status == "SCHEDULED", GroupSession.starts_at > work.now)
    return or_(has_seat, and_(is_ahead, is_online))


def load_views(work: Work, groups: Collection[GroupSession]) -> list[GroupView]:
    """Return the groups with their services, the numbers of their active seats and where they stand."""
    last_change = select(func.max(Appointment.status_at)).where(
        Appointment.tenant_id == GroupSession.tenant_id, Appointment.group_session_id == GroupSession.id
    )
    query = select(
        GroupSession.id,
        count_active_seats().label("taken"),
        derive_status(work).label("status"),
        last_change.correlate(GroupSession).scalar_subquery().label("seats_at"),
    ).where(GroupSession.tenant_id == work.tenant_id, GroupSession.id.in_([group.id for group in groups]))
    rows = {row.id: row for row in work.db.execute(query)} if groups else {}
    codes = load_service_codes(work, {group.service_id for group in groups})
    views = []
    for group in groups:
        row = rows[group.id]
        status_at = group.status_at if row.status == group.status else row.seats_at
        views.append(GroupView(group, codes[group.service_id], row.taken, row.status, status_at))
    return views
