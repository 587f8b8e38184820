"""Routes of the pages of the dashboards: one answer has everything that a page shows at first."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.appointments import AppointmentOut, to_response
from api.context import RequestContext
from api.fields import AppointmentId, ClientId, ClinicianId, Day, MoneyOut, describe
from api.metrics import RefreshOut
from api.names import ClientName, StaffName, from_record
from api.reschedule_requests import RequestOut
from api.responses import Input
from api.routing import PermissionRouter
from api.schedule_columns import ScheduleColumnOut, WeekVisitOut
from practice.analytics.periods import PeriodKind
from practice.analytics.values import Status
from practice.dashboards.capacity import Capacity
from practice.dashboards.clinicians import ClinicianRow
from practice.dashboards.figures import Figure, Period, choose_period
from practice.dashboards.my_practice import MyPractice, load_my_practice
from practice.dashboards.needs import Action, Need, Urgency
from practice.dashboards.overview import Overview, load_overview
from practice.dashboards.own_goals import GoalState
from practice.dashboards.standing import Performance, TeamStatus
from practice.dashboards.words import STATUS_WORDS, describe_change, describe_target, format_value, name_period
from practice.security.permissions import find_scope
from practice.sessions.queries import SessionView

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])

MAY = (
    *(("notes", verb) for verb in ("write", "co_sign", "unlock")),
    *(("appointments", verb) for verb in ("status", "ask_to_move")),
    ("session_completions", "write"),
    ("goals", "write"),
)
"""The permissions that the pages ask for, to show a button or not."""


class PageQuery(Input):
    period: Annotated[PeriodKind, describe("The kind of period that the figures are of.")] = "month"
    day: Annotated[Day | None, describe("A day of the period; left out, today.")] = None


class FigurePeriodOut(BaseModel):
    kind: Annotated[PeriodKind, describe("The kind of period.")]
    start: Annotated[date, describe("Its first day.")]
    last_day: Annotated[date, describe("Its last day.")]
    name: Annotated[str, describe("Its name, such as `March 2026`.")]

    @classmethod
    def of(cls, period: Period) -> "FigurePeriodOut":
        name = name_period(period.kind, period.start)
        return cls(kind=period.kind, start=period.start, last_day=period.last_day, name=name)


class FigureOut(BaseModel):
    key: Annotated[str, describe("The metric.")]
    label: Annotated[str, describe("Its name for people.")]
    formula: Annotated[str, describe("How it is computed, in words.")]
    unit: Annotated[str, describe("Its unit.")]
    value: Annotated[Decimal | None, describe("The value as a decimal number; null without data.")]
    shown: Annotated[str, describe("The value with its unit, such as `78.4 %`.")]
    numerator: Annotated[float, describe("The numerator.")]
    denominator: Annotated[float | None, describe("The denominator; null where there is none.")]
    missing: Annotated[int, describe("How many of the denominator do not count; 0 where there is none.")]
    status: Annotated[Status, describe("The value beside its benchmark and alert threshold.")]
    status_word: Annotated[str, describe("The status in words.")]
    target: Annotated[str, describe("The benchmark in words; empty without one.")]
    bounds: Annotated[dict[str, int], describe("Its benchmarks and alert thresholds in force in the period.")]
    change: Annotated[str, describe("The change since the period before; empty if one of the two has no data.")]
    is_better: Annotated[bool | None, describe("Whether the change is for the better; null without a change.")]
    trend: Annotated[list[Decimal | None], describe("The values of twelve periods, this one last.")]
    rows: Annotated[str, describe("The path of the rows behind the value.")]

    @classmethod
    def of(cls, figure: Figure) -> "FigureOut":
        metric, period = figure.metric, figure.period
        place = f"period={period.kind}&start={period.start}&entity_kind={figure.entity_kind}"
        owner = "" if figure.entity_kind == "practice" else f"&entity_id={figure.entity_id}"
        changed = None not in (figure.value, figure.previous) and figure.value != figure.previous
        rose = changed and figure.value > figure.previous  # ty: ignore[unsupported-operator]
        return cls(
            key=metric.key,
            label=metric.label,
            formula=metric.formula,
            unit=metric.unit,
            value=figure.value,
            shown=format_value(metric.unit, figure.value),
            numerator=float(figure.numerator),
            denominator=None if figure.denominator is None else float(figure.denominator),
            missing=figure.missing,
            status=figure.status,
            status_word=STATUS_WORDS[figure.status],
            target=describe_target(metric.unit, figure.bounds),
            bounds=figure.bounds,
            change=describe_change(metric.unit, figure.value, figure.previous),
            is_better=(rose == (metric.direction == "higher")) if changed else None,
            trend=[point.value for point in figure.trend],
            rows=f"/metrics/{metric.key}/rows?{place}{owner}",
        )


class NeedRecordOut(BaseModel):
    id: Annotated[UUID, describe("The client or the staff member.")]
    name: Annotated[str, describe("First and last name, and a number where one belongs to it.")]


class NeedOut(BaseModel):
    key: Annotated[str, describe("A stable key of what is needed.")]
    urgency: Annotated[Urgency, describe("By when: `today`, `this_week`, `this_month`, or `fine`.")]
    title: Annotated[str, describe("What it is, with its count.")]
    detail: Annotated[str, describe("More about it.")]
    count: Annotated[int, describe("How many records it is about.")]
    action: Annotated[Action | None, describe("The action that does it; null if a person decides.")]
    action_label: Annotated[str, describe("The action in words; empty without one.")]
    records: Annotated[list[NeedRecordOut], describe("The first of the records: clients, or staff members.")]

    @classmethod
    def of(cls, need: Need) -> "NeedOut":
        return from_record(cls, need, records=[from_record(NeedRecordOut, record) for record in need.records])


class NotesToSignOut(BaseModel):
    count: Annotated[int, describe("Completed sessions without a signed note, now.")]
    late: Annotated[int, describe("Those whose note is late.")]
    oldest_at: Annotated[datetime | None, describe("The start of the oldest one.")]


class PaySoFarOut(BaseModel):
    week: Annotated[date, describe("The Sunday on which the pay week begins.")]
    cut_off: Annotated[datetime, describe("When the week is cut off.")]
    earned: Annotated[MoneyOut, describe("What the week pays so far.")]
    standby: Annotated[MoneyOut, describe("What waits for a signature.")]


class UnsignedSessionOut(BaseModel):
    appointment_id: AppointmentId
    note_id: Annotated[UUID | None, describe("The draft of its note; null if none is begun.")]
    note_status: Annotated[str | None, describe("`DRAFT`, or `IN_REVIEW` by the supervisor; null if none is begun.")]
    note_version: Annotated[int | None, describe("The version of the note; null if none is begun.")]
    client_id: ClientId
    client_name: ClientName = None
    starts_at: Annotated[datetime, describe("When it began.")]
    deadline: Annotated[datetime, describe("When its note is due for the pay of its week.")]
    locked: Annotated[bool, describe("Whether a supervisor or an admin has to unlock it first.")]
    amount: Annotated[MoneyOut | None, describe("What it pays once signed; null without a rate.")]

    @classmethod
    def of(cls, view: SessionView) -> "UnsignedSessionOut":
        row = view.row
        return cls(
            appointment_id=row.id,
            note_id=row.note_id,
            note_status=row.note_status,
            note_version=row.note_version,
            client_id=row.client_id,
            starts_at=row.starts_at,
            deadline=view.deadline,
            locked=view.lock is not None,
            amount=view.amount_cents,
        )


class DashboardOut(BaseModel):
    """The parts that every page has."""

    today: Annotated[date, describe("Today's local date.")]
    period: Annotated[FigurePeriodOut, describe("The period that the figures are of.")]
    refresh: Annotated[RefreshOut | None, describe("The refresh that made the figures; null before the first one.")]
    brief: Annotated[list[str], describe("One to three sentences: what changed, and what to do first.")]
    figures: Annotated[list[FigureOut], describe("The figures on top.")]
    needs: Annotated[list[NeedOut], describe("What needs somebody, the most pressing first.")]
    may: Annotated[list[str], describe("What you may do, as `record.verb`.")]

    @classmethod
    def read_common(cls, ctx: RequestContext, page: MyPractice | Overview) -> dict[str, Any]:
        """Return the fields that every page has."""
        return {
            "today": page.today,
            "period": FigurePeriodOut.of(page.period),
            "refresh": None if page.refresh is None else RefreshOut.of(page.refresh, ctx.now),
            "brief": list(page.brief),
            "figures": [FigureOut.of(figure) for figure in page.figures],
            "needs": [NeedOut.of(need) for need in page.needs],
            "may": [f"{record}.{verb}" for record, verb in MAY if find_scope(ctx.actor.roles, record, verb)],
        }


class OwnGoalOut(BaseModel):
    id: Annotated[UUID, describe("The goal.")]
    label: Annotated[str, describe("The name of its metric.")]
    target: Annotated[str, describe("The value to reach, in words.")]
    now: Annotated[str, describe("The value of the period that the figures are of.")]
    ends_on: Annotated[date, describe("The last day, after which it is decided.")]
    state: Annotated[GoalState, describe("`reached` as things stand, `not_yet`, or `no_data`.")]


class MyPracticeOut(DashboardOut):
    kept_this_week: Annotated[str, describe("Completed of ended visits of this week until now, such as `18 of 25`.")]
    goals: Annotated[list[OwnGoalOut], describe("Your goals that are not decided yet.")]
    notes_to_sign: Annotated[NotesToSignOut, describe("The notes that you have to sign or submit now.")]
    note_step: Annotated[Literal["sign", "submit"], describe("Whether you sign your notes, or submit them for review.")]
    pay: Annotated[PaySoFarOut, describe("The pay week that is still open.")]
    visits: Annotated[list[AppointmentOut], describe("Today's visits, by start.")]
    week: Annotated[list[ScheduleColumnOut], describe("The days of the week with your hours and gaps.")]
    week_visits: Annotated[list[WeekVisitOut], describe("The visits of the week, by start.")]
    unsigned: Annotated[
        list[UnsignedSessionOut], describe("The first of the sessions without a signed note, oldest first.")
    ]
    requests: Annotated[list[RequestOut], describe("Your latest requests to move visits, newest first.")]
    statements: Annotated[list[date], describe("The latest closed pay weeks that paid you, latest first.")]
    staff_id: Annotated[UUID, describe("You as a staff member, whose pay statements these are.")]
    staff_name: StaffName = None


class ClinicianOut(BaseModel):
    clinician_id: ClinicianId
    clinician_name: Annotated[str, describe("First and last name.")]
    figures: Annotated[list[FigureOut], describe("The clinician's figures.")]
    unsigned: Annotated[int, describe("Notes to be signed now.")]
    late: Annotated[int, describe("Those that are late.")]
    oldest_at: Annotated[datetime | None, describe("The start of the oldest unsigned session.")]
    team_status: Annotated[TeamStatus, describe("`on_track`, `review` or `urgent`.")]
    team_reasons: Annotated[list[str], describe("Why.")]
    compliance: Annotated[Decimal | None, describe("Checks that are ok of those that apply, in percent.")]
    performance: Annotated[Performance | None, describe("A word for kept visits and compliance; for admins only.")]
    performance_reasons: Annotated[list[str], describe("Why; for admins only.")]

    @classmethod
    def of(cls, row: ClinicianRow, *, with_performance: bool) -> "ClinicianOut":
        standing = row.standing
        return cls(
            clinician_id=row.id,
            clinician_name=row.name,
            figures=[FigureOut.of(row.figures[key]) for key in CLINICIAN_FIGURES],
            unsigned=row.unsigned.count,
            late=row.unsigned.late,
            oldest_at=row.unsigned.oldest_at,
            team_status=standing.team_status,
            team_reasons=standing.team_reasons,
            compliance=standing.compliance,
            performance=standing.performance if with_performance else None,
            performance_reasons=standing.performance_reasons if with_performance else [],
        )


CLINICIAN_FIGURES = (
    "kept_visit_rate",
    "no_show_rate",
    "same_day_documentation_rate",
    "sessions_per_day",
    "schedule_fill_rate",
    "supervision_hours",
)


class LockedSessionOut(BaseModel):
    appointment_id: AppointmentId
    note_id: Annotated[UUID | None, describe("The draft of its note; null if none is begun.")]
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    client_id: ClientId
    client_name: ClientName = None
    starts_at: Annotated[datetime, describe("When it began.")]
    deadline: Annotated[datetime, describe("When its note was due for the pay of its week.")]
    amount: Annotated[MoneyOut | None, describe("What it pays once signed; null without a rate.")]

    @classmethod
    def of(cls, view: SessionView) -> "LockedSessionOut":
        row = view.row
        return cls(
            appointment_id=row.id,
            note_id=row.note_id,
            clinician_id=row.clinician_id,
            client_id=row.client_id,
            starts_at=row.starts_at,
            deadline=view.deadline,
            amount=view.amount_cents,
        )


class HourFillOut(BaseModel):
    weekday: Annotated[int, describe("The day of the week: 0 is Sunday.")]
    hour: Annotated[int, describe("The hour of the day, from 0 to 23.")]
    open_minutes: Annotated[int, describe("Minutes in which clinicians see clients, without those that are blocked.")]
    booked_minutes: Annotated[int, describe("Those of them that are taken.")]


class CapacityOut(BaseModel):
    first: Annotated[date, describe("The first of the days to come.")]
    last: Annotated[date, describe("The last of them.")]
    hours: Annotated[list[HourFillOut], describe("Each hour of the week in which somebody sees clients.")]
    open_minutes: Annotated[int, describe("The minutes of all hours.")]
    booked_minutes: Annotated[int, describe("Those of them that are taken.")]
    session_minutes: Annotated[
        int | None, describe("The average length of the last four weeks; null without sessions.")
    ]
    open_slots: Annotated[int | None, describe("How many such sessions the free time has room for.")]
    open_value: Annotated[
        MoneyOut | None, describe("What they would bring, by the average of the last quarter; null without one.")
    ]

    @classmethod
    def of(cls, capacity: Capacity) -> "CapacityOut":
        hours = [HourFillOut(**hour._asdict()) for hour in capacity.hours]
        return from_record(cls, capacity, hours=hours, open_value=capacity.open_cents)


class OverviewOut(DashboardOut):
    clinicians: Annotated[list[ClinicianOut], describe("The clinicians side by side, by name.")]
    compliance: Annotated[list[FigureOut], describe("The compliance checks.")]
    revenue_cycle: Annotated[list[FigureOut], describe("From the session to the money; empty for a team.")]
    locked: Annotated[list[LockedSessionOut], describe("The first of the locked sessions of others, oldest first.")]
    capacity: Annotated[CapacityOut | None, describe("The two weeks to come; null for a team.")]

    @classmethod
    def read_page(cls, ctx: RequestContext, page: Overview, kind: Literal["practice", "team"]) -> dict[str, Any]:
        """Return the fields of the page of a practice or of a team."""
        return {
            **cls.read_common(ctx, page),
            "clinicians": [ClinicianOut.of(row, with_performance=kind == "practice") for row in page.clinicians],
            "compliance": [FigureOut.of(figure) for figure in page.compliance],
            "revenue_cycle": [FigureOut.of(figure) for figure in page.revenue_cycle],
            "locked": [LockedSessionOut.of(view) for view in page.locked],
            "capacity": None if page.capacity is None else CapacityOut.of(page.capacity),
        }


class MyPracticeQuery(PageQuery):
    week: Annotated[Day | None, describe("A day of the week that is shown with its gaps; left out, today.")] = None


@router.get("/my-practice", permission="dashboards.my_practice")
def get_my_practice(ctx: RequestContext, query: Annotated[MyPracticeQuery, Query()]) -> MyPracticeOut:
    """Get the page of a clinician.

    Your own figures, today's visits, notes to sign, this pay week, and what needs you.
    """
    page = load_my_practice(ctx.work, ctx.own_staff_id, choose_period(ctx.work, query.period, query.day), query.week)
    kept, notes = page.live.kept_visit_rate, page.live.unsigned_notes
    return MyPracticeOut(
        **DashboardOut.read_common(ctx, page),
        kept_this_week=f"{kept.numerator} of {kept.denominator}",
        goals=[from_record(OwnGoalOut, goal) for goal in page.goals],
        notes_to_sign=NotesToSignOut(count=notes.count, late=notes.late, oldest_at=notes.oldest_at),
        note_step=page.note_step,
        pay=PaySoFarOut(
            week=page.pay.week,
            cut_off=page.pay.cut_off,
            earned=page.pay.earned_cents,
            standby=page.pay.standby_cents,
        ),
        visits=to_response(ctx, *page.visits),
        week=[ScheduleColumnOut.of(column) for column in page.week],
        week_visits=[from_record(WeekVisitOut, visit) for visit in page.week_visits],
        unsigned=[UnsignedSessionOut.of(view) for view in page.unsigned],
        requests=[RequestOut.of(request, page.requests.visits) for request in page.requests.items],
        statements=list(page.statements),
        staff_id=ctx.own_staff_id,
    )


@router.get("/overview", permission="dashboards.overview")
def get_overview(ctx: RequestContext, query: Annotated[PageQuery, Query()]) -> OverviewOut:
    """Get the page of the practice.

    The scorecard, clinicians side by side, compliance, the revenue cycle, and what needs somebody.
    """
    page = load_overview(ctx.work, choose_period(ctx.work, query.period, query.day))
    return OverviewOut(**OverviewOut.read_page(ctx, page, "practice"))
