"""Clinicians side by side, as the pages of a team and of the practice show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from practice.analytics.live import UnsignedCount, count_unsigned_notes
from practice.dashboards.figures import Figure, FigureSet, Period, load_figures
from practice.dashboards.standing import COMPLIANCE_METRICS, TEAM_METRICS, Standing, judge_clinician
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.security.permissions import Scope
from practice.security.work import Work

METRIC_KEYS = tuple(
    dict.fromkeys((*TEAM_METRICS, *COMPLIANCE_METRICS, "sessions_per_day", "schedule_fill_rate", "supervision_hours"))
)


@dataclass(frozen=True)
class ClinicianRow:
    """A clinician with their figures, unsigned notes and standing."""

    id: UUID
    name: str
    figures: dict[str, Figure]
    unsigned: UnsignedCount
    standing: Standing


def load_clinicians(
    work: Work, scope: Scope, period: Period, more: Sequence[tuple[str, UUID]] = (), more_keys: Sequence[str] = ()
) -> tuple[list[ClinicianRow], FigureSet]:
    """Return the visible active clinicians, by name, and all figures, those of the further entities among them."""
    staff = list_clinicians(work, scope, period)
    entities = [("clinician", person.id) for person in staff]
    keys = tuple(dict.fromkeys((*METRIC_KEYS, *more_keys)))
    found = load_figures(work, period, keys, [*entities, *more])
    unsigned = count_unsigned_notes(work, local_today(work))
    rows = []
    for person in staff:
        own, count = found.of(("clinician", person.id)), unsigned.get(person.id, UnsignedCount())
        name = f"{person.first_name} {person.last_name}"
        rows.append(ClinicianRow(person.id, name, own, count, judge_clinician(own, count.late)))
    return rows, found


def list_clinicians(work: Work, scope: Scope, period: Period) -> list[Staff]:
    """Return the visible clinicians who were employed on a day of the period, by name. A team is without its head."""
    conditions: list[Any] = [
        Staff.tenant_id == work.tenant_id,
        Staff.roles.contains(["clinician"]),
        Staff.hired_on <= period.last_day,
        or_(Staff.left_on.is_(None), Staff.left_on > period.start),
        visible_staff(work, scope, Staff.id),
    ]
    if scope is Scope.TEAM:
        conditions.append(Staff.supervisor_id == work.actor.staff_id)
    query = select(Staff).where(*conditions).order_by(Staff.last_name, Staff.first_name, Staff.id)
    return list(work.db.scalars(query))
