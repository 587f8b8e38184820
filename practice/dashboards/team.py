"""The parts of a team's page that need its supervisor: notes to co-sign, locked sessions, hours, workload, coaching."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Date, cast, func, select

from practice.clinical.models.notes import Note
from practice.clinical.notes import queries as notes
from practice.clinical.supervision.hours import MonthlyHours, list_monthly_hours
from practice.dashboards.clinicians import ClinicianRow
from practice.dashboards.figures import Figure, Period
from practice.dashboards.needs import MAX_LISTED, Need, format_found
from practice.dashboards.overview import Overview, load_team
from practice.dashboards.standing import FULLY_COMPLIANT, TEAM_METRICS
from practice.local_time import WEEK, start_of_day, week_of
from practice.people.access import visible_staff
from practice.people.practice_time import local_today, zone_of
from practice.people.settings import get_setting
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.statuses import ACTIVE
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest


@dataclass(frozen=True)
class Workload:
    """The sessions of a clinician in this week, held and booked, a group counted once, and why that is too much."""

    clinician_id: UUID
    sessions: int
    busiest_day: int
    reasons: list[str]


@dataclass(frozen=True)
class Coaching:
    """A talk that a clinician's figures suggest, with its reasons and what the dictionary advises."""

    clinician_id: UUID
    kind: Literal["coaching", "recognition"]
    reasons: list[str]
    actions: list[str]


@dataclass(frozen=True)
class Team:
    """Everything that the page shows at first."""

    overview: Overview
    in_review: Sequence[Note]
    hours: Sequence[MonthlyHours]
    workload: Sequence[Workload]
    coaching: Sequence[Coaching]


def load_team_page(work: Work, supervisor_id: UUID, period: Period) -> Team:
    """Return the page of a supervisor's team."""
    in_review = list_notes_in_review(work, supervisor_id)
    overview = load_team(work, supervisor_id, period, list_review_needs(in_review))
    return Team(
        overview=overview,
        in_review=in_review,
        hours=[monthly for monthly in list_monthly_hours(work, Scope.TEAM) if monthly.staff.id != supervisor_id],
        workload=list_workload(work, supervisor_id),
        coaching=list_coaching(overview.clinicians),
    )


def list_notes_in_review(work: Work, supervisor_id: UUID) -> list[Note]:
    """Return the first of the notes and changes of notes that wait for the supervisor, oldest first."""
    page = PageRequest(limit=MAX_LISTED, sort="created_at")
    found = notes.list_notes(work, Scope.TEAM, page, notes.Filters(in_review=True))
    return [note for note in found.items if note.clinician_id != supervisor_id]


def list_review_needs(in_review: Sequence[Note]) -> list[Need]:
    """Return what waits for the supervisor alone."""
    if not in_review:
        return []
    title = f"{format_found(len(in_review), 'note')} {'waits' if len(in_review) == 1 else 'wait'} for you"
    detail = "Read and co-sign them, or return them: nothing is paid or billed for them until then."
    return [Need("notes_in_review", "today", title, detail, len(in_review))]


def list_workload(work: Work, supervisor_id: UUID) -> list[Workload]:
    """Return this week's sessions of the team, most first. More than the settings allow has reasons."""
    zone, week = zone_of(work), week_of(local_today(work))
    local_day = cast(func.timezone(zone.key, Appointment.starts_at), Date).label("day")
    session = func.coalesce(Appointment.group_session_id, Appointment.id)
    days = (
        select(Appointment.clinician_id, local_day, func.count(session.distinct()).label("sessions"))
        .where(
            Appointment.tenant_id == work.tenant_id,
            Appointment.clinician_id != supervisor_id,
            visible_staff(work, Scope.TEAM, Appointment.clinician_id),
            Appointment.status.in_(ACTIVE),
            Appointment.starts_at >= start_of_day(week, zone),
            Appointment.starts_at < start_of_day(week + WEEK, zone),
        )
        .group_by(Appointment.clinician_id, local_day)
        .subquery()
    )
    total, busiest = func.sum(days.c.sessions), func.max(days.c.sessions)
    weeks = select(days.c.clinician_id, total, busiest).group_by(days.c.clinician_id)
    limits = get_setting(work, "workload_week_sessions"), get_setting(work, "sessions_per_day_alert_above")
    return [
        Workload(clinician_id, int(sessions), most, find_overload(int(sessions), most, *limits))
        for clinician_id, sessions, most in work.db.execute(weeks.order_by(total.desc(), days.c.clinician_id))
    ]


def find_overload(sessions: int, busiest_day: int, week_limit: int, day_limit: int) -> list[str]:
    """Return why a week is too much work, or nothing."""
    return [
        *([f"{sessions} sessions this week, over {week_limit}"] if sessions > week_limit else []),
        *([f"{busiest_day} sessions on one day, over {day_limit}"] if busiest_day > day_limit else []),
    ]


def list_coaching(clinicians: Sequence[ClinicianRow]) -> list[Coaching]:
    """Return the clinicians to talk with, those with most in alert first, and then those to thank."""
    talks = [
        (row, [row.figures[key] for key in TEAM_METRICS if row.figures[key].status == "alert"]) for row in clinicians
    ]
    needed = sorted(
        (talk for talk in talks if talk[0].standing.team_status != "on_track"),
        key=lambda talk: (talk[0].standing.team_status != "urgent", -len(talk[1]), -talk[0].unsigned.late),
    )
    coaching = [
        Coaching(
            row.id,
            "coaching",
            row.standing.team_reasons,
            list_actions(alerts),
        )
        for row, alerts in needed
    ]
    thanks = [
        Coaching(row.id, "recognition", ["Every figure of the team is on target"], [])
        for row in clinicians
        if is_exemplary(row)
    ]
    return [*coaching, *thanks]


def list_actions(alerts: Sequence[Figure]) -> list[str]:
    """Return what the dictionary advises. Of late notes that is to notify the supervisor, who reads it here."""
    actions = (figure.metric.action for figure in alerts if figure.metric.key != "unsigned_note_backlog")
    return list(dict.fromkeys(action for action in actions if action))


def is_exemplary(row: ClinicianRow) -> bool:
    """Return whether every figure that a team looks at is on target, and every compliance check that applies is ok."""
    on_target = all(row.figures[key].status == "on_target" for key in TEAM_METRICS)
    return row.standing.team_status == "on_track" and on_target and row.standing.compliance == FULLY_COMPLIANT
