"""How far a permission reaches, as conditions of a query: whose clients and whose work somebody may see."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, column, exists, false, or_, select, table, true
from sqlalchemy.orm import aliased

from practice.people.client_models import Client
from practice.people.models import Staff
from practice.security.permissions import Scope
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
        team = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.supervisor_id == me)
        return or_(staff_id == me, staff_id.in_(team))
    return staff_id == me


def clients_within(work: Work, scope: Scope, client_id: Any) -> ColumnElement[bool]:
    """Whose charts. A clinician's own clients have them as primary clinician, or an appointment with them."""
    if scope is Scope.ALL:
        return true()
    if work.actor.client_id is not None:
        return client_id == work.actor.client_id
    chart = aliased(Client)
    primary = exists().where(
        chart.tenant_id == work.tenant_id,
        chart.id == client_id,
        staff_within(work, scope, chart.primary_clinician_id),
    )
    seen = exists().where(
        APPOINTMENTS.c.tenant_id == work.tenant_id,
        APPOINTMENTS.c.client_id == client_id,
        staff_within(work, scope, APPOINTMENTS.c.clinician_id),
    )
    return or_(primary, seen)


def is_within(work: Work, scope: Scope, client_id: UUID, *, hold: bool = False) -> bool:
    """Whether this client's chart is theirs to see. Nobody else's answers as if it were not there.

    To `hold` it is for a rule over several of its records: whoever else would hold the same chart waits.
    """
    query = select(Client.id).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    query = query.where(clients_within(work, scope, Client.id))
    return work.db.scalar(query.with_for_update(key_share=True) if hold else query) is not None
