"""The page of a clinician: their figures, today's visits, notes to sign, this pay week, and what needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.analytics.live import LiveValues, load_live_values
from practice.analytics.values import Refresh
from practice.clinical.notes.signing import Step, load_authors
from practice.clinical.plans.review_status import PlanStatus, list_due_plans
from practice.clinical.plans.safety_plans import SafetyPlanStatus, list_missing_safety_plans
from practice.clinical.supervision.hours import MonthlyHours, get_monthly_hours
from practice.dashboards.clients_to_rebook import ClientToRebook, list_clients_to_rebook
from practice.dashboards.figures import Figure, Period, load_figures
from practice.dashboards.needs import MAX_LISTED, Need, NeedRecord, sort_needs
from practice.dashboards.note_pad import choose_last_step
from practice.dashboards.own_goals import OwnGoal, describe_goals, list_active_goals
from practice.dashboards.own_work import Requests, build_reports_need, list_own_requests, list_own_statements
from practice.dashboards.schedule_columns import (
    ScheduleColumn,
    list_days_of_week,
    load_clinicians,
    load_columns,
    load_visits_between,
)
from practice.dashboards.sentences import describe_kept_visits
from practice.dashboards.words import format_number
from practice.local_time import DAY, cut_off, open_week, start_of_day
from practice.money import format_dollars
from practice.payroll.statements import Statement, get_statement
from practice.people.models.clients import Client
from practice.people.practice_time import local_today, zone_of
from practice.scheduling.appointments.queries import Filters, list_appointments
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.queries import SessionFilters, SessionView, list_sessions
from practice.store.pages import PageRequest
from practice.text import format_count

METRIC_KEYS = (
    "kept_visit_rate",
    "no_show_rate",
    "cancellation_rate",
    "same_day_documentation_rate",
    "rebook_rate",
    "client_retention_90d",
    "billing_compliance_rate",
    "avg_reimbursement_per_session",
)
MAX_VISITS = 60
MAX_NOTES = 50


@dataclass(frozen=True)
class PayWeekSoFar:
    """What the pay week that is still open pays the clinician, and until when."""

    week: date
    cut_off: datetime
    earned_cents: int
    standby_cents: int


@dataclass(frozen=True)
class MyPractice:
    """Everything that the page shows at first."""

    today: date
    period: Period
    refresh: Refresh | None
    brief: Sequence[str]
    figures: Sequence[Figure]
    goals: Sequence[OwnGoal]
    live: LiveValues
    note_step: Step
    pay: PayWeekSoFar
    visits: Sequence[Appointment]
    week: Sequence[ScheduleColumn]
    week_visits: Sequence[Appointment]
    unsigned: Sequence[SessionView]
    needs: Sequence[Need]
    requests: Requests
    statements: Sequence[date]


def load_my_practice(work: Work, staff_id: UUID, period: Period, week_day: date | None) -> MyPractice:
    """Return the page of the signed-in clinician, with their week that has this day, by default today."""
    zone, today = zone_of(work), local_today(work)
    days = list_days_of_week(week_day or today)
    week_visits = load_visits_between(work, Scope.OWN, days, clinician_id=staff_id)
    entity = ("clinician", staff_id)
    goals = list_active_goals(work, staff_id)
    keys = tuple(dict.fromkeys((*METRIC_KEYS, *(goal.metric_key for goal in goals))))
    found = load_figures(work, period, keys, [entity], entity_kind="clinician")
    figures = found.of(entity)
    live = load_live_values(work, "week", staff_id, with_review=False)
    step = choose_last_step(load_authors(work, [staff_id])[staff_id])
    statement = get_statement(work, Scope.OWN, open_week(work.now, zone), staff_id, work.now)
    needs = list_needs(work, staff_id, live, statement, zone, step)
    kept = describe_kept_visits(figures["kept_visit_rate"])
    return MyPractice(
        today=today,
        period=period,
        refresh=found.refresh,
        brief=[*([kept] if kept else []), *(f"{need.title}. {need.detail}" for need in needs[:2])],
        figures=[figures[key] for key in METRIC_KEYS],
        goals=describe_goals(goals, figures),
        live=live,
        note_step=step,
        pay=PayWeekSoFar(
            statement.week,
            cut_off(statement.week, zone),
            statement.total_cents,
            statement.totals["standby"],
        ),
        visits=list_visits_of_day(work, staff_id, today, zone),
        week=load_own_columns(work, staff_id, days, week_visits),
        week_visits=week_visits,
        unsigned=list_unsigned_sessions(work, staff_id),
        needs=needs,
        requests=list_own_requests(work),
        statements=list_own_statements(work, staff_id),
    )


def load_own_columns(
    work: Work, staff_id: UUID, days: Sequence[date], visits: Sequence[Appointment]
) -> list[ScheduleColumn]:
    """Return the clinician's days with their hours and gaps."""
    own = [clinician for clinician in load_clinicians(work, [staff_id]) if clinician.id == staff_id]
    return load_columns(work, "clinician", own, days, visits, own)


def list_visits_of_day(work: Work, staff_id: UUID, day: date, zone: ZoneInfo) -> list[Appointment]:
    """Return the clinician's visits of the local date that are not cancelled or moved, by start."""
    filters = Filters(clinician_id=staff_id, since=start_of_day(day, zone), until=start_of_day(day + DAY, zone))
    page = list_appointments(work, Scope.OWN, PageRequest(limit=MAX_VISITS), filters)
    return [visit for visit in page.items if visit.status not in ("CANCELLED", "RESCHEDULED")]


def list_unsigned_sessions(work: Work, staff_id: UUID) -> list[SessionView]:
    """Return the first of the clinician's sessions whose notes are to be signed, oldest first."""
    filters = SessionFilters(provider_id=staff_id, signed=False)
    return list(list_sessions(work, Scope.OWN, PageRequest(limit=MAX_NOTES, sort="sessionDate"), filters).items)


def list_needs(
    work: Work, staff_id: UUID, live: LiveValues, statement: Statement, zone: ZoneInfo, step: Step
) -> list[Need]:
    """Return what needs the clinician, the most pressing first."""
    page = PageRequest(limit=MAX_LISTED)
    plans = list_due_plans(work, Scope.OWN, page, clinician_id=staff_id).items
    safety_plans = list_missing_safety_plans(work, Scope.OWN, page, clinician_id=staff_id).items
    found = [
        build_notes_need(live, statement, work.now, zone, step),
        build_safety_need(safety_plans),
        build_rebook_need(list_clients_to_rebook(work, staff_id)),
        build_plans_need(plans),
        build_reports_need(work, staff_id),
        build_supervision_need(get_monthly_hours(work, Scope.OWN, staff_id)),
    ]
    return sort_needs([need for need in found if need is not None])


def name_client(client: Client) -> NeedRecord:
    return NeedRecord(client.id, f"{client.first_name} {client.last_name}")


def build_notes_need(live: LiveValues, statement: Statement, now: datetime, zone: ZoneInfo, step: Step) -> Need | None:
    """Return the notes to sign, pressing on the last day before the cut-off or once one is late."""
    notes = live.unsigned_notes
    if notes.count == 0 or notes.oldest_at is None:
        return None
    oldest = notes.oldest_at.astimezone(zone)
    detail = f"The oldest is of {oldest:%B} {oldest.day}."
    if standby := statement.totals["standby"]:
        detail += f" {format_dollars(standby)} of this pay week wait for your signature."
    is_pressing = notes.late > 0 or statement.cut_off - now < timedelta(days=1)
    title = f"{format_count(notes.count, 'note')} {'waits' if notes.count == 1 else 'wait'} for your signature"
    return Need(
        "unsigned_notes",
        "today" if is_pressing else "this_week",
        title,
        detail,
        notes.count,
        "sign_notes",
        "Sign notes" if step == "sign" else "Submit notes",
    )


def build_safety_need(missing: Sequence[SafetyPlanStatus]) -> Need | None:
    if not missing:
        return None
    return Need(
        "safety_plans",
        "today",
        f"{format_count(len(missing), 'client')} at high risk without a current safety plan",
        "A safety plan is signed once a year.",
        len(missing),
        "show_clients",
        "Show clients",
        [name_client(status.client) for status in missing],
    )


def build_rebook_need(clients: Sequence[ClientToRebook]) -> Need | None:
    if not clients:
        return None
    named = ", ".join(client.name for client in clients[:3])
    more = f" and {len(clients) - 3} more" if len(clients) > 3 else ""
    return Need(
        "clients_to_rebook",
        "this_week",
        f"{format_count(len(clients), 'client')} not seen for a month and not booked",
        f"{named}{more}.",
        len(clients),
        "show_clients",
        "Show clients",
        [NeedRecord(client.id, client.name) for client in clients[:MAX_LISTED]],
    )


def build_plans_need(plans: Sequence[PlanStatus]) -> Need | None:
    """Return the plans to review, pressing once one is out of compliance."""
    if not plans:
        return None
    overdue = sum(plan.state in ("out_of_compliance", "missing") for plan in plans)
    detail = f"{overdue} of them are overdue or missing." if overdue else "None is overdue yet."
    return Need(
        "treatment_plans",
        "this_week" if overdue else "this_month",
        f"{format_count(len(plans), 'treatment plan')} to review",
        detail,
        len(plans),
        "show_clients",
        "Show clients",
        [name_client(plan.client) for plan in plans],
    )


def build_supervision_need(monthly: MonthlyHours) -> Need | None:
    """Return the supervision hours of the month, if any are required."""
    hours = monthly.hours
    if hours.required is None:
        return None
    last_day = monthly.month.end - DAY
    title = f"{format_number(hours.held)} of {format_number(Decimal(hours.required))} supervision hours this month"
    if not hours.missing:
        return Need("supervision", "fine", title, "The requirement is met.", 0)
    detail = f"{format_number(hours.missing)} to go until {last_day:%B} {last_day.day}."
    return Need("supervision", "this_month", title, detail, 1)
