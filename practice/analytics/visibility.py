"""The metrics and entities that an actor may see: by category for some roles, by person for others."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select

from practice.analytics.values import EntityKey
from practice.metric_dictionary import METRICS
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.security.permissions import MATRIX, Scope
from practice.security.work import Work

CATEGORIES_OF_ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "scheduler": frozenset(("schedule", "front_desk", "records")),
        "biller": frozenset(("billing", "money")),
    }
)
"""The categories of roles that see part of the dictionary. The other roles see all of it."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """The metrics that an actor may see of every entity, and the entities of which they may see every metric."""

    metric_keys: frozenset[str]
    entities: frozenset[EntityKey]

    def includes(self, metric_key: str, entity: EntityKey) -> bool:
        return metric_key in self.metric_keys or entity in self.entities


def load_visibility(work: Work, action: str = "read") -> Visibility:
    """Return what the actor may see. The installation itself may see everything."""
    if work.actor.account_id is None:
        return Visibility(frozenset(METRICS), frozenset())
    scopes = {role: MATRIX.get(("metrics", action, role)) for role in work.actor.roles}
    everywhere = [role for role, scope in scopes.items() if scope is Scope.ALL]
    keys = frozenset(
        metric.key
        for metric in METRICS.values()
        if any(metric.category in CATEGORIES_OF_ROLES.get(role, {metric.category}) for role in everywhere)
    )
    own_id, own = work.actor.staff_id, set()
    if own_id is not None and not scopes.keys().isdisjoint(("supervisor", "clinician")):
        own.add(("clinician", own_id))
    if own_id is not None and scopes.get("supervisor") is Scope.TEAM:
        team = select(Staff.id).where(Staff.tenant_id == work.tenant_id, visible_staff(work, Scope.TEAM, Staff.id))
        own |= {("team", own_id), *(("clinician", staff_id) for staff_id in work.db.scalars(team))}
    return Visibility(keys, frozenset(own))
