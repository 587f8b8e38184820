"""Whose compliance checks somebody sees: everybody's, those of a team and its clients, or their own."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from practice.errors import NotFound
from practice.people.models.practices import Staff
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work


def find_clinician_ids(work: Work, scope: Scope, clinician_id: UUID | None) -> Collection[UUID] | None:
    """Return the staff whose checks, and whose clients' checks, the actor sees; None for all of the practice.

    A team is without its head, as in the team's figures. One person narrows it down; NotFound if they are beyond it.
    """
    visible = None if scope is Scope.ALL else list_visible_ids(work, scope)
    if clinician_id is None:
        return visible
    if visible is not None and clinician_id not in visible:
        raise NotFound
    return [get_staff(work, clinician_id).id]


def list_visible_ids(work: Work, scope: Scope) -> Sequence[UUID]:
    own_id = work.actor.staff_id
    if own_id is None:
        return []
    if scope is Scope.OWN:
        return [own_id]
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.supervisor_id == own_id)
    return work.db.scalars(query).all()
