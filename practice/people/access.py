"""How far a permission reaches, as conditions of a query: whose clients and whose work somebody may see."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, column, exists, false, func, or_, select, table, true, union
from sqlalchemy.orm import aliased

from practice.errors import NotFound
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.people.staff import get_staff
from practice.security.permissions import Scope, scope_of
from practice.security.work import Work

# Of the schedule, which stands above: only that there is an appointment.
APPOINTMENTS = table("appointments", column("tenant_id"), column("id"), column("client_id"), column("clinician_id"))


def staff_within(work: Work, scope: Scope, staff_id: Any) -> ColumnElement[bool]:
    """Whose work: everybody's, the team's and the own, or the own."""
    me = work.actor.staff_id
    if scope is Scope.ALL:
        return true()
    if me is None:
        return false()
    if scope is Scope.TEAM:
        in_team = or_(Staff.id == me, Staff.supervisor_id == me)
        return staff_id.in_(select(Staff.id).where(Staff.tenant_id == work.tenant_id, in_team))
    return staff_id == me


def clients_within(work: Work, scope: Scope, client_id: Any) -> ColumnElement[bool]:
    """Whose charts, for a query over many. A clinician's own clients have them as primary clinician, or an appointment
    with them."""
    if scope is Scope.ALL:
        return true()
    if work.actor.client_id is not None:
        return client_id == work.actor.client_id
    return clients_of(work, client_id, lambda staff_id: staff_within(work, scope, staff_id))


def clients_of(work: Work, client_id: Any, theirs: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whose clinicians are theirs. As an array, made once, each of which is looked up by its id: so the cost follows
    the caseload, not the practice."""
    chart = aliased(Client)
    primary = select(chart.id).where(chart.tenant_id == work.tenant_id, theirs(chart.primary_clinician_id))
    visits = APPOINTMENTS.c
    seen = select(visits.client_id).where(visits.tenant_id == work.tenant_id, theirs(visits.clinician_id))
    return client_id == any_(func.array(union(primary, seen).scalar_subquery()))


def reaches(work: Work, scope: Scope, client_id: Any) -> ColumnElement[bool]:
    """Whose charts, for a query after one of them: looks at this client's clinicians alone."""
    if scope is Scope.ALL:
        return true()
    if work.actor.client_id is not None:
        return client_id == work.actor.client_id
    chart = aliased(Client)
    visits = APPOINTMENTS.c
    return or_(
        exists().where(
            chart.tenant_id == work.tenant_id,
            chart.id == client_id,
            staff_within(work, scope, chart.primary_clinician_id),
        ),
        exists().where(
            visits.tenant_id == work.tenant_id,
            visits.client_id == client_id,
            staff_within(work, scope, visits.clinician_id),
        ),
    )


def is_within(work: Work, scope: Scope, client_id: UUID) -> bool:
    """Whether this client's chart is theirs to see. Nobody else's answers as if it were not there."""
    query = select(Client.id).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    return work.db.scalar(query.where(reaches(work, scope, Client.id))) is not None


def reads_chart_notes(work: Work, client_id: UUID) -> bool:
    """Whether the words of this client's chart are theirs to read, without giving a reason."""
    scope = scope_of(work.actor.roles, "notes", "read")
    return scope in (Scope.ALL, Scope.TEAM, Scope.OWN) and is_within(work, scope, client_id)


def refuse_beyond(work: Work, staff_id: UUID, scope: Scope) -> None:
    """What is not yours to see is as if it were not there."""
    staff = get_staff(work, staff_id)
    mine = staff_id == work.actor.staff_id
    if (scope is Scope.OWN and not mine) or (
        scope is Scope.TEAM and not mine and staff.supervisor_id != work.actor.staff_id
    ):
        raise NotFound
