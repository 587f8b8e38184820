"""Open visits that a change concerns: somebody leaves, a room closes, hours change. They stay booked."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true

from practice.local_time import DAY, start_of_day
from practice.people.access import visible_staff
from practice.people.models.clients import Client, Consent
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.people.rules.consents import GUARDIAN, INFORMED, TELEHEALTH
from practice.scheduling.appointments.lifecycle import visible_appointments
from practice.scheduling.appointments.queries import has_id
from practice.scheduling.availability.group_slots import is_empty_ahead
from practice.scheduling.availability.outside_hours import is_open_ahead
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.statuses import BEGUN, FINAL
from practice.security.permissions import find_scope
from practice.security.work import Work

MAX_LISTED = 200


@dataclass(frozen=True)
class AffectedVisits:
    """The number of visits concerned that the caller may see, and the first of them by start.

    `groups` are the first group sessions concerned that have no seats; those with seats are among the visits.
    """

    count: int
    appointments: list[Appointment]
    groups: list[GroupSession] = field(default_factory=list)


VisitTable = type[Appointment] | type[GroupSession]
NONE = AffectedVisits(0, [])


def load_affected(work: Work, ids: Collection[UUID]) -> AffectedVisits:
    """Return the visits and the group sessions without seats that have these ids."""
    return load_visits_and_groups(work, lambda table: [has_id(table, ids)]) if ids else NONE


def load_affected_by_closure(work: Work, day: date) -> AffectedVisits:
    """Return the visits on the local date."""
    zone = zone_of(work)
    start, end = start_of_day(day, zone), start_of_day(day + DAY, zone)
    return load_visits_and_groups(work, lambda table: [table.starts_at >= start, table.starts_at < end])


def load_affected_by_room(work: Work, room_id: UUID) -> AffectedVisits:
    """Return the visits in the room."""
    return load_visits_and_groups(work, lambda table: [table.room_id == room_id])


def load_affected_by_capacity(work: Work, room_id: UUID, capacity: int) -> AffectedVisits:
    """Return the visits of groups in the room that have, or offer, more seats than the room is to have."""
    is_larger = (
        GroupSession.tenant_id == work.tenant_id,
        GroupSession.room_id == room_id,
        or_(GroupSession.capacity.is_(None), GroupSession.capacity > capacity),
    )
    larger = select(GroupSession.id).where(*is_larger)
    groups = load_empty_groups(work, *is_larger)
    return replace(load_open_visits(work, Appointment.group_session_id.in_(larger)), groups=groups)


def load_affected_by_client(work: Work, client: Client) -> AffectedVisits:
    """Return the visits of the client from the end of treatment on that have not begun."""
    if client.ended_on is None:
        return NONE
    end = start_of_day(client.ended_on, zone_of(work))
    is_later = Appointment.starts_at >= end
    return load_open_visits(work, Appointment.client_id == client.id, is_later, ~has_begun(work))


def load_affected_by_consent(work: Work, consent: Consent) -> AffectedVisits:
    """Return the visits of the client that have not begun and need a consent that was revoked."""
    if consent.kind not in (INFORMED, GUARDIAN, TELEHEALTH):
        return NONE
    needed_by = Appointment.telehealth.is_(True) if consent.kind == TELEHEALTH else true()
    return load_open_visits(work, Appointment.client_id == consent.client_id, needed_by, ~has_begun(work))


def load_unclosed_by_client(work: Work, client: Client) -> AffectedVisits:
    """Return the visits of a client whose treatment ends that have begun, and are neither completed nor missed."""
    if client.ended_on is None:
        return NONE
    is_open = Appointment.status.not_in(FINAL)
    return load_visits(work, is_open, Appointment.client_id == client.id, has_begun(work))


def has_begun(work: Work) -> ColumnElement[bool]:
    """Return the condition for visits that have begun, maybe early."""
    return or_(Appointment.starts_at <= work.now, Appointment.status.in_(BEGUN))


def load_affected_by_clinician(work: Work, staff: Staff) -> AffectedVisits:
    """Return the visits of a clinician on dates when they do not work for the practice, or no longer as a clinician."""

    def list_conditions(table: VisitTable) -> list[ColumnElement[bool]]:
        conditions = [table.clinician_id == staff.id]
        if staff.deactivated_at is None and "clinician" in staff.roles:
            zone = zone_of(work)
            before = table.starts_at < start_of_day(staff.hired_on, zone)
            conditions.append(
                or_(before, table.starts_at >= start_of_day(staff.left_on + DAY, zone)) if staff.left_on else before
            )
        return conditions

    return load_visits_and_groups(work, list_conditions)


def load_visits_and_groups(
    work: Work, list_conditions: Callable[[VisitTable], list[ColumnElement[bool]]]
) -> AffectedVisits:
    """Return the open visits ahead, and the group sessions without seats, that meet the conditions."""
    visits = load_open_visits(work, *list_conditions(Appointment))
    return replace(visits, groups=load_empty_groups(work, *list_conditions(GroupSession)))


def load_empty_groups(work: Work, *conditions: ColumnElement[bool]) -> list[GroupSession]:
    """Return the first group sessions ahead without seats that meet the conditions and that the caller may see."""
    scope = find_scope(work.actor.roles, "appointments", "read")
    if scope is None:
        return []
    query = select(GroupSession).where(
        GroupSession.tenant_id == work.tenant_id,
        *is_empty_ahead(work),
        visible_staff(work, scope, GroupSession.clinician_id),
        *conditions,
    )
    groups = list(work.db.scalars(query.order_by(GroupSession.starts_at, GroupSession.id).limit(MAX_LISTED)))
    if groups:
        work.record("group_sessions.listed", count=len(groups))
    return groups


def load_open_visits(work: Work, *conditions: ColumnElement[bool]) -> AffectedVisits:
    """Return the open visits ahead that meet the conditions and that the caller may see."""
    return load_visits(work, *is_open_ahead(work), *conditions)


def load_visits(work: Work, *conditions: ColumnElement[bool]) -> AffectedVisits:
    """Return the visits that meet the conditions and that the caller may see."""
    scope = find_scope(work.actor.roles, "appointments", "read")
    if scope is None:
        return NONE
    work.db.flush()
    visits = (
        Appointment.tenant_id == work.tenant_id,
        visible_appointments(work, scope),
        *conditions,
    )
    query = select(Appointment).where(*visits).order_by(Appointment.starts_at, Appointment.id)
    appointments = list(work.db.scalars(query.limit(MAX_LISTED)))
    count = len(appointments)
    if count == MAX_LISTED:
        count = work.db.scalar(select(func.count()).select_from(Appointment).where(*visits)) or 0
    work.record_list("appointments.listed", (appointment.client_id for appointment in appointments), count=count)
    return AffectedVisits(count, appointments)
