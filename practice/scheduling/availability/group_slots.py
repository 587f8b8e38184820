"""Group sessions with free seats, as slots."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.statuses import ACTIVE
from practice.security.work import Work


class GroupSlot(NamedTuple):
    """A group session of a clinician with its free seats; None for no limit."""

    id: UUID
    clinician_id: UUID
    start: datetime
    end: datetime
    free_seats: int | None


def count_active_seats() -> ColumnElement[int]:
    """Return the number of active seats of the `GroupSession` of a query."""
    seat = aliased(Appointment)
    active = and_(
        seat.tenant_id == GroupSession.tenant_id, seat.group_session_id == GroupSession.id, seat.status.in_(ACTIVE)
    )
    return select(func.count()).where(active).correlate(GroupSession).scalar_subquery()


def is_taking_place() -> ColumnElement[bool]:
    """Return the condition that the group takes its clinician's time: it was opened as a group, or has a seat."""
    return and_(GroupSession.status == "SCHEDULED", or_(GroupSession.held, count_active_seats() > 0))


def is_empty_ahead(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for groups that were opened as such, have not ended and have no seats."""
    return (
        GroupSession.status == "SCHEDULED",
        GroupSession.held.is_(True),
        GroupSession.ends_at > work.now,
        count_active_seats() == 0,
    )


def load_group_slots(
    work: Work,
    service_id: UUID,
    since: datetime,
    until: datetime,
    *,
    clinician_ids: Collection[UUID] | None = None,
    client_id: UUID | None = None,
) -> list[GroupSlot]:
    """Return the groups of a service that start within the span, ascending, without those when the client is busy."""
    seats = count_active_seats()
    query = select(
        GroupSession.id,
        GroupSession.clinician_id,
        GroupSession.starts_at,
        GroupSession.ends_at,
        case((GroupSession.capacity.is_not(None), func.greatest(GroupSession.capacity - seats, 0))).label("free_seats"),
    ).where(
        GroupSession.tenant_id == work.tenant_id,
        GroupSession.service_id == service_id,
        GroupSession.starts_at >= since,
        GroupSession.starts_at < until,
        is_taking_place(),
    )
    if clinician_ids is not None:
        query = query.where(GroupSession.clinician_id.in_(clinician_ids))
    if client_id is not None:
        own = aliased(Appointment)
        is_busy = select(own.id).where(
            own.tenant_id == work.tenant_id,
            own.client_id == client_id,
            own.status.in_(ACTIVE),
            own.starts_at < GroupSession.ends_at,
            own.ends_at > GroupSession.starts_at,
        )
        query = query.where(~is_busy.correlate(GroupSession).exists())
    return [GroupSlot(*row) for row in work.db.execute(query.order_by(GroupSession.starts_at, GroupSession.id))]
