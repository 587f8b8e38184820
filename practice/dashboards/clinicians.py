"""Clinicians side by side, as the pages of a team and of the practice show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text

from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.dashboards.figures import Figure, FigureSet, Period, load_figures
from practice.dashboards.standing import COMPLIANCE_METRICS, TEAM_METRICS, Standing, judge_clinician
from practice.local_time import DAY
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.settings import get_setting
from practice.security.permissions import Scope
from practice.security.work import Work

METRIC_KEYS = tuple(
    dict.fromkeys((*TEAM_METRICS, *COMPLIANCE_METRICS, "sessions_per_day", "schedule_fill_rate", "supervision_hours"))
)
UNSIGNED_SQL = text("""
    select a.clinician_id, count(*), count(*) filter (where a.ends_at < :late_before), min(a.starts_at)
    from appointments as a
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at < :now
        and not exists (
            select from notes as n
            where n.tenant_id = a.tenant_id and n.appointment_id = a.id and n.signed_at <= :now
                and n.type <> all(:no_session_notes) and n.voided_at is null and n.entered_in_error_at is null
        )
    group by a.clinician_id
""")


@dataclass(frozen=True)
class UnsignedNotes:
    """Notes of a clinician that are to be signed now."""

    count: int = 0
    late: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class ClinicianRow:
    """A clinician with their figures, unsigned notes and standing."""

    id: UUID
    name: str
    figures: dict[str, Figure]
    unsigned: UnsignedNotes
    standing: Standing


def load_clinicians(
    work: Work, scope: Scope, period: Period, more: Sequence[tuple[str, UUID]] = (), more_keys: Sequence[str] = ()
) -> tuple[list[ClinicianRow], FigureSet]:
    """Return the visible active clinicians, by name, and all figures, those of the further entities among them."""
    staff = list_clinicians(work, scope, period)
    entities = [("clinician", person.id) for person in staff]
    keys = tuple(dict.fromkeys((*METRIC_KEYS, *more_keys)))
    found = load_figures(work, period, keys, [*entities, *more])
    figures: dict[tuple[str, UUID], dict[str, Figure]] = {}
    for (entity, key), figure in found.figures.items():
        figures.setdefault(entity, {})[key] = figure
    unsigned = load_unsigned_notes(work)
    rows = [
        ClinicianRow(
            person.id,
            f"{person.first_name} {person.last_name}",
            figures["clinician", person.id],
            unsigned.get(person.id, UnsignedNotes()),
            judge_clinician(figures["clinician", person.id], unsigned.get(person.id, UnsignedNotes()).late),
        )
        for person in staff
    ]
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


def load_unsigned_notes(work: Work) -> dict[UUID, UnsignedNotes]:
    """Return the notes to be signed now by clinician."""
    parameters = {
        "tenant_id": work.tenant_id,
        "now": work.now,
        "late_before": work.now - get_setting(work, "note_alert_days") * DAY,
        "no_session_notes": list(NO_SESSION_NOTES),
    }
    return {row[0]: UnsignedNotes(*row[1:]) for row in work.db.execute(UNSIGNED_SQL, parameters)}
