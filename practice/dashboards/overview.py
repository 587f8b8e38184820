"""The pages of a practice and of a team: scorecard, clinicians side by side, compliance, and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from practice.analytics.values import Refresh
from practice.dashboards.capacity import Capacity, load_capacity
from practice.dashboards.clinicians import ClinicianRow, load_clinicians
from practice.dashboards.figures import Figure, Period, choose_period, load_figures
from practice.dashboards.needs import MAX_LISTED, Need, NeedRecord, format_found, sort_needs
from practice.dashboards.sentences import describe_alerts, describe_kept_visits
from practice.dashboards.words import join_words
from practice.people.practice_time import local_today
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.queries import SessionFilters, SessionView, list_sessions
from practice.store.pages import PageRequest
from practice.text import format_count

SCORECARD = (
    "kept_visit_rate",
    "same_day_documentation_rate",
    "schedule_fill_rate",
    "collection_rate",
    "days_in_ar",
    "claim_acceptance_rate",
)
TEAM_SCORECARD = ("kept_visit_rate", "no_show_rate", "cancellation_rate", "same_day_documentation_rate")
COMPLIANCE_BOARD = (
    "notes_signed_within_7_days_rate",
    "treatment_plan_currency",
    "safety_plan_compliance",
    "informed_consent_currency",
    "minor_consent_compliance",
    "telehealth_consent_compliance",
    "hipaa_training_current",
    "supervision_met_rate",
)
NOBODY_YET = (
    "Nobody sees clients here in this period. Clinicians, rooms and hours are added through the API, or with an import."
)
REIMBURSEMENT = "avg_reimbursement_per_session"
REVENUE_CYCLE = ("charge_entry_lag_days", "billing_compliance_rate", "denial_rate", "net_collection_rate")


@dataclass(frozen=True)
class Overview:
    """Everything that the page of a practice or of a team shows at first."""

    today: date
    period: Period
    refresh: Refresh | None
    brief: Sequence[str]
    figures: Sequence[Figure]
    clinicians: Sequence[ClinicianRow]
    compliance: Sequence[Figure]
    revenue_cycle: Sequence[Figure]
    needs: Sequence[Need]
    locked: Sequence[SessionView]
    capacity: Capacity | None = None


def load_overview(work: Work, period: Period) -> Overview:
    """Return the page of the practice."""
    practice = ("practice", work.tenant_id)
    keys = (*SCORECARD, *COMPLIANCE_BOARD, *REVENUE_CYCLE)
    overview = build_overview(work, Scope.ALL, period, practice, keys, SCORECARD, REVENUE_CYCLE)
    return replace(overview, capacity=load_capacity(work, load_reimbursement(work)))


def load_reimbursement(work: Work) -> Decimal | None:
    """Return what a session brought on average in the last quarter that is over, or None without data."""
    period = choose_period(work, "quarter", None).previous
    practice = ("practice", work.tenant_id)
    return load_figures(work, period, [REIMBURSEMENT], [practice]).of(practice)[REIMBURSEMENT].value


def load_team(work: Work, supervisor_id: UUID, period: Period, own_needs: Sequence[Need] = ()) -> Overview:
    """Return the figures of a supervisor's team, with what waits for the supervisor alone among the needs."""
    team = ("team", supervisor_id)
    keys = (*TEAM_SCORECARD, *COMPLIANCE_BOARD)
    return build_overview(work, Scope.TEAM, period, team, keys, TEAM_SCORECARD, (), own_needs)


def build_overview(
    work: Work,
    scope: Scope,
    period: Period,
    entity: tuple[str, UUID],
    keys: Sequence[str],
    scorecard: Sequence[str],
    revenue_cycle: Sequence[str],
    own_needs: Sequence[Need] = (),
) -> Overview:
    clinicians, found = load_clinicians(work, scope, period, [entity], keys)
    figures = found.of(entity)
    names = {row.name: row.figures["kept_visit_rate"] for row in clinicians}
    shown = [figures[key] for key in scorecard]
    compliance = [figures[key] for key in COMPLIANCE_BOARD]
    locked = list_locked_sessions(work, scope)
    needs = sort_needs([*own_needs, *build_locked_needs(locked), *list_needs(clinicians, compliance)])
    sentences = [
        None if clinicians or scope is not Scope.ALL else NOBODY_YET,
        describe_kept_visits(figures["kept_visit_rate"], names=names),
        describe_alerts([figure for figure in shown if figure.metric.key != "kept_visit_rate"]),
        f"First to do: {needs[0].title}." if needs else None,
    ]
    return Overview(
        today=local_today(work),
        period=period,
        refresh=found.refresh,
        brief=[sentence for sentence in sentences if sentence],
        figures=shown,
        clinicians=clinicians,
        compliance=compliance,
        revenue_cycle=[figures[key] for key in revenue_cycle],
        needs=needs,
        locked=locked,
    )


def list_locked_sessions(work: Work, scope: Scope) -> list[SessionView]:
    """Return the first of the sessions of others whose notes are unsigned and locked, oldest first."""
    page = PageRequest(limit=MAX_LISTED, sort="sessionDate")
    found = list_sessions(work, scope, page, SessionFilters(signed=False, locked=True))
    return [view for view in found.items if view.row.clinician_id != work.actor.staff_id]


def build_locked_needs(locked: Sequence[SessionView]) -> list[Need]:
    if not locked:
        return []
    title = f"{format_found(len(locked), 'session')} locked without a signed note"
    detail = "Unlock a session for some hours, so that its note can be written."
    return [Need("locked_sessions", "this_week", title, detail, len(locked))]


def list_needs(clinicians: Sequence[ClinicianRow], compliance: Sequence[Figure]) -> list[Need]:
    """Return what needs a supervisor or an admin: late notes, checks that fail, clinicians to talk with."""
    needs = [build_late_notes_need(clinicians), *(build_check_need(figure) for figure in compliance)]
    urgent = [row for row in clinicians if row.standing.team_status == "urgent"]
    if urgent:
        names = join_words([row.name for row in urgent[:3]])
        more = f" and {len(urgent) - 3} more" if len(urgent) > 3 else ""
        needs.append(
            Need(
                "urgent_clinicians",
                "this_week",
                f"{format_count(len(urgent), 'clinician')} to talk with",
                f"{names}{more}: two or more figures in alert, or a late note.",
                len(urgent),
                "show_staff",
                "Show them",
                [NeedRecord(row.id, row.name) for row in urgent[:MAX_LISTED]],
            )
        )
    return [need for need in needs if need is not None]


def build_late_notes_need(clinicians: Sequence[ClinicianRow]) -> Need | None:
    late = [row for row in clinicians if row.unsigned.late]
    if not late:
        return None
    total = sum(row.unsigned.late for row in late)
    worst = sorted(late, key=lambda row: -row.unsigned.late)
    listed = join_words([f"{row.name} ({row.unsigned.late})" for row in worst[:3]])
    return Need(
        "late_notes",
        "today",
        format_count(total, "late note"),
        f"Most are of {listed}." if len(late) > 3 else f"Of {listed}.",
        total,
        "show_staff",
        "Show them",
        [NeedRecord(row.id, f"{row.name}: {row.unsigned.late}") for row in worst[:MAX_LISTED]],
    )


def build_check_need(figure: Figure) -> Need | None:
    """Return a compliance check that some records fail, with what the dictionary says to do."""
    if figure.status != "alert" or figure.metric.key == "notes_signed_within_7_days_rate":
        return None
    is_client = figure.metric.row_kind == "client"
    noun = format_count(figure.missing, "client") if is_client else format_count(figure.missing, "person", "people")
    return Need(
        figure.metric.key,
        "today" if figure.metric.key == "safety_plan_compliance" else "this_week",
        f"{figure.metric.label}: {noun} to see to",
        figure.metric.action or "Open the rows behind it.",
        figure.missing,
        "open_rows",
        "Show rows",
    )
