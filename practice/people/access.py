"""Access scopes as query conditions: which clients and which staff the current actor can see."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    ScalarSelect,
    any_,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
    union,
)
from sqlalchemy.orm import aliased

from practice.errors import NotFound
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.staff import get_staff
from practice.rule_settings import get_default
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work

# The scheduling package builds on this one, so its table is declared here with the columns needed.
APPOINTMENTS = table(
    "appointments",
    *(column(name) for name in ("tenant_id", "id", "client_id", "clinician_id", "status")),
    column("starts_at", DateTime(timezone=True)),
)


def visible_staff(work: Work, scope: Scope, staff_id: Any) -> ColumnElement[bool]:
    """Return the condition that the staff member is within the scope: everyone, the actor's team, or the actor."""
    own_id = work.actor.staff_id
    if scope is Scope.ALL:
        return true()
    if own_id is None:
        return false()
    if scope is Scope.TEAM:
        in_team = or_(Staff.id == own_id, Staff.supervisor_id == own_id)
        return staff_id.in_(select(Staff.id).where(Staff.tenant_id == work.tenant_id, in_team))
    return staff_id == own_id


def visible_clients(work: Work, scope: Scope, client_id: Any) -> ColumnElement[bool]:
    """Return the condition that a client is within the scope, for a query over many clients.

    A clinician's own clients are those who have them as primary clinician, or an appointment with them that took place
    or lies ahead, until `chart_access_days` after the last.
    """
    if scope is Scope.ALL:
        return true()
    if work.actor.client_id is not None:
        return client_id == work.actor.client_id
    return clients_treated_by(work, client_id, lambda staff_id: visible_staff(work, scope, staff_id))


def clients_treated_by(
    work: Work, client_id: Any, matches_staff: Callable[[Any], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Return the condition that a client is treated by staff who match.

    The ids are collected once into an array and each is looked up by id, so the cost follows the caseload rather than
    the size of the practice.
    """
    client = aliased(Client)
    primary = select(client.id).where(client.tenant_id == work.tenant_id, matches_staff(client.primary_clinician_id))
    visits = APPOINTMENTS.c
    visited = select(visits.client_id).where(
        visits.tenant_id == work.tenant_id, matches_staff(visits.clinician_id), *gives_access(work)
    )
    return client_id == any_(func.array(union(primary, visited).scalar_subquery()))


def gives_access(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for appointments that give access to the chart: not cancelled or moved, and not too old."""
    return APPOINTMENTS.c.status.not_in(("CANCELLED", "RESCHEDULED")), APPOINTMENTS.c.starts_at > find_access_start(
        work
    )


def find_access_start(work: Work) -> ScalarSelect[Any]:
    """Return the start of the oldest appointments that still give access, as a subquery to spare a round trip."""
    key, now = "chart_access_days", literal(work.now, DateTime(timezone=True))
    today = cast(func.timezone(Practice.time_zone, now), Date)
    days = func.coalesce(cast(func.rule_value(Practice.id, key, today), Integer), get_default(key))
    start = select(now - func.make_interval(0, 0, 0, days)).where(Practice.id == work.tenant_id)
    return start.correlate(None).scalar_subquery()


def client_visible(work: Work, scope: Scope, client_id: Any) -> ColumnElement[bool]:
    """Return the condition that a client is within the scope, for a query for one: it reads only their clinicians."""
    if scope is Scope.ALL:
        return true()
    if work.actor.client_id is not None:
        return client_id == work.actor.client_id
    client = aliased(Client)
    visits = APPOINTMENTS.c
    return or_(
        exists().where(
            client.tenant_id == work.tenant_id,
            client.id == client_id,
            visible_staff(work, scope, client.primary_clinician_id),
        ),
        exists().where(
            visits.tenant_id == work.tenant_id,
            visits.client_id == client_id,
            visible_staff(work, scope, visits.clinician_id),
            *gives_access(work),
        ),
    )


def can_see_client(work: Work, scope: Scope, client_id: UUID) -> bool:
    """Return whether the actor can see this client's chart; an unknown client counts as not visible."""
    query = select(Client.id).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    return work.db.scalar(query.where(client_visible(work, scope, Client.id))) is not None


def find_shown_client(work: Work, scope: Scope, client_id: UUID | None, items: Collection[Any]) -> UUID | None:
    """Return the client whose records a list has shown, for its audit entry.

    None for a list that is not about one client, or about one whom the actor cannot see, which shows nothing.
    """
    if client_id is None or not (items or can_see_client(work, scope, client_id)):
        return None
    return client_id


def can_read_chart_notes(work: Work, client_id: UUID) -> bool:
    """Return whether the actor can read the notes in this client's chart without giving a reason."""
    scope = find_scope(work.actor.roles, "notes", "read")
    return scope in (Scope.ALL, Scope.TEAM, Scope.OWN) and can_see_client(work, scope, client_id)


def require_visible_staff(work: Work, scope: Scope, staff_id: UUID) -> None:
    """Raise NotFound if the staff member does not exist or is outside the scope."""
    staff = get_staff(work, staff_id)
    is_own = staff_id == work.actor.staff_id
    if (scope is Scope.OWN and not is_own) or (
        scope is Scope.TEAM and not is_own and staff.supervisor_id != work.actor.staff_id
    ):
        raise NotFound
