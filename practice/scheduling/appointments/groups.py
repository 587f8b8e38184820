"""Group sessions as bookings need them: the group of a seat, whether it is full, and new groups."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from practice.errors import FieldProblem, Invalid, Problem
from practice.scheduling import errors
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.statuses import ACTIVE
from practice.security.work import Work
from practice.store.ids import new_id


def load_group_session(work: Work, group_session_id: UUID) -> GroupSession:
    """Return the group session, or raise Invalid."""
    group = work.db.get(GroupSession, (work.tenant_id, group_session_id))
    if group is None:
        raise Invalid([FieldProblem("group_session_id", "Group session not found (`group_session_id`).")])
    return group


def is_full(work: Work, group: GroupSession) -> bool:
    """Return whether active seats fill the group's capacity."""
    if group.capacity is None:
        return False
    seats = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.group_session_id == group.id,
        Appointment.status.in_(ACTIVE),
    )
    return (work.db.scalar(seats) or 0) >= group.capacity


def seat_problems(work: Work, request: BookingRequest, context: BookingContext) -> list[Problem]:
    """Return the problems of a seat with its group."""
    row, problems = context.row, []
    if request.telehealth and row.service_kind == "GROUP" and row.room_id is not None:
        problems.append(Problem("NOT_BOOKABLE", "A group that meets in a room cannot be booked as telehealth."))
    if request.group_session_id is None:
        return problems
    group = load_group_session(work, request.group_session_id)
    if group.service_id != row.service_id:
        problems.append(Problem("NOT_BOOKABLE", "The group is booked for another service."))
    if group.status != "SCHEDULED":
        problems.append(Problem("NOT_BOOKABLE", "The group session was cancelled or moved. Choose another one."))
    return problems


def ensure_group_session(work: Work, request: BookingRequest, context: BookingContext) -> UUID | None:
    """Return the requested group session, or create one for a group service. Other services have none."""
    if request.group_session_id is not None or context.row.service_kind != "GROUP":
        return request.group_session_id
    return create_groups(work, context, [request.starts_at])[0].id


def create_groups(
    work: Work,
    context: BookingContext,
    starts: Sequence[datetime],
    series_id: UUID | None = None,
    *,
    held: bool = False,
) -> list[GroupSession]:
    """Create group sessions with the seats that service and room allow. If `held`, they take their time at once."""
    row = context.row
    limits = [limit for limit in (row.service_capacity, row.room_capacity) if limit is not None]
    if held:
        release_expired_offers(work, row.clinician_id, row.room_id, starts, row.length)
    groups = [
        GroupSession(
            tenant_id=work.tenant_id,
            id=new_id(),
            clinician_id=row.clinician_id,
            service_id=row.service_id,
            room_id=row.room_id,
            starts_at=start,
            ends_at=start + row.length,
            capacity=min(limits) if limits else None,
            series_id=series_id,
            held=held,
            status="SCHEDULED",
        )
        for start in starts
    ]
    work.db.add_all(groups)
    with errors.translate_constraint_errors():
        work.db.flush()
    return groups
